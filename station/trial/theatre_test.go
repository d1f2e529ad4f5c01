package trial_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

const smallPlan = `plan: Small
form: lineup
presentation: actuated
mode: double
positions: 3
runs: 2
reserve: 2
loading: {each_position: [tnt, glove, blank]}
targets: {odours: [tnt], per_run: 0..1}
distractors: {odours: [glove], per_run: 0..1}
calls: first-ends
limits: {run: 40s, dwell: 3s}
purge: 5s
feedback: none
reward: none
inconclusive: wrong
`

var usual = event.Settings{LeadMS: 2000, TravelMS: 1500, CloseMS: 1500, GridMS: 1000, WithdrawMS: 3000, LongPress: 1000, EdgeBudget: 20, OpenMS: 120_000}

// theatre performs what a stage asks for: every canister moves as told, and time goes when the script says so. It decides
// nothing. Its journal makes all durable at once, unless it is held.
type theatre struct {
	t       testing.TB
	stage   *trial.Stage
	now     event.Stamp
	records []event.Event
	sealed  []int // the records whose bodies are not open yet
	sources []source
	held    bool // the journal stalls
	kept    int  // the records that were durable when it began to
	parked  []trial.Effect
	open    bool            // a canister may be open
	moves   int             // runs whose canisters were asked to move
	refused *refusal.Reason // of the last command
	lights  []string
	points  []trial.Point // checkpoints
	airs    []string      // the sensors of the air
	airing  int64         // until when the air is being changed, 0 while it is not
	sounded bool          // something may be heard
	heard   []string      // every sound, and every purge with its length
	silent  []string      // the sources that had not reported at each lock
	eager   int64         // how often the stage is asked without need, 0 for never
}

func newTheatre(t testing.TB) *theatre {
	now := event.Stamp{Boot: "b1", Mono: 1e9, UTC: 1_795_468_123e9, Quality: event.Simulated}
	return &theatre{t: t, stage: trial.NewStage("line-1", "e1", now), now: now}
}

// ready returns a theatre with a sealed session of the small plan, changed by pairs of old and new text.
func ready(t testing.TB, changes ...string) *theatre {
	s := newTheatre(t)
	s.prepare(strings.NewReplacer(changes...).Replace(smallPlan), usual)
	if v := s.stage.View(); v.Phase != trial.Sealed {
		t.Fatalf("the session is %s: %v", v.Phase, s.refused)
	}
	return s
}

func openingOf(src string, set event.Settings) *event.Opening {
	plan, err := blind.ParsePlan("small.yaml", []byte(src))
	mode := event.ModeDouble
	if err == nil {
		mode = plan.Mode
	}
	hash := sha256.Sum256([]byte(src))
	return &event.Opening{Name: "small.yaml", Plan: src, PlanHash: hex.EncodeToString(hash[:]), Mode: mode,
		Team: event.Team{Dog: "p-d", Handler: "p-h"}, Beams: []int{1, 2, 3}, Settings: set, Simulated: true,
		Draft: event.Draft, Laws: trial.Laws()}
}

func (s *theatre) prepare(src string, set event.Settings) {
	opening := openingOf(src, set)
	s.command(event.Event{Type: event.SessionOpened, Session: "s1", By: "p-a", Body: opening})
	own, b := s.stage.Loading()
	b.SetUp = "0123456789abcdef"
	_, load, filling := blind.Load(b, []string{strings.Repeat("0", 64)}, own, [32]byte{7}, [32]byte{8})
	s.command(event.Event{Type: event.SessionLoaded, By: "p-l", Body: load, Secret: filling})
	s.command(event.Event{Type: event.SessionSealed, By: "p-a", Body: &event.Seed{Source: event.Dice, Dice: "1 2 3"},
		Secret: &event.NonceSeed{Seed: strings.Repeat("05", 32)}})
}

// command gives a command now.
func (s *theatre) command(e event.Event) {
	s.do(s.stage.Fire(s.now))
	var effects []trial.Effect
	effects, s.refused = s.stage.Command(s.now, e)
	s.do(effects)
}

// fact tells what a device says, stamped now unless it has a stamp.
func (s *theatre) fact(e event.Event) {
	if e.At.Boot == "" {
		e.At = s.now
	}
	s.do(s.stage.Fire(s.now))
	s.do(s.stage.Fact(s.now, e))
}

