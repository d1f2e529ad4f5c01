//go:build linux

// Package kerneltest tries the drivers on a real kernel without hardware.
//
// Its tests run inside a guest only, whose first process they are: `make test-kernel` builds the kernel's gpio-sim,
// packs everything and boots it. Elsewhere they say so and do nothing. The package itself is what the tests do to
// the guest: simulated chips, and what the kernel traced.
//
// Nothing in the guest may wait for the host: its time is virtual, and leaps meanwhile.
package kerneltest
