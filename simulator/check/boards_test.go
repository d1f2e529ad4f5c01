package check_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"scentpost/firmware-bridge/message"
	"scentpost/simulator/check"
	"scentpost/simulator/hardware"
	"scentpost/simulator/yard"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/metrics"
	"scentpost/station/trial"
)

// askEvery is how often somebody asks how the boards are.
const askEvery = 1700 * time.Millisecond

// boarded is the station of the pairs with the canisters and the valve of each position on a board of their own, as the
// configuration asks for, and all that people and dogs touch on a fourth, behind lines of a speed in baud: which pins move
// depends on the draw.
func boarded(baud int) config.Config {
	text := stationText(3, 3)
	line := func(old, board string, pin int) {
		name := fmt.Sprint("D", pin)
		if pin > 12 {
			name = fmt.Sprint("A", pin-13)
		}
		text = strings.Replace(text, old, fmt.Sprintf("%q", board+":"+name), 1)
	}
	for p := 1; p <= 3; p++ {
		pin, board := 2, fmt.Sprint("nano-", p)
		for _, letter := range []string{"a", "b", "c"} {
			for _, role := range []string{"drive", "opened", "closed"} {
				line(fmt.Sprintf("c%d%s.%s", p, letter, role), board, pin)
				pin++
			}
		}
		line(fmt.Sprint("valve", p), board, pin)
	}
	for i, old := range []string{"beam1", "beam2", "beam3", "button.alert", "button.start", "button.abort", "button.estop", "light.ready", "light.ack"} {
		line(old, "nano-4", 2+i)
	}
	for b := 1; b <= 4; b++ {
		text += fmt.Sprintf("  - {name: nano-%d, type: nano, port: nano-%d, id: nano-%d, baud: \"%d\"}\n", b, b, b, baud)
	}
	return mustConfig(text)
}

// lookAtBoards writes down what each blind role is told of the boards.
func lookAtBoards(y *yard.Yard, seen *check.Sights, mode string) {
	for _, role := range blindRoles[mode] {
		y.Control.Do(withRole(y, role), control.Request{Command: "boards"}, func(told control.Response) {
			text, err := json.Marshal(told.Boards) // the status is looked at beside it
			if err != nil || len(told.Boards) != len(y.Boards) {
				panic(fmt.Sprintf("boards: %v, %v", told.Refused, err))
			}
			seen.See(check.Views, y.World.Mono(), text)
		})
	}
	scrape(y, seen)
}

// askToArm has the assessor ask for another run while one is under way, and writes down the answer. Whether the station could
// start one is told between runs alone.
func askToArm(y *yard.Yard, seen *check.Sights) {
	if y.Host.Snapshot().View.Run.Index == 0 {
		return
	}
	for _, p := range station.People {
		if !slices.Contains(p.Roles, event.Assessor) {
			continue
		}
		who, _ := y.Control.Person(p.Name)
		y.Control.Do(who, control.Request{Command: "arm"}, func(answer control.Response) {
			text, err := json.Marshal(answer)
			if err != nil || answer.OK {
				panic(fmt.Sprintf("arm within a run: %s, %v", text, err))
			}
			seen.See(check.Views, y.World.Mono(), text)
		})
	}
}

// again does f now, and every so often.
func again(y *yard.Yard, every time.Duration, f func()) {
	f()
	y.World.After(every, func() { again(y, every, f) })
}

// The speeds of a board's line. On the slow one what passes holds up more of what else passes.
const (
	fast = 500_000
	slow = 115_200
)

// TestTwoSecretsLookAlikeOnBoards compares pairs of sessions whose canisters are driven by boards, over the real protocol.
func TestTwoSecretsLookAlikeOnBoards(t *testing.T) {
	t.Parallel()
	stations := []config.Config{boarded(fast), boarded(slow)}
	lookAlike(t, boardPairs.count(), func(i int) performance {
		p := performance{seed: uint64(i), secrets: uint64(2*i + 1), mode: []string{"double", "single"}[i/2%2], station: &stations[i%2], silent: i%3 == 0}
		p.before = func(y *yard.Yard, seen *check.Sights) { again(y, askEvery, func() { lookAtBoards(y, seen, p.mode) }) }
		return p
	}, nil)
}

