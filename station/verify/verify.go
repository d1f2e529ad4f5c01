// Package verify checks a session's bundle again: the log, the signatures, the openings, the draw, the engine and the
// score.
//
// It needs nothing but the bundle and, to know who signed, a key from somewhere else. It believes no member of the
// bundle for itself: each is held against the records, and the records against the signed checkpoints.
package verify

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/record"
	"scentpost/station/trial"
)

// Options are what the verifying person knows from elsewhere than the bundle.
type Options struct {
	// Keys are verifier keys (record.NewKey) of stations, one of which must have signed the log, and Authorities those of second
	// parties, one of which must have signed the station's request where one was answered. A key counts in its role alone.
	Keys, Authorities []string
	// Checkpoints are signed notes kept by somebody else since they were made, on paper for one.
	Checkpoints []string
	// Limits bound what the bundle may unpack to; zero means record.DefaultLimits.
	Limits record.Limits
}

// Values of Report.Signer, Report.SecondParty and Report.Witness.
const (
	Pinned  = "pinned"  // one of Options.Keys signs the checkpoints, or one of Options.Authorities the request
	Unknown = "unknown" // nobody has said whose key it is

	WitnessPaper = "paper" // a checkpoint from elsewhere agrees
	WitnessNone  = "none"
)

// ReplayChecked is the Report.Replay of a session over which engine and score were run again.
const ReplayChecked = "checked"

// Report is what was found.
type Report struct {
	// Unjudged is an *event.UnknownLaw where the bundle was made under another draft or law than this program's, else nil.
	// Nothing else of the report is filled in then, and there is no verdict.
	Unjudged error `json:"-"`
	// Consistent is set when there are no problems.
	Consistent bool   `json:"consistent"`
	Signer     string `json:"signer"`
	// Seed says who chose the draw (event.SeedSource), "" when the session was never sealed.
	Seed string `json:"seed"`
	// SecondParty is Pinned or Unknown where an authority signed its share, else "": who holds the station may hold an
	// unknown key as well, and has then chosen the draw alone.
	SecondParty string `json:"second_party"`
	// Authority is the verifier key that signed the authority's share, "" when none did.
	Authority string `json:"authority"`
	// OpeningBound is set when the draw commits to this session's opening: plan, rule, team, people and settings cannot be others
	// than those that the second party answered for. Without it only a witness before the first run binds them.
	OpeningBound bool   `json:"opening_bound"`
	Witness      string `json:"witness"`
	// Witnessed is how many records of the log the latest witness has held; nobody else vouches for those behind them.
	Witnessed int64 `json:"witnessed,string"`
	// BeforeFirstRun is set when a witness had every commitment before the first run was armed.
	BeforeFirstRun bool `json:"before_first_run"`
	Simulated      bool `json:"simulated"`
	// Replay is ReplayChecked, or "not checked: " and why.
	Replay  string `json:"replay"`
	Site    string `json:"site"`
	Station string `json:"station"`
	Epoch   string `json:"epoch"`
	Session string `json:"session"`
	From    int64  `json:"from"`
	Records int    `json:"records"`
	// UTC says in words what the UTC of the session is worth, with the name behind a reference where the bundle has it.
	UTC string `json:"utc"`
	// Key is the verifier key that the bundle names.
	Key string `json:"key"`
	// Result is what the records say in short, made from them and not read from the bundle's report.
	Result   history.Session `json:"result"`
	Problems []record.Fault  `json:"problems"`
}

// maxProblems bounds the list: after so many the rest is counted.
const maxProblems = 50

// Verify checks the bundle, a zip. It never fails: what is wrong with it stands in the report.
func Verify(bundle []byte, o Options) Report {
	limits := o.Limits
	if limits == (record.Limits{}) {
		limits = record.DefaultLimits()
	}
	members, err := record.ReadZip(bundle, limits)
	if err != nil {
		c := checker{options: o}
		if c.drafted(record.PeekZip(bundle, limits)) != nil {
			return c.report()
		}
		if members, repacked, _ := record.Repack(bundle, limits); repacked != nil {
			if c.drafted(members) == nil {
				c.unjudged = repacked
			}
			return c.report()
		}
		c.problem("", -1, "%v", err)
		if f, ok := err.(*record.Fault); ok {
			c.problems[0] = *f
		}
		return c.report()
	}
	return Members(members, o)
}

// Members is Verify over the members of a bundle, unpacked by record.ReadZip or by somebody else.
func Members(members []record.Member, o Options) Report {
	c := checker{options: o}
	if c.drafted(members) == nil {
		c.bundle, c.problems = record.Parse(members)
		c.run()
	}
	return c.report()
}

// checker holds what has been found so far.
type checker struct {
	options Options
	bundle  record.Bundle

	records []record.Record // zero where a line could not be read
	read    []bool          // whether it could
	hashes  []tlog.Hash     // the leaf hashes of the lines
	seqs    []int64         // their places in the log
	opening *event.Opening

	signed         bool // every checkpoint is signed by the bundle's key
	replay         string
	witness        string
	beforeFirstRun bool
	witnessed      int64
	authority      string // the verifier key that signed a share, "" when none did
	seed           event.SeedSource
	bound          bool // the station's hash commits to the opening
	result         history.Session

	problems []record.Fault
	dropped  int
	unjudged error // see Report.Unjudged
}

