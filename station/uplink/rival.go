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
// more left than this journal holds.
func (s *Sender) hearState(payload []byte, kept bool) {
	state, err := wire.ParseState(payload)
	if err != nil {
		s.foreign(fmt.Sprintf("it writes to %s what no station of this version writes (%v)", s.topics.State, err))
		return
	}
	said := state.Departed
	past := slices.Contains(s.past, said.Epoch)
	switch own := said.Epoch == s.log.Epoch; {
	case own && said.Size <= s.saved && !kept, past && kept, own && said.Size == 0:
		return // our own: just sent, or from before this epoch; or it says that nothing has departed
	case !s.signed(said):
		s.foreign(fmt.Sprintf("it reports epoch %s without a checkpoint of this station's key", said.Epoch))
	case own && said.Size <= s.size:
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