// TestABoardThatGoesTellsNothingButTheVoid: one starts anew or is unplugged for a while because it drives something, as a
// weak supply or a loose plug does it. Another draw in which the test itself voids the same runs at the same instants looks
// alike.
func TestABoardThatGoesTellsNothingButTheVoid(t *testing.T) {
	t.Parallel()
	cfg, voids, told := boarded(slow), 0, 0
	for i := range gonePairs.count() {
		a, b, ya, instants := gonePair(t, &cfg, i, nil)
		voids += len(instants)
		if err := check.Differ(a, b); err != nil {
			t.Fatalf("pair %d, voids at %v: %v", i, instants, err)
		}
		if slices.ContainsFunc(ya.Conditions.All(), func(c health.Condition) bool { return c.Code == health.BoardStarted }) {
			told++
		}
	}
	if n := gonePairs.count(); voids < n/4 || told < n/8 {
		t.Fatalf("only %d voids, and %d starts told after the reveal, in %d pairs: nothing was shown", voids, told, n)
	}
}

// gonePair performs a session in which a board goes, and one of another draw in which the test voids the same runs at the same
// instants. Plant, unless nil, is called in both when they are sealed.
func gonePair(t *testing.T, cfg *config.Config, i int, plant func(*yard.Yard)) (a, b *check.Sights, ya *yard.Yard, instants []int64) {
	t.Helper()
	p := performance{seed: uint64(i), secrets: uint64(1000 + 2*i), mode: "double", station: cfg, silent: i%3 == 0}
	before := func(then func(y *yard.Yard)) func(*yard.Yard, *check.Sights) {
		return func(y *yard.Yard, seen *check.Sights) {
			again(y, askEvery, func() {
				lookAtBoards(y, seen, p.mode)
				askToArm(y, seen)
			})
			if plant != nil {
				plant(y)
			}
			then(y)
		}
	}
	p.before = before(func(y *yard.Yard) { loosen(y, i, time.Duration(i)*331*time.Millisecond) })
	a, ya = perform(t, p)
	instants = mechanicalVoids(t, ya)
	p.secrets++
	p.before = before(func(y *yard.Yard) { voidAt(y, instants) })
	b, _ = perform(t, p)
	for _, seen := range []*check.Sights{a, b} {
		seen.Forget(check.Outside) // a canister without power falls shut, and that is heard
	}
	return a, b, ya, instants
}

// TestALeakOfBoardsIsCaught plants what the configuration refuses, and what the station keeps back or keeps steady.
func TestALeakOfBoardsIsCaught(t *testing.T) {
	t.Parallel()
	for name, leak := range boardLeaks() {
		cfg := boarded(slow)
		if leak.rewire != nil {
			leak.rewire(&cfg)
		}
		caught := ""
		for i := 0; i < boardPairs.few && caught == ""; i++ {
			p := performance{seed: uint64(i), secrets: uint64(2*i + 1), mode: "double", station: &cfg, silent: true}
			p.before = func(y *yard.Yard, seen *check.Sights) {
				if leak.plant != nil {
					leak.plant(y, seen)
				}
			}
			a, _ := perform(t, p)
			p.secrets++
			b, _ := perform(t, p)
			if err := check.Differ(a, b); err != nil {
				caught = fmt.Sprintf("pair %d: %.300v", i, err)
			}
		}
		if caught == "" {
			t.Errorf("%s: it was not caught", name)
		}
		t.Logf("%s: %s", name, caught)
	}
}

// boardLeak is a leak that is planted: in a configuration that was checked, or in a session that is sealed.
type boardLeak struct {
	rewire func(*config.Config)
	plant  func(y *yard.Yard, seen *check.Sights)
}

