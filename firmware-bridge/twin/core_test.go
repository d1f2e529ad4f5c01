package twin

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scentpost/firmware-bridge/frame"
	"scentpost/firmware-bridge/message"
)

const (
	us = int64(1000)
	ms = 1000 * us
	// grid is what all instants of a script are multiples of. What is to happen by itself lies between them, so that the
	// firmware, which does it at the next whole millisecond, and the twin, which does it at once, do it in one window.
	grid = 10 * ms
	// long is a window in which what has no answer is surely sent again.
	long = 1300 * ms
)

// corePins are those of the host's HAL.
func corePins() (pins []message.Pin) {
	for i := range byte(20) {
		able := byte(message.AbleInput | message.AbleOutput | message.AblePullUp | message.AbleTimed)
		switch {
		case i < 2:
			able = 0
		case i == 13:
			able = message.AbleInput | message.AbleTimed
		}
		pins = append(pins, message.Pin{Index: i, Abilities: able, Name: fmt.Sprintf("P%02d", i)})
	}
	return pins
}

// script is what is done to both boards, and what the twin did.
type script struct {
	*testing.T
	chance *rand.Rand
	board  *Board
	now    int64
	lines  []string
	did    []window
	pins   []byte // of the twin: i, l or h
	exact  bool   // what is sent again is compared in every window

	session uint32
	next    byte // the number of the next command
	safe    byte
	beats   uint16
	cookie  uint32
}

// window is what a board did while some time passed.
type window struct {
	line  int // of the script
	span  int64
	heard []heard
	pins  string
}

type heard struct {
	head message.Header
	msg  message.Message
}

func newScript(t *testing.T, seed uint64) *script {
	s := &script{T: t, chance: rand.New(rand.NewPCG(seed, 8)), pins: []byte(strings.Repeat("i", 20))}
	s.board = New(Options{Pins: corePins(), ID: message.NoID, Kind: "host", Room: 112, Micros: func(mono int64) uint64 { return uint64(mono / 1000) }})
	s.run(grid)
	return s
}

func (s *script) micros() uint64 { return uint64(s.now / us) }

// hear gives both boards bytes of the line.
func (s *script) hear(line []byte) {
	s.lines = append(s.lines, "hear "+hex.EncodeToString(line))
	s.board.Receive(s.now, line)
}

// say gives them a frame of the session.
func (s *script) say(number byte, m message.Message) {
	s.hear(frame.Append(nil, message.Append(nil, byte(s.session), number, m)))
}

// command gives them the next command.
func (s *script) command(m message.Message) {
	s.say(s.next, m)
	s.next++
}

// settle lets both boards answer what came, which the twin does at once.
func (s *script) settle() {
	if !strings.HasPrefix(s.lines[len(s.lines)-1], "run") {
		s.run(grid)
	}
}

func (s *script) edge(pin int, level bool) {
	if strings.HasPrefix(s.lines[len(s.lines)-1], "hear") {
		s.settle()
	}
	s.lines = append(s.lines, fmt.Sprintf("edge %d %d", pin, flag(level)))
	s.board.Input(s.now, fmt.Sprintf("P%02d", pin), level)
	s.board.Tick(s.now)
}

func (s *script) glitch() {
	s.settle()
	s.lines = append(s.lines, "glitch")
	s.board.Glitch()
}

// run lets time pass.
func (s *script) run(span int64) {
	w := window{line: len(s.lines), span: span}
	s.lines = append(s.lines, fmt.Sprintf("run %d", span/us))
	for end := s.now + span; s.now < end; {
		s.now = min(end, max(s.now+us, int64(s.board.Due())*us))
		s.board.Tick(s.now)
	}
	out, changes := s.board.Take()
	w.heard = parsed(s.T, out)
	for _, c := range changes {
		i := slices.IndexFunc(s.board.opt.Pins, func(p message.Pin) bool { return p.Name == c.Pin })
		s.pins[i] = map[bool]map[bool]byte{false: {false: 'i', true: 'i'}, true: {false: 'l', true: 'h'}}[c.Driven][c.Level]
	}
	w.pins = string(s.pins)
	s.did = append(s.did, w)
}

func parsed(t *testing.T, line []byte) (all []heard) {
	t.Helper()
	var split frame.Splitter
	split.Write(line, func(body []byte) {
		head, msg, err := message.Parse(body)
		if err != nil {
			t.Fatalf("a board says %x: %v", body, err)
		}
		all = append(all, heard{head, msg})
	}, func(err error) { t.Fatalf("a board says what is no frame: %v", err) })
	return all
}

