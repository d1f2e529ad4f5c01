// Package bustest stands in for hardware in tests: a recorder that notes what passes over a bus.Bus, a player that
// gives it again, and chips at register level.
package bustest
