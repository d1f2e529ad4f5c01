package event

import "fmt"

// Draft numbers the laws and forms that this program reads and writes: records, bundles, backups, the journal's folder,
// draw, engine and score. Every change of one of them raises it, until release 0.1; FORMAT.md of package record says
// what each draft changed. A program reads its own draft alone.
const Draft = 12

// FirstDraft is the draft of a record that names none.
const FirstDraft = 1

// UnknownLaw is the error for a record, bundle, backup or journal that was made under another draft or law than this
// program's. Only the version of the program that wrote it can judge or go on with it.
type UnknownLaw struct {
	Law   string // "draft", or which law: "draw", "engine", "score"
	Made  int    // its number where it was made
	Known int    // its number in this program
}

// Error says the two numbers and the next step.
func (e *UnknownLaw) Error() string {
	const next = "use the version that wrote it"
	if e.Law == "draft" {
		return fmt.Sprintf("made under draft %d, this program reads draft %d: %s", e.Made, e.Known, next)
	}
	return fmt.Sprintf("made under law %d of the %s, this program has law %d: %s", e.Made, e.Law, e.Known, next)
}

// CheckDraft returns an *UnknownLaw for another draft than this program's, nil for its own.
func CheckDraft(draft int) error {
	if draft == Draft {
		return nil
	}
	return &UnknownLaw{Law: "draft", Made: draft, Known: Draft}
}