// do performs effects.
func (s *theatre) do(effects []trial.Effect) {
	for i := range effects {
		switch effect := effects[i]; effect.Kind {
		case trial.Record:
			if event.IsSealed(effect.Event.Type) {
				s.sealed = append(s.sealed, len(s.records))
			}
			s.records = append(s.records, effect.Event)
		case trial.Open:
			s.openBodies(effect)
		case trial.Hush:
			s.sounded = false
		case trial.CloseAll:
			s.open, s.sounded, s.airing = false, false, 0
		case trial.Checkpoint:
			s.points = append(s.points, trial.Point{Size: int64(len(s.records)), Why: effect.Name})
		case trial.Heard:
			s.silent = append(s.silent, strings.Join(effect.Silent, "+"))
		case trial.Sample: // the last one
			var air []event.Air
			for _, device := range s.airs {
				air = append(air, event.Air{Device: device})
			}
			s.do(s.stage.Sampled(air))
		default:
			if !effect.Waits() {
				s.t.Fatalf("effect %d does not wait", effect.Kind)
			}
			if effect.Kind == trial.Move {
				s.moves++
			}
			s.parked = append(s.parked, effect)
		}
	}
	if !s.held {
		s.durable()
	}
}

func (s *theatre) openBodies(effect trial.Effect) {
	var kept []int
	for _, of := range s.sealed {
		e := effect.Event
		if e.Run = s.records[of].Run; effect.Run != 0 && e.Run != effect.Run {
			kept = append(kept, of)
			continue
		}
		e.Body = &event.OpenedBody{Of: int64(of)}
		s.records = append(s.records, e)
	}
	s.sealed = kept
}

// durable lets out what waits for the journal.
func (s *theatre) durable() {
	parked := s.parked
	s.parked = nil
	for i := range parked {
		e := &parked[i]
		may, instead := s.stage.Release(s.now, e)
		s.do(instead)
		if !may {
			continue
		}
		switch e.Kind {
		case trial.Move:
			s.move(e)
		case trial.Purge:
			s.airing = e.At
			s.heard = append(s.heard, fmt.Sprint("purge ", time.Duration(e.At-s.now.Mono)))
		case trial.Sound:
			s.sounded = true
			s.heard = append(s.heard, "sound "+e.Name)
		case trial.Light:
			s.lights = append(s.lights, fmt.Sprint(e.Name, " ", e.On))
		}
	}
}

// move opens the canisters of a run, which say so.
func (s *theatre) move(e *trial.Effect) {
	s.open = true
	for _, m := range e.Moves {
		s.fact(event.Event{Type: event.CanisterMoved, Body: &event.Handling{Position: m.Position},
			Secret: &event.Moves{Canister: m.Canister, Open: true, Commanded: e.At, Confirmed: e.At + 1e6}})
	}
}

// pass lets time go by and fires the timers that come due.
func (s *theatre) pass(d time.Duration) {
	until := s.now.Mono + int64(d)
	for {
		next, ok := s.stage.Next(s.now.Mono)
		if early := s.now.Mono + s.eager; s.eager > 0 && early <= until && (!ok || early < next) {
			next, ok = early, true
		}
		if !ok || next > until {
			break
		}
		s.now = s.now.AtMono(max(next, s.now.Mono))
		s.do(s.stage.Fire(s.now))
	}
	s.now = s.now.AtMono(until)
	s.do(s.stage.Fire(s.now))
}

// source is where facts come from.
type source struct {
	name     string
	lateness time.Duration
	veiled   bool
}

// restart puts a new stage in the place of the one that was killed, from the records alone that were durable.
func (s *theatre) restart(cause event.Cause, config string) {
	s.t.Helper()
	if s.held {
		s.forget(s.kept)
	}
	s.held, s.parked, s.open, s.sounded, s.airing = false, nil, false, false, 0
	s.stage = trial.NewStage("line-1", "e1", s.now)
	for _, from := range s.sources {
		s.stage.Source(from.name, from.lateness, from.veiled)
	}
	player := s.stage.Player()
	s.playAgain(player)
	s.sealed = nil
	for _, seq := range player.Sealed() {
		s.sealed = append(s.sealed, int(seq))
	}
	last := s.records[len(s.records)-1].At
	s.do(s.stage.Resume(s.now, trial.Back{Last: last, Cause: cause, Config: config}))
}

