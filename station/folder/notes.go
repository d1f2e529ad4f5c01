package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"scentpost/station/durable"
	"scentpost/station/event"
)

// NextConnection counts a connection to the broker, durably, and returns its number from 1.
func (f Folder) NextConnection() (int64, error) {
	text, err := os.ReadFile(f.Connections())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("count the connections: %w", err)
	}
	var n int64
	if len(text) > 0 {
		if n, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil || n < 0 {
			return 0, fmt.Errorf("%s does not hold a count: write into it a number higher than any that the broker saw", f.Connections())
		}
	}
	n++
	return n, durable.Replace(f.Connections(), []byte(strconv.FormatInt(n, 10)+"\n"))
}

// LeaveCause leaves word for the next start why the daemon stops.
func (f Folder) LeaveCause(cause event.Cause) error {
	return durable.Replace(f.Cause(), []byte(cause+"\n"))
}

// TakeCause returns why the daemon stopped the last time, and forgets it: a start like any other, unless it left word of its
// journal.
func (f Folder) TakeCause() event.Cause {
	text, err := os.ReadFile(f.Cause())
	if err != nil {
		return event.CauseRestart
	}
	_ = os.Remove(f.Cause())
	if strings.TrimSpace(string(text)) == string(event.CauseJournal) {
		return event.CauseJournal
	}
	return event.CauseRestart
}