// drafted notes the draft of another program, in which nothing else is as it is here. A number below 1 is no draft.
func (c *checker) drafted(members []record.Member) error {
	if draft, ok := record.DraftOf(members); ok && draft >= event.FirstDraft {
		c.unjudged = event.CheckDraft(draft)
	}
	return c.unjudged
}

// run goes from the form to the content. Each step needs what the ones before it have shown.
func (c *checker) run() {
	if c.evidence() && c.lawful() {
		c.content()
	}
}

// lawful tells whether the session was made under laws that this program has. A law that there never was is a problem.
func (c *checker) lawful() bool {
	known := trial.Laws()
	for _, law := range []struct {
		name        string
		made, known int
	}{
		{"draw", c.opening.Laws.Draw, known.Draw},
		{"engine", c.opening.Laws.Engine, known.Engine},
		{"score", c.opening.Laws.Score, known.Score},
	} {
		switch {
		case law.made < 1:
			c.recordProblem(c.seqs[0], "law %d of the %s: there never was one", law.made, law.name)
		case law.made != law.known && c.unjudged == nil:
			c.unjudged = &event.UnknownLaw{Law: law.name, Made: law.made, Known: law.known}
		}
	}
	return c.unjudged == nil
}

// evidence checks who signed what, when, and that all that was sealed is open. It tells whether the content can be read.
func (c *checker) evidence() bool {
	c.replay = "not checked: the log does not hold"
	if len(c.bundle.Lines) == 0 || len(c.bundle.Gaps) == 0 || c.bundle.Log.Check() != nil {
		return false
	}
	c.lines()
	if !c.log() {
		return false
	}
	c.epoch()
	c.people()
	c.pinned()
	c.witnesses()
	if len(c.problems) > 0 {
		return false
	}
	c.reportMember()
	c.openings()
	if len(c.problems) > 0 {
		return false
	}
	c.clock()
	c.ending()
	return true
}

// first returns the place of the session's first record in the log, 0 where the bundle does not say.
func (c *checker) first() int64 {
	if len(c.seqs) == 0 {
		return 0
	}
	return c.seqs[0]
}

func (c *checker) problem(member string, seq int64, format string, args ...any) {
	if len(c.problems) >= maxProblems {
		c.dropped++
		return
	}
	c.problems = append(c.problems, record.Fault{Member: member, Seq: seq, What: fmt.Sprintf(format, args...)})
}

// recordProblem names a record.
func (c *checker) recordProblem(seq int64, format string, args ...any) {
	c.problem(record.MemberRecords, seq, format, args...)
}

func (c *checker) report() Report {
	if c.unjudged != nil && len(c.problems) == 0 {
		return Report{Unjudged: c.unjudged, Problems: []record.Fault{}}
	}
	if c.dropped > 0 {
		c.problems = append(c.problems, record.Fault{Seq: -1, What: fmt.Sprintf("and %d more problems", c.dropped)})
	}
	b := &c.bundle
	r := Report{
		Consistent: len(c.problems) == 0, Signer: Unknown, Seed: string(c.seed), OpeningBound: c.bound, Witness: WitnessNone,
		BeforeFirstRun: c.beforeFirstRun, Simulated: c.simulated(), Replay: c.replay,
		Site: b.Log.Site, Station: b.Log.Station, Epoch: b.Log.Epoch, Session: b.Session, From: c.first(),
		Records: len(b.Lines), Key: b.Key, Result: c.result, Problems: c.problems,
	}
	if r.Session != "" {
		r.UTC = c.result.Clock.Text(c.nameOf)
	}
	if r.Problems == nil {
		r.Problems = []record.Fault{}
	}
	if c.witness != "" {
		r.Witness = c.witness
	}
	if c.signed && slices.Contains(c.options.Keys, b.Key) {
		r.Signer = Pinned
	}
	if r.Authority, r.Witnessed = c.authority, c.witnessed; r.Authority != "" {
		r.SecondParty = Unknown
		if slices.Contains(c.options.Authorities, r.Authority) {
			r.SecondParty = Pinned
		}
	}
	return r
}

// nameOf returns the name behind a reference, the reference itself where the bundle does not have it.
func (c *checker) nameOf(ref string) string {
	for _, id := range c.bundle.Identities {
		if id.Ref == ref {
			return id.Name
		}
	}
	return ref
}

// simulated tells whether anything in the bundle says that it comes from a simulation.
func (c *checker) simulated() bool {
	if record.IsSimulated(c.bundle.Key) || (c.opening != nil && c.opening.Simulated) {
		return true
	}
	for i := range c.records {
		if c.records[i].Event.At.Quality == event.Simulated {
			return true
		}
	}
	return false
}
