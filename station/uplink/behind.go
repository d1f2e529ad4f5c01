package uplink

import (
	"slices"

	"scentpost/station/uplink/wire"
)

// behind tells whether the journal of epoch, with size records, is behind what has departed: it has lost its tail or was
// restored, and may never send under that epoch again. past are the epochs known to have ended for ever: whatever
// departed under them ends nothing more. An unknown epoch means that this journal was restored from before that epoch
// began, or that another station bears the same name.
func behind(departed wire.Departed, epoch string, size int64, past []string) bool {
	switch departed.Epoch {
	case "":
		return false
	case epoch:
		return departed.Size > size
	}
	return !slices.Contains(past, departed.Epoch)
}