// forget loses the records from one on.
func (s *theatre) forget(from int) {
	s.records = s.records[:from]
	s.points = slices.DeleteFunc(s.points, func(p trial.Point) bool { return p.Size > int64(from) })
	s.moves = 0
	for _, e := range s.records {
		if e.Type == event.RunArmed {
			s.moves++
		}
	}
}

// play runs a script: commands with ";" between them. A duration lets time pass. "ago D" before a fact stamps it D
// earlier, "about D" gives its stamp a bound.
func (s *theatre) play(script string) {
	s.t.Helper()
	for _, command := range strings.Split(script, ";") {
		words := strings.Fields(command)
		if len(words) == 0 {
			continue
		}
		if d, err := time.ParseDuration(words[0]); err == nil {
			s.pass(d)
			continue
		}
		at := s.now
		for len(words) > 2 && (words[0] == "ago" || words[0] == "about") {
			d, err := time.ParseDuration(words[1])
			if err != nil {
				s.t.Fatal(err)
			}
			if words[0] == "ago" {
				at = at.Add(-d)
			} else {
				at.Bound = int64(d)
			}
			words = words[2:]
		}
		s.word(at, words[0], words[1:])
	}
}

// plain are the commands of one word without a body.
var plain = map[string]event.Type{
	"arm": event.RunArmed, "start": event.RunStarted, "finish": event.RunFinished, "resume": event.SessionResumed,
}

func (s *theatre) word(at event.Stamp, word string, rest []string) {
	s.t.Helper()
	number := func(i int) int {
		if i >= len(rest) {
			return 0
		}
		n, _ := strconv.Atoi(rest[i])
		return n
	}
	reason := &event.Why{Reason: strings.Join(rest, " ")}
	e := event.Event{At: at, By: "p-a", Type: plain[word]}
	called := func(kind event.CallKind) {
		e.Type = event.CallMade
		e.Body = &event.Call{Kind: kind, Position: number(0), Other: number(1), MadeBy: "p-h", EnteredBy: "p-a", Means: event.ByVoice}
	}
	switch word {
	case "arm", "start", "finish", "resume":
	case "call":
		called(event.CallAt)
	case "clear":
		called(event.CallClear)
	case "between":
		called(event.CallBetween)
	case "nowhere":
		called(event.CallNowhere)
	case "withdraw":
		e.Type, e.Body = event.CallWithdrawn, reason
	case "pause":
		e.Type, e.Body = event.SessionPaused, reason
	case "abort":
		e.Type, e.Body = event.SessionAborted, reason
	case "close":
		out := s.stage.View().Aids
		e.Type, e.Body = event.SessionClosed, &event.AidCount{Out: out, Back: out}
	case "void":
		e.Type, e.Body = event.RunVoided, &event.Void{Why: *reason}
	case "trouble": // the station's own
		e.Type, e.By, e.Body = event.RunVoided, event.ByStation, &event.Void{Why: event.Why{Cause: event.Cause(reason.Reason)}}
	case "observe":
		e.Type, e.Body = event.Observed, &event.Observation{What: "hesitation", Position: number(0)}
	default:
		s.device(e, word, rest, number)
		return
	}
	if e.At == s.now && e.By != event.ByStation {
		s.command(e)
		return
	}
	s.fact(e)
}

