package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
)

// sealing is what the records say of the draw and its commitments.
type sealing struct {
	loadSeq, sealSeq int64
	load             *event.Load
	filling          *event.Filling // nil when it was not opened
	seed             *event.Seed
	nonces           *event.NonceSeed // nil when it was not opened
	commitments      map[int]committed
	openings         map[int]opened
	revealed         int64 // the seq of the reveal, 0 when there was none
}

type committed struct {
	seq  int64
	hash string
}

type opened struct {
	seq  int64
	body *event.PlacementOpening
}

// content checks what the records say of the trial itself: first the seal, by itself, then everything, by the
// engine.
func (c *checker) content() {
	s := c.gather()
	c.seal(&s)
	c.replay = c.runEngine(s.revealed > 0)
}

func (c *checker) gather() sealing {
	s := sealing{commitments: map[int]committed{}, openings: map[int]opened{}}
	for i := range c.records {
		e, seq := &c.records[i].Event, c.seqs[i]
		switch body := e.Body.(type) {
		case *event.Load:
			c.once(seq, e.Type, s.load == nil)
			s.load, s.loadSeq = body, seq
			s.filling, _ = e.Secret.(*event.Filling)
		case *event.Seed:
			c.once(seq, e.Type, s.seed == nil)
			s.seed, s.sealSeq = body, seq
			s.nonces, _ = e.Secret.(*event.NonceSeed)
		case *event.Commitment:
			_, twice := s.commitments[body.Index]
			c.once(seq, e.Type, !twice && body.Index == len(s.commitments)+1)
			s.commitments[body.Index] = committed{seq, body.Commitment}
		case *event.PlacementOpening:
			_, twice := s.openings[body.Index]
			c.once(seq, e.Type, !twice && body.Index == e.Run)
			s.openings[body.Index] = opened{seq, body}
		}
		if e.Type == event.SessionRevealed {
			s.revealed = seq
		}
	}
	return s
}

func (c *checker) once(seq int64, t event.Type, ok bool) {
	if !ok {
		c.recordProblem(seq, "%s is there twice or out of order", t)
	}
}

// seal follows the draw from the shares to the placements that were opened.
func (c *checker) seal(s *sealing) {
	if s.load == nil {
		if s.seed != nil {
			c.recordProblem(s.sealSeq, "a draw is sealed before anything was loaded")
		}
		return
	}
	b, ok := c.setUp(s)
	if !ok {
		return
	}
	var share [32]byte
	if s.filling != nil {
		share = c.filling(b, s)
	}
	if s.seed == nil {
		return
	}
	authority, ok := c.second(b, s)
	if s.nonces != nil {
		c.commitments(b, s)
	}
	if ok && s.filling != nil && s.nonces != nil && s.revealed > 0 && len(c.problems) == 0 {
		c.draw(s, blind.SessionSeed(b, share, authority))
	}
}

// setUp returns what the draw is bound to, as the public record of the loading says.
func (c *checker) setUp(s *sealing) (b blind.Binding, ok bool) {
	b = blind.Binding{Station: c.bundle.Log.Station, Epoch: c.bundle.Log.Epoch, SetUp: s.load.SetUp, PlanHash: sha256.Sum256([]byte(c.opening.Plan))}
	if hexOf(b.PlanHash) != c.opening.PlanHash {
		c.recordProblem(c.seqs[0], "the plan's hash is not that of its bytes")
	}
	var err error
	if b.LoadingHash, err = record.ParseHex32(s.load.LoadingHash); err != nil {
		c.recordProblem(s.loadSeq, "the loading's hash: %v", err)
	}
	if !blind.AreDigits(s.load.SetUp, blind.SetUpDigits) {
		c.recordProblem(s.loadSeq, "the set-up's id is not %d hexadecimal digits", blind.SetUpDigits)
	}
	for i, opening := range s.load.Openings {
		if !blind.AreDigits(opening, 64) {
			c.recordProblem(s.loadSeq, "the hash of opening %d is not 64 hexadecimal digits", i)
		}
	}
	c.bound = slices.Contains(s.load.Openings, hexOf(c.hashes[0]))
	return b, len(c.problems) == 0
}

// filling checks what lies where against its hash, and the station's share against its own.
func (c *checker) filling(b blind.Binding, s *sealing) (share [32]byte) {
	salt, err := record.ParseHex32(s.filling.Salt)
	switch {
	case err != nil || blind.LoadingHash(salt, s.filling.Loading) != b.LoadingHash:
		c.recordProblem(s.loadSeq, "the loading that was opened is not the one that its hash commits to")
	case s.load.Canisters != len(s.filling.Loading):
		c.recordProblem(s.loadSeq, "says that %d canisters were loaded, and %d were", s.load.Canisters, len(s.filling.Loading))
	}
	if share, err = record.ParseHex32(s.filling.Share); err != nil || hexOf(blind.StationHash(b, s.load.Openings, share)) != s.load.StationHash {
		c.recordProblem(s.loadSeq, "the share that was opened is not the one that the station's hash commits to")
	}
	return share
}

