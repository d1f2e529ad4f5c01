package trial_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/score"
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

// stage is a host for the engine alone: no journal, every canister moves as told, time goes when the script says so.
type stage struct {
	t       testing.TB
	machine *trial.Machine
	curtain trial.Curtain
	horizon trial.Horizon
	now     event.Stamp
	records []event.Event
	open    bool // a canister may be open
	moves   int  // runs whose canisters were moved
	lights  []string
	points  []string // checkpoints
	airs    []string // the sensors of the air
	airing  int64    // until when the air is being changed, 0 while it is not
	sounded bool     // something may be heard
	heard   []string // every sound, and every purge with its length
}

func newStage(t testing.TB) *stage {
	return &stage{t: t, machine: trial.New("line-1", "e1"),
		now: event.Stamp{Boot: "b1", Mono: 1e9, UTC: 1_795_468_123e9, Quality: event.Simulated}}
}

// ready returns a stage with a sealed session of the small plan, changed by pairs of old and new text.
func ready(t testing.TB, changes ...string) *stage {
	s := newStage(t)
	s.prepare(strings.NewReplacer(changes...).Replace(smallPlan), usual)
	if v := s.machine.View(); v.Phase != trial.Sealed {
		t.Fatalf("the session is %s: %s", v.Phase, s.machine.Refusal())
	}
	return s
}

func openingOf(src string, set event.Settings) *event.Opening {
	plan, err := blind.ParsePlan("small.yaml", []byte(src))
	mode := "double"
	if err == nil {
		mode = plan.Mode
	}
	hash := sha256.Sum256([]byte(src))
	return &event.Opening{Name: "small.yaml", Plan: src, PlanHash: hex.EncodeToString(hash[:]), Mode: mode,
		Team: event.Team{Dog: "p-d", Handler: "p-h"}, Beams: []int{1, 2, 3}, Settings: set, Simulated: true,
		Laws: event.Laws{Draw: blind.DrawLaw, Engine: trial.Law, Score: score.Law}}
}

func (s *stage) prepare(src string, set event.Settings) {
	opening := openingOf(src, set)
	s.step(event.Event{Type: event.SessionOpened, Session: "s1", By: "p-a", Body: opening})
	own, b := s.machine.Loading()
	b.LoadingHash = blind.LoadingHash(own)
	share := [32]byte{7}
	station := blind.StationHash(b, share)
	s.step(event.Event{Type: event.SessionLoaded, By: "p-l", Secret: &event.StationShare{Share: hex.EncodeToString(share[:])},
		Body: &event.Load{Loading: own, LoadingHash: hex.EncodeToString(b.LoadingHash[:]), StationHash: hex.EncodeToString(station[:])}})
	s.step(event.Event{Type: event.SessionSealed, By: "p-a", Body: &event.Seed{Source: event.Dice, Dice: "1 2 3"},
		Secret: &event.NonceSeed{Seed: strings.Repeat("05", 32)}})
}

// step does what a host does with the engine's effects. An event without a stamp happens now.
func (s *stage) step(e event.Event) {
	if e.At.Boot == "" {
		bound := e.At.Bound
		e.At = s.now
		e.At.Bound = bound
	}
	sample := false
	for _, effect := range s.machine.Step(e) {
		switch effect.Kind {
		case trial.Purge:
			s.airing = effect.At
			s.heard = append(s.heard, fmt.Sprint("purge ", time.Duration(effect.At-s.now.Mono)))
		case trial.Sound:
			s.sounded = true
			s.heard = append(s.heard, "sound "+effect.Name)
		case trial.Hush:
			s.sounded = false
		case trial.Sample:
			sample = true
		case trial.Record:
			s.records = append(s.records, effect.Event)
		case trial.Move:
			s.open, s.moves = true, s.moves+1
			s.curtain.Begin(effect.Run, effect.Moves)
			for _, m := range effect.Moves {
				s.curtain.Report(m.Position, event.Moves{Canister: m.Canister, Open: true, Commanded: effect.At, Confirmed: effect.At + 1e6})
			}
		case trial.CloseAll:
			s.open, s.sounded, s.airing = false, false, 0
			s.curtain.Close()
		case trial.SetTimer:
			s.horizon.Set(effect.Timer, effect.At)
		case trial.StopTimers:
			s.horizon.Clear()
		case trial.Light:
			s.lights = append(s.lights, fmt.Sprint(effect.Name, " ", effect.On))
		case trial.Checkpoint:
			s.points = append(s.points, effect.Name)
		}
	}
	if !sample {
		return
	}
	for _, device := range s.airs {
		s.step(event.Event{Type: event.AirSampled, At: e.At, By: event.ByStation, Body: &event.Air{Device: device}})
	}
}

