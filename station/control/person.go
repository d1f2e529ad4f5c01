// Package control is the one door for people: commands in, views out, and the table of who may do what.
//
// Socket, panel and MQTT all come through here; so do the tests that walk the table. Whatever the table does not
// allow is denied. Who may see what is a table of its own, in package access.
package control

import "scentpost/station/event"

// Person is somebody who speaks with the station, as whoever let them in knows them: the socket by an account of the machine,
// the panel by a log-in. The public has no name and no roles.
type Person struct {
	Name  string
	Roles []event.Role
	// SharesAccount is set when somebody else of the station can speak as this person.
	SharesAccount bool
	// ReadsVault is set when the person can read the station's files, sealed bodies included.
	ReadsVault bool
}
