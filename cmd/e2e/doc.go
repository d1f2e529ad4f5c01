// Package e2e tries the three programs as processes: a daemon on a virtual station, driven from the command line,
// reporting through a broker.
package e2e
