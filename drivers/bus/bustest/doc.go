// Package bustest stands in for hardware in tests: a recorder that notes what passes over a bus.Bus, a player that
// gives it again, chips at register level, and what every part of a contract must do.
package bustest
