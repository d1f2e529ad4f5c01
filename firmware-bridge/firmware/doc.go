// Package firmware holds the tests of the reference firmware: the real binary, run by simavr in lockstep with a host.
//
// The firmware itself is C: core is portable, m328p and host are what it needs of a board, test runs on the host,
// runner runs the binary. README.md says how to build and wire one.
package firmware