// play plays a script to the firmware's core, and returns its windows.
func (s *script) play(core string) (did []window) {
	s.Helper()
	c := exec.Command(core)
	c.Stdin = strings.NewReader(strings.Join(s.lines, "\n") + "\n")
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		s.Fatalf("the core ended with %v after %d windows: %s", err, strings.Count(string(out), "\n"), exit.Stderr)
	} else if err != nil {
		s.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		said, pins, _ := strings.Cut(line, " ")
		if said == "" || pins == "" {
			said, pins = "", strings.TrimSpace(line)
		}
		raw, err := hex.DecodeString(said)
		if err != nil {
			s.Fatalf("the core writes %q: %v", line, err)
		}
		did = append(did, window{line: s.did[i].line, span: s.did[i].span, heard: parsed(s.T, raw), pins: strings.ReplaceAll(pins, "u", "i")})
	}
	return did
}

// built builds the firmware's core with the player of scripts.
func built(t *testing.T) (path string) {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("NOT RUN: the firmware's core cannot be built without gcc (apt-get install gcc)")
	}
	path = filepath.Join(t.TempDir(), "core")
	sources, _ := filepath.Glob("../firmware/core/*.c") // the pattern is good
	args := append([]string{"-std=gnu11", "-O1", "-I../firmware/core", "-I../firmware/host", "-o", path, "../firmware/host/host.c", "testdata/core.c"}, sources...)
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTheTwinIsAsTheFirmware: one script to both, and each answer of the one is that of the other. There are 40 scripts
// (15 in `make test`).
func TestTheTwinIsAsTheFirmware(t *testing.T) {
	core, scripts := built(t), uint64(40)
	if testing.Short() {
		scripts = 15
	}
	for seed := range scripts {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newScript(t, seed)
			s.begin()
			for range 250 {
				for range 1 + s.chance.IntN(3) {
					s.act()
				}
				s.run(s.span())
			}
			compare(s, s.play(core))
		})
	}
}

// TestBothWait: a HELD that comes in time puts off that the rest is sent again.
func TestBothWait(t *testing.T) {
	s := newScript(t, 2)
	s.exact = true
	s.begin()
	s.hold()
	first := s.board.first + uint16(len(s.board.events))
	for i := range 20 { // more than one frame holds
		s.edge(6, i%2 == 0)
	}
	s.run(3 * grid)
	s.say(0, &message.Held{Next: first + 1})
	s.run(4 * grid)
	s.run(2 * grid)
	s.run(2 * grid)
	s.say(0, &message.Held{Next: first, Again: true}) // an old one, that came late
	s.run(2 * grid)
	s.say(0, &message.Held{Next: first + 15, Again: true})
	s.run(grid)
	compare(s, s.play(built(t)))
}

// TestBothTakeAnID: once, while they are not configured, and none that means that there is none.
func TestBothTakeAnID(t *testing.T) {
	s := newScript(t, 3)
	s.hello()
	for _, id := range []message.ID{message.NoID, {'a'}, {'b'}, {'a'}} {
		s.run(grid)
		s.command(&message.Name{ID: id})
		s.run(10 * grid)
	}
	s.say(0, &message.Hello{Session: s.session, Lowest: 1, Highest: 1})
	s.run(grid)
	if s.board.opt.ID != (message.ID{'a'}) {
		t.Errorf("its id is %q, want the first", s.board.opt.ID)
	}
	compare(s, s.play(built(t)))
}

// TestBothLapse: half an hour in which nothing valid came ends a session.
func TestBothLapse(t *testing.T) {
	s := newScript(t, 1)
	s.begin()
	s.command(&message.Set{Pin: 5, Level: true, At: s.micros() + 45_000_000, Longest: 1 << 31})
	s.say(0, &message.Beat{Count: s.beats + 1})
	s.run(5 * grid)
	for range 180 {
		s.run(10_000 * ms)
		s.hear([]byte{0, 1, 2, 0})
	}
	s.run(long)
	s.say(0, &message.Ping{Cookie: 7})
	s.edge(6, true)
	s.run(long)
	s.session = 0x21
	s.say(0, &message.Hello{Session: s.session, Lowest: 1, Highest: 1})
	s.run(grid)
	s.say(0, &message.Ping{Cookie: 8})
	s.run(grid)
	if s.board.session == 0 || !s.board.configured {
		t.Errorf("after half an hour, and a HELLO: session %d, configured %t", s.board.session, s.board.configured)
	}
	compare(s, s.play(built(t)))
}
