package journal

// Trace tells one journal from another by its list of epochs, of which no database is opened.
type Trace struct {
	// First is the id of the first epoch of this draft, "" before there is one.
	First string
	// Restored is set from a restore to the first start after it.
	Restored bool
}

// TraceOf returns the trace of the journal in a folder, the zero value when there is none. The error is a
// condition, or an *event.UnknownLaw for a journal of another draft.
func TraceOf(dir string) (Trace, error) {
	m, _, err := epochsOf(dir)
	if err != nil || len(m.Epochs) == 0 {
		return Trace{}, err
	}
	return Trace{First: m.Epochs[0].ID, Restored: m.Restored != nil}, nil
}
