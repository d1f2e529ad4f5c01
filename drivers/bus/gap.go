package bus

// Gap says that edges are missing: they were counted and never came, or nobody could watch.
//
// All that is missing lies between From and To. A gap shorter than a line's settling time hides no change of it that
// lasted. A gap can concern a canister's limit switch: like every edge of one it is secret.
type Gap struct {
	Source string
	// Lines are those whose edges may be missing.
	Lines []string
	// Lost counts the edges that were numbered and did not come, by which Edge.Seq has jumped; 0 when nothing
	// counted.
	Lost uint64
	// From and To are monotonic; a To of 0 says that it goes on, and another Gap comes at its end.
	From, To int64
	// Why says what happened, for a log.
	Why string
}

// GapSink is a Sink that wants to hear of gaps, in order with the edges around them. A Bus that can find gaps
// looks whether the Sink it is given is one.
type GapSink interface {
	Sink
	Gap(Gap)
}
