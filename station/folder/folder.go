// Package folder is the folder that a station has for itself: the files in it, the lock of the program that has it open, and
// the name, key and journal that belong together.
package folder

import "path/filepath"

// Folder is the path of a station's folder, `data` of its configuration. No two stations share one.
//
//	station.json    what belongs together: see Binding
//	station.key     the private key that signs the checkpoints
//	lock            held by the program that has the folder open
//	departed.json   how much of the log has left the station
//	connections     how often the station connected to its broker
//	stopped-by      why the daemon stopped, when the journal was the cause
//	journal/        the journal
//
// departed.json lies outside the journal's folder: a person who restores or loses that folder leaves this file as it is.
type Folder string

// in returns the path of a file in the folder.
func (f Folder) in(name string) string { return filepath.Join(string(f), name) }

// Journal is the folder of the journal.
func (f Folder) Journal() string { return f.in("journal") }

// Key is the file of the private key.
func (f Folder) Key() string { return f.in("station.key") }

// Departed is the file of how much has left the station.
func (f Folder) Departed() string { return f.in("departed.json") }

// Connections is the file that counts the connections to the broker.
func (f Folder) Connections() string { return f.in("connections") }

// Cause is the file that says why the daemon stopped.
func (f Folder) Cause() string { return f.in("stopped-by") }