// pass lets time go by and fires the timers that come due.
func (s *stage) pass(d time.Duration) {
	until := s.now.Mono + int64(d)
	for {
		next, ok := s.horizon.Next(s.now.Mono)
		if !ok || next > until {
			break
		}
		s.now = s.now.AtMono(max(next, s.now.Mono))
		due, ok := s.horizon.Due(s.now.Mono)
		if !ok {
			continue
		}
		at := s.now.AtMono(due.At)
		if due.Timer == event.RunLocked {
			at = s.now
		}
		for _, e := range s.curtain.Lift(due.Timer, at, "s1") {
			s.step(e)
		}
	}
	s.now = s.now.AtMono(until)
}

// play runs a script: commands with ";" between them. A duration lets time pass. "ago D" before a fact stamps it D
// earlier, "about D" gives its stamp a bound.
func (s *stage) play(script string) {
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
		s.command(at, words[0], words[1:])
	}
}

// plain are the commands of one word without a body.
var plain = map[string]event.Type{
	"arm": event.RunArmed, "start": event.RunStarted, "finish": event.RunFinished, "resume": event.SessionResumed,
}

func (s *stage) command(at event.Stamp, word string, rest []string) {
	s.t.Helper()
	number := func(i int) int {
		if i >= len(rest) {
			return 0
		}
		n, _ := strconv.Atoi(rest[i])
		return n
	}
	reason := &event.Reason{Reason: strings.Join(rest, " ")}
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
		e.Type, e.Body = event.SessionClosed, &event.AidCount{Out: 9, Back: 9}
	case "void":
		e.Type, e.Body = event.RunVoided, &event.Void{Reason: reason.Reason}
	case "trouble": // the station's own
		e.Type, e.By, e.Body = event.RunVoided, event.ByStation, &event.Void{Reason: reason.Reason}
	case "observe":
		e.Type, e.Body = event.Observed, &event.Observation{What: "hesitation", Position: number(0)}
	default:
		s.device(e, word, rest, number)
		return
	}
	s.step(e)
}

func (s *stage) device(e event.Event, word string, rest []string, number func(int) int) {
	s.t.Helper()
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
			s.step(event.Event{Type: event.Edge, At: e.At, By: rest[0], Body: &event.RawEdge{Device: rest[0]}})
		}
		return
	case "lose": // edges of beams or buttons, with what tells of limit switches sealed
		e.Type, e.By, e.Body = event.EdgesLost, event.ByStation, &event.LostEdges{Source: "gpio"}
		e.Secret = &event.Loss{Lost: int64(number(0)), From: 1, To: 2, Why: "the buffer was full"}
	case "clock":
		s.now.UTC += int64(number(0)) * 1e6
		e.Type, e.At, e.By, e.Body = event.ClockFixed, s.now, event.ByStation, &event.ClockFix{StepNS: int64(number(0)) * 1e6, Quality: s.now.Quality}
	case "quality":
		s.now.Quality = event.Quality(rest[0])
		e.Type, e.At, e.By, e.Body = event.ClockFixed, s.now, event.ByStation, &event.ClockFix{Quality: s.now.Quality}
	case "say":
		e.Type, e.Body = event.ClockSaid, &event.TimeSaid{Said: rest[0]}
	case "reboot": // a second after the kernel began
		s.now.Boot, s.now.Mono, s.now.UTC = s.now.Boot+"+", 1e9, s.now.UTC+60e9
		s.step(event.Event{Type: event.ClockFixed, At: s.now, By: event.ByStation, Body: &event.ClockFix{Quality: s.now.Quality, NewBoot: true}})
		s.command(s.now, "restart", append([]string{"power", "cut"}, rest...))
		return
	case "restart":
		s.horizon.Clear()
		if run, placement, ok := s.machine.Running(); ok {
			s.curtain.Restore(run, placement)
		}
		e.Type, e.By, e.Body = event.SessionRestarted, event.ByStation, &event.Restart{SameBoot: true, Cause: strings.Join(rest, " ")}
	case "jam":
		s.curtain.Report(number(0), event.Moves{Canister: "9Z", Fault: "jammed"})
		return
	case "source":
		d, _ := time.ParseDuration(rest[1])
		s.horizon.Source(rest[0], d)
		return
	default:
		s.t.Fatalf("no such command: %s", word)
	}
	s.step(e)
}

// story tells the records that decide something, in short words.
func (s *stage) story(from int) string {
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
		return "void " + b.Reason
	case *event.Refusal:
		return "refused"
	case *event.Lateness:
		return "late " + string(b.Type)
	case *event.Reason:
		return strings.TrimPrefix(string(e.Type), "session.") + " " + b.Reason
	case *event.End:
		return "ended " + b.How
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