func boardLeaks() map[string]boardLeak {
	return map[string]boardLeak{
		"canisters of one position on two boards": {rewire: func(cfg *config.Config) {
			rewire(cfg, "canister-1c", map[string]string{"drive": "nano-2:D12", "opened": "nano-2:A0", "closed": "nano-2:A1"})
		}},
		"beams beside canisters": {rewire: func(cfg *config.Config) {
			for p := 1; p <= 3; p++ {
				rewire(cfg, fmt.Sprint("beam-", p), map[string]string{"line": fmt.Sprintf("nano-%d:D12", p)})
			}
		}},
		"a board that is asked for the time as a canister arrives": {plant: func(y *yard.Yard, _ *check.Sights) {
			y.Hardware.Subscribe(func(c hardware.Change) {
				if c.What == hardware.Travel && c.State == "open" {
					y.World.After(0, func() { y.Boards["nano-4"].Attend(false) })
					y.World.After(time.Second, func() { y.Boards["nano-4"].Attend(true) })
				}
			})
		}},
		"metrics of boards before the reveal": {plant: func(y *yard.Yard, _ *check.Sights) {
			y.Metrics = metrics.New(metrics.Options{Public: func() control.Public {
				p := y.Control.Public()
				for i := range p.Boards {
					p.Boards[i].Figures = &control.BoardFigures{Frames: y.Boards[p.Boards[i].Name].Report().Stats.Frames}
				}
				return p
			}})
		}},
		"figures of a board before the reveal": {plant: func(y *yard.Yard, seen *check.Sights) {
			again(y, 300*time.Millisecond, func() {
				seen.See(check.Views, y.World.Mono(), fmt.Append(nil, y.Boards["nano-1"].Report().Stats))
			})
		}},
	}
}

// TestAConditionOfABoardThatIsNotFrozenIsCaught plants a freeze that does not hold.
func TestAConditionOfABoardThatIsNotFrozenIsCaught(t *testing.T) {
	t.Parallel()
	cfg := boarded(slow)
	for i := range gonePairs.few {
		a, b, _, _ := gonePair(t, &cfg, i, func(y *yard.Yard) {
			y.Conditions.Follow(false)
			y.Host.Watch(func(trial.Snapshot) { y.Conditions.Follow(false) })
		})
		if err := check.Differ(a, b); err != nil {
			t.Logf("pair %d, caught: %.300v", i, err)
			return
		}
	}
	t.Fatal("it was not caught")
}

// rewire puts a device of a configuration onto other lines, behind the back of its check.
func rewire(cfg *config.Config, device string, lines map[string]string) {
	i := slices.IndexFunc(cfg.Devices, func(d config.Device) bool { return d.Name == device })
	cfg.Devices[i].Lines = lines
}

// loosen lets a board start anew, or takes it away for a while, or all that carry canisters as their hub does, some time after
// it opens one of its canisters for the first time.
func loosen(y *yard.Yard, which int, after time.Duration) {
	position, letter, done := 1+which%3, string(rune('A'+which/3%3)), false
	hub := []*yard.Board{y.Boards["nano-1"], y.Boards["nano-2"], y.Boards["nano-3"]}
	board := hub[position-1]
	unplug := func(boards ...*yard.Board) {
		for _, b := range boards {
			b.Unplug()
			y.World.After(3*time.Second, b.Plug)
		}
	}
	y.Hardware.Subscribe(func(c hardware.Change) {
		if done || c.What != hardware.Drive || c.State != "open" || c.Name != fmt.Sprint(position, letter) {
			return
		}
		done = true
		y.World.After(after, func() {
			switch which % 4 {
			case 0:
				board.Reset(message.CauseBrownOut)
			case 1:
				board.Reset(message.CauseWatchdog)
			case 2:
				unplug(board)
			case 3:
				unplug(hub...)
			}
		})
	})
}
