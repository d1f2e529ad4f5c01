package link

// FactKind says what a fact is.
type FactKind string

// The kinds of facts.
const (
	Ready     FactKind = "ready"     // the link is up, the levels are known, and outputs are safe
	Away      FactKind = "away"      // the link was up and is not: Err says why
	Edge      FactKind = "edge"      // an input changed
	Watermark FactKind = "watermark" // no edge stamped before Mono will come; it comes with a ping, never with an edge
	Gap       FactKind = "gap"       // edges are missing between From and Mono, which is 0 where it goes on
	Done      FactKind = "done"      // a command was done at Mono, or failed with Err
	Fell      FactKind = "fell"      // an output went to its safe level without a command: Why says why
)

// Fact is what a link tells. Instants are monotonic nanoseconds of the host.
type Fact struct {
	Kind        FactKind
	Pin         string // of Edge and Fell: its name on the board
	Level       bool   // of Edge: the voltage after it
	Mono, Bound int64
	From        int64
	Lost        uint64          // of Gap: how many, 0 where nobody counted
	Token       uint64          // of Done: the command's
	Levels      map[string]bool // of Ready: the voltages of all inputs, before their next edges
	Err         error
	Why         string
}

func (m *Machine) tell(f Fact) { m.facts = append(m.facts, f) }
