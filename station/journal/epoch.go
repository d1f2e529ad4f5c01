package journal

import "fmt"

// maxEpochID is the longest epoch id in bytes; it is part of a file's name.
const maxEpochID = 64

// checkEpochID refuses an id that could not be part of a file's name.
func checkEpochID(id string) error {
	ok := id != "" && len(id) <= maxEpochID
	for _, c := range []byte(id) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return fmt.Errorf("journal: epoch id %q, want 1 to %d of a-z, 0-9 and '-'", id, maxEpochID)
	}
	return nil
}