// second checks the second party's answer, and returns what it put into the seed.
func (c *checker) second(b blind.Binding, s *sealing) (share []byte, ok bool) {
	switch c.seed = s.seed.Source; c.seed {
	case event.TwoParty:
		hash, err := record.ParseHex32(s.load.StationHash)
		if err != nil {
			c.recordProblem(s.loadSeq, "the station's hash: %v", err)
			return nil, false
		}
		answer, err := blind.AuthorityShare(s.seed.Key, blind.Request(b, s.load.Openings, hash), s.seed.Signature)
		if err != nil {
			c.recordProblem(s.sealSeq, "the authority's answer: %v", err)
			return nil, false
		}
		if sameKey(s.seed.Key, c.bundle.Key) {
			c.recordProblem(s.sealSeq, "the authority's answer is signed with the station's own key: that is no second party")
			return nil, false
		}
		return answer[:], true
	case event.Dice:
		if dice, err := blind.CheckDice(s.seed.Dice); err != nil || dice != s.seed.Dice {
			c.recordProblem(s.sealSeq, "these dice no station takes: too few, or not written with single spaces")
			return nil, false
		}
		sum := sha256.Sum256([]byte(s.seed.Dice))
		return sum[:], true
	case event.Alone:
		return nil, true
	}
	c.recordProblem(s.sealSeq, "unknown source of the seed %.40q", s.seed.Source)
	return nil, false
}

// commitments opens every commitment with what was opened for it.
func (c *checker) commitments(b blind.Binding, s *sealing) {
	nonces, err := record.ParseHex32(s.nonces.Seed)
	if err != nil {
		c.recordProblem(s.sealSeq, "the seed of the nonces: %v", err)
		return
	}
	for index := 1; index <= len(s.commitments); index++ {
		o, ok := s.openings[index]
		switch nonce := blind.CommitmentNonce(nonces, index); {
		case !ok && s.revealed > 0:
			c.recordProblem(s.commitments[index].seq, "commitment %d was never opened, though the session was revealed", index)
		case !ok:
		case o.body.Nonce != hexOf(nonce):
			c.recordProblem(o.seq, "the nonce is not the one that the sealed seed gives for run %d", index)
		case hexOf(blind.Commit(b, index, nonce, placements(o.body))) != s.commitments[index].hash:
			c.recordProblem(o.seq, "the placement is not the one that record %d committed to", s.commitments[index].seq)
		}
	}
	for index, o := range s.openings {
		if _, ok := s.commitments[index]; !ok {
			c.recordProblem(o.seq, "opens a commitment that was never made")
		}
	}
}

// draw deals again from the seed of both parties.
func (c *checker) draw(s *sealing, seed [32]byte) {
	plan, err := blind.ParsePlan(c.opening.Name, []byte(c.opening.Plan))
	if err != nil {
		c.recordProblem(c.seqs[0], "the plan: %v", err)
		return
	}
	deal, err := blind.Draw(plan, s.filling.Loading, seed)
	if err != nil {
		c.recordProblem(s.sealSeq, "the plan cannot be dealt from this seed: %v", err)
		return
	}
	if n := len(deal.Scheduled) + len(deal.Reserve); n != len(s.commitments) {
		c.recordProblem(s.sealSeq, "the draw has %d runs, %d were committed to", n, len(s.commitments))
		return
	}
	for index := 1; index <= len(s.commitments); index++ {
		want := deal.Scheduled[min(index, len(deal.Scheduled))-1:][:1]
		if index > len(deal.Scheduled) {
			want = deal.Reserve[index-len(deal.Scheduled)-1]
		}
		if o := s.openings[index]; !slices.EqualFunc(want, o.body.Placements, func(p event.Placement, slots []event.Slot) bool {
			return slices.Equal(p.Reveal(), slots)
		}) {
			c.recordProblem(o.seq, "run %d was not placed as the seed draws it", index)
		}
	}
}

func placements(o *event.PlacementOpening) []event.Placement {
	out := make([]event.Placement, len(o.Placements))
	for i, slots := range o.Placements {
		out[i] = event.NewPlacement(slots)
	}
	return out
}

// sameKey tells whether two verifier keys are the same but for their names.
func sameKey(a, b string) bool {
	return a[strings.LastIndexByte(a, '+')+1:] == b[strings.LastIndexByte(b, '+')+1:]
}

func hexOf(hash [32]byte) string { return hex.EncodeToString(hash[:]) }
