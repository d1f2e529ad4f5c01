package bus

// Presence says that lines are there, or that they are not.
//
// A device that is absent is no reason for a station not to start, so a Bus that can be without its lines takes them in
// Watch and Output all the same, and looks for them until it is closed.
type Presence struct {
	// Lines are those that it is about, as they were given to Watch and Output.
	Lines []string
	// Carrier is the device that carries them when it is what went or came, with all its lines; "" when they are lines of
	// the machine itself. Whoever joins buses sets it.
	Carrier string
	// Here is set when they are there: outputs have been asked for at their safe level before anything else.
	Here bool
	// Levels are those of the inputs among them that are there again, before their next edge.
	Levels map[string]bool
	// From is the last instant at which they were seen to be there, while they are not: what they could tell may be missing
	// since then. 0 when nobody has seen them since the watch began, or when it is Mono.
	From int64
	// Mono is when that was found, in nanoseconds of the bus's monotonic clock.
	Mono int64
	// Why is the evidence while they are not there, for people; nil when they are.
	Why error
}

// PresenceSink is a Sink that wants to hear of lines that go and come. A Bus that can be without its lines looks whether
// the Sink it is given is one. It tells of the lines that are absent when the watch begins, outputs too, and of every
// change from then on; in order with the edges of these lines, and with gaps. Lines that it never told of are there.
type PresenceSink interface {
	Sink
	Presence(Presence)
}
