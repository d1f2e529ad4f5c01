package uplink

import (
	"bytes"
	"fmt"
	"slices"

	"scentpost/station/health"
	"scentpost/station/record"
	"scentpost/station/uplink/wire"
)

// rivals is what is known of others who speak for this station at the broker.
type rivals struct {
	what   string         // it does, "" for no rival
	who    string         // it says that it is, "" when it says nothing
	heard  bool           // since the last Tick
	last   int64          // the instant at which it was heard last
	copied *wire.Departed // what a copy of this station reports, nil for none

	doubt     *wire.Departed  // signed by us, no longer than our log, and perhaps of another history; nil for none
	comparing bool            // doubt, or the one before it, is being compared with the journal
	askFrom   int64           // no comparison before: the last one failed
	stated    []wire.Departed // by this program, newest last: they come back
}

// statedKept is how many of the states that this program sent are known again without a look at the journal.
const statedKept = 16

// states notes what a state message says has departed.
func (r *rivals) states(d wire.Departed) {
	if r.stated = append(r.stated, d); len(r.stated) > statedKept {
		r.stated = slices.Delete(r.stated, 0, 1)
	}
}

// Trouble is one thing that stands in the way of reporting.
type Trouble struct {
	Code health.Code
	// Evidence says what was seen, for those who mend it. It never holds a password.
	Evidence string
}

// foreign notes what somebody else did in this station's name. It is told, and never acted on. What was found first stands
// until the rival is silent.
func (s *Sender) foreign(what string) {
	if s.heard = true; s.what == "" {
		s.what = what
	}
}

// hearState judges a message of the topic state. Only a checkpoint that this station's key signed proves anything: that
// more left than this journal holds, or something else.
func (s *Sender) hearState(payload []byte, kept bool) {
	state, err := wire.ParseState(payload)
	if err != nil {
		s.foreign(fmt.Sprintf("it writes to %s what no station of this version writes (%v)", s.topics.State, err))
		return
	}
	said := state.Departed
	past := slices.Contains(s.past, said.Epoch)
	switch own := said.Epoch == s.log.Epoch; {
	case past && kept, own && said.Size == 0, slices.Contains(s.rivals.stated, said):
		return // our own: just sent, or from before this epoch; or it says that nothing has departed
	case !s.signed(said):
		s.foreign(fmt.Sprintf("it reports epoch %s without a checkpoint of this station's key", said.Epoch))
	case own && said.Size == s.saved && said.Checkpoint == s.checkpoint:
	case own && said.Size <= s.size: // of this log, or of another one that began as this one did: the journal tells
		if s.doubt == nil || kept {
			s.doubt = &said
		}
	case past:
		s.foreign(fmt.Sprintf("a copy of this station, with its key, still reports epoch %s, which has ended here", said.Epoch))
	case own || !s.met:
		if s.behind == nil {
			s.behind = &said
		}
	default:
		s.copied = &said
	}
}

// compare asks for the comparison of a state with the journal. Nothing is sent before the answer: two histories of one
// epoch would be signed otherwise.
func (s *Sender) compare(now int64, out *Output) {
	if s.doubt != nil && s.behind == nil && !s.comparing && now >= s.askFrom {
		s.comparing = true
		out.Compare = s.doubt
	}
}

// Compared answers Output.Compare: same tells whether the journal's own root at that size is the signed one.
func (s *Sender) Compared(d wire.Departed, same bool) {
	s.comparing = false
	if s.doubt == nil || *s.doubt != d { // another one was heard meanwhile
		return
	}
	if s.doubt = nil; !same && s.behind == nil {
		s.behind = &d
	}
}

// CompareFailed notes at now that the journal could not tell: it is asked again, and nothing leaves before.
func (s *Sender) CompareFailed(now int64) {
	s.comparing, s.askFrom = false, now+int64(s.limits.Retry)
}

// signed tells whether this station's key signed exactly what is said to have departed.
func (s *Sender) signed(d wire.Departed) bool {
	head, err := record.VerifyCheckpoint([]byte(d.Checkpoint), s.key)
	log := record.Log{Site: s.log.Site, Station: s.log.Station, Epoch: d.Epoch}
	return err == nil && head.Origin == log.Origin() && head.Size == d.Size
}

// hearInfo learns who a rival is. With our key it is what this station said before.
func (s *Sender) hearInfo(payload []byte) {
	if bytes.Equal(payload, s.info.payload) {
		return
	}
	if info, err := wire.ParseInfo(payload); err == nil && info.Key != s.key {
		s.who = fmt.Sprintf("its key is %s, its program %s", info.Key, info.Version)
		s.foreign("it says what this station is")
	}
}

// calm forgets a rival that has been silent for long.
func (s *Sender) calm(now int64) {
	switch {
	case s.heard:
		s.heard, s.last = false, now
	case s.what != "" && now-s.last >= int64(s.limits.RivalFor):
		s.what, s.who = "", ""
	}
}

// Troubles returns what stands in the way as far as the sender can tell, in a fixed order.
func (s *Sender) Troubles() []Trouble {
	var found []Trouble
	switch {
	case s.copied != nil:
		found = append(found, Trouble{health.Rival, fmt.Sprintf(
			"a copy of this station, with its key, reports epoch %s: nothing is sent until a person decides which one goes on", s.copied.Epoch)})
	case s.what != "" && s.who != "":
		found = append(found, Trouble{health.Rival, s.what + "; " + s.who})
	case s.what != "":
		found = append(found, Trouble{health.Rival, s.what})
	}
	if s.refusals >= Sends {
		found = append(found, Trouble{health.BrokerSize, fmt.Sprintf("the broker ended the connection at a message of %d bytes on %s, and again after it",
			s.refused.bytes+len(s.refused.topic)+publishHeader, s.refused.topic)})
	}
	if s.misses >= Sends {
		found = append(found, Trouble{health.BrokerUndelivered, fmt.Sprintf(
			"record %d, a message of %d bytes on %s, was acknowledged %d times and did not come back", s.acked, s.missed, s.topics.Journal, Sends)})
	}
	return found
}

// publishHeader is how much MQTT adds to topic and payload of a message below 2 MB, in bytes.
const publishHeader = 8