func (s *theatre) device(e event.Event, word string, rest []string, number func(int) int) {
	s.t.Helper()
	loss := &event.Loss{Lost: int64(number(0)), From: e.At.Mono, To: s.now.Mono, Why: "the buffer was full"}
	switch word {
	case "beam", "left":
		e.Type, e.By, e.Body = event.BeamEntered, "beam-"+rest[0], &event.Beam{Position: number(0)}
		if word == "left" {
			e.Type = event.BeamLeft
		}
	case "press":
		e.Type, e.By, e.Body = event.ButtonPressed, "button", &event.Press{Role: event.ButtonRole(rest[0]), HeldMS: 200}
		switch rest[0] {
		case "long":
			e.Body = &event.Press{Role: event.ButtonAlert, HeldMS: 1500}
		case "clear":
			e.Body = &event.Press{Role: event.ButtonClear, HeldMS: 200}
		}
	case "edges":
		for range number(1) {
			s.fact(event.Event{Type: event.Edge, At: e.At, By: rest[0], Body: &event.RawEdge{Device: rest[0]}})
		}
		return
	case "lose": // edges of beams or buttons, since the stamp
		e.Type, e.At, e.By, e.Body, e.Secret = event.EdgesLost, s.now, event.ByStation, &event.LostEdges{Source: "gpio"}, loss
	case "noise": // edges that a limit switch may have made lost, since the stamp
		e.Type, e.At, e.By, e.Body, e.Secret = event.EdgesLost, s.now, event.ByStation, &event.LostEdges{}, loss
	case "jam":
		e.Type, e.Body = event.CanisterMoved, &event.Handling{Position: number(0)}
		e.Secret = &event.Moves{Canister: "9Z", Fault: "jammed"}
	case "restart":
		s.restart(event.Cause(strings.Join(rest, " ")), "")
		return
	case "reboot": // a second after the kernel began
		s.now.Boot, s.now.Mono, s.now.UTC = s.now.Boot+"+", 1e9, s.now.UTC+60e9
		s.restart(event.CauseRestart, "")
		return
	default:
		s.station(word, rest, number)
		return
	}
	s.fact(e)
}

// station are the words for clock, sources and journal.
func (s *theatre) station(word string, rest []string, number func(int) int) {
	s.t.Helper()
	switch word {
	case "say":
		s.command(event.Event{Type: event.ClockSaid, By: "p-a", Body: &event.TimeSaid{Said: rest[0]}})
		return
	case "clock":
		s.now.UTC += int64(number(0)) * 1e6
		s.do(s.stage.Look(s.now))
	case "quality":
		s.now.Quality = event.Quality(rest[0])
		s.do(s.stage.Look(s.now))
	case "source", "veiled":
		d, err := time.ParseDuration(rest[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.sources = append(s.sources, source{rest[0], d, word == "veiled"})
		s.stage.Source(rest[0], d, word == "veiled")
	case "mark":
		s.stage.Mark(rest[0], s.now.Mono)
	case "drop":
		s.do(s.stage.Fire(s.now))
		s.do(s.stage.Dropped(s.now))
	case "hold":
		s.held, s.kept = true, len(s.records)
	case "release":
		s.held = false
		s.do(s.stage.Fire(s.now))
		s.durable()
	case "stall": // the owner of the stage does not look
		d, err := time.ParseDuration(rest[0])
		if err != nil {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(d)
	default:
		s.t.Fatalf("no such word: %s", word)
	}
}

// story tells the records that decide something, in short words.
func (s *theatre) story(from int) string {
	var words []string
	for _, e := range s.records[from:] {
		if w := tell(e); w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", ")
}

func tell(e event.Event) string {
	switch b := e.Body.(type) {
	case *event.Arming:
		return fmt.Sprintf("armed %d", e.Run)
	case *event.Air:
		return "air of " + b.Device
	case *event.Call:
		kind := string(b.Kind)
		if b.Kind == event.CallAt {
			kind = strconv.Itoa(b.Position)
		}
		return map[event.Type]string{event.CallMade: "call ", event.CallClaimed: "claim "}[e.Type] + kind
	case *event.Lock:
		if b.Inconclusive {
			return "lock? " + string(b.Reason)
		}
		return "lock " + string(b.Reason)
	case *event.Void:
		return "void " + b.String()
	case *event.Refusal:
		return "refused"
	case *event.Lateness:
		return "late " + string(b.Type)
	case *event.Why:
		return strings.TrimPrefix(string(e.Type), "session.") + " " + b.String()
	case *event.End:
		return "ended " + string(b.How)
	case *event.EdgeSum:
		return "edges summed"
	case *event.LostEdges:
		return "edges of " + b.Source + " lost"
	case *event.TimeSaid:
		return "said " + b.Said
	case *event.Shown:
		return fmt.Sprint("shown to ", b.To)
	case *event.PlacementOpening:
		return fmt.Sprintf("opened %d", b.Index)
	}
	switch e.Type {
	case event.RunPresented:
		return "presented"
	case event.RunStarted:
		return "started"
	case event.RunFinished:
		return "finished"
	case event.RunPurged:
		return "purged"
	case event.SessionClosed:
		return "closed"
	case event.SessionRestarted:
		return "restarted"
	}
	return ""
}
