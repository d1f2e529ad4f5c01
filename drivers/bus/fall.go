package bus

// Fall says that an output went to its safe level without a command: its longest time was over, or what carries it heard
// nothing for too long.
type Fall struct {
	Line        string
	Mono, Bound int64
	// Why is for people. It can concern a canister: like every fault of one it is secret.
	Why error
}

// FallSink is a Sink that wants to hear of outputs that fall by themselves. A Bus whose outputs can looks whether the Sink
// it is given is one.
type FallSink interface {
	Sink
	Fall(Fall)
}
