// Package firmware knows the reference firmware that comes with Scentpost: its version and its build hash.
//
// The firmware itself is C: core is portable, m328p and host are what it needs of a board, test runs on the host,
// runner runs the binary. README.md says how to build and wire one.
package firmware
