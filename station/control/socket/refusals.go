package socket

import (
	"errors"

	"scentpost/station/refusal"
)

// The reasons for which a client is turned away or a daemon cannot be asked, with the names of their values.
const (
	TooManyClients refusal.Code = "too-many-clients"
	TooManyWatches refusal.Code = "too-many-watches" // watches

	Unnamed       refusal.Code = "socket-unnamed"       // no path is given
	Folder        refusal.Code = "socket-is-a-folder"   // path
	NotASocket    refusal.Code = "not-a-socket"         // path
	PathTooLong   refusal.Code = "socket-path-too-long" // path
	Absent        refusal.Code = "daemon-absent"        // path: nothing has that name
	Ended         refusal.Code = "daemon-ended"         // path: it has left its socket
	Silent        refusal.Code = "daemon-silent"        // path: it does not take the connection
	Failed        refusal.Code = "socket-failed"        // path, detail
	Shut          refusal.Code = "socket-shut"          // uid, path, mode: only a daemon's start mends it
	FolderShut    refusal.Code = "folder-shut"          // uid, path, folder, mode: only its owner may enter
	FolderOfGroup refusal.Code = "folder-of-group"      // uid, path, folder, mode, group
	Unreachable   refusal.Code = "socket-unreachable"   // uid, path, detail
	HungUp        refusal.Code = "daemon-hung-up"
	Gibberish     refusal.Code = "answer-unreadable" // detail

	ExportStalled refusal.Code = "export-stalled" // seconds: nothing more came for so long
	ExportCutOff  refusal.Code = "export-cut-off" // the daemon hung up before its end
)

// ErrNoDaemon says that no daemon answers on a socket.
var ErrNoDaemon = errors.New("no daemon answers")

// ErrHungUp says that the daemon went while it was spoken to.
var ErrHungUp = errors.New("the daemon hung up")

// Error says why a daemon could not be asked. It wraps ErrNoDaemon or ErrHungUp where that is so, and the error of the system.
type Error struct {
	Why *refusal.Reason
	of  []error
}

func failure(why *refusal.Reason, of ...error) *Error { return &Error{Why: why, of: of} }

// Error gives the code with its values.
func (e *Error) Error() string { return e.Why.Error() }

// Unwrap returns all that the error wraps.
func (e *Error) Unwrap() []error { return e.of }
