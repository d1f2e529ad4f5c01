package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"scentpost/cmd/internal/words"
	"scentpost/drivers/bus"
	"scentpost/drivers/linux"
	"scentpost/firmware-bridge/message"
	"scentpost/firmware-bridge/visit"
	"scentpost/station/control"
	"scentpost/station/control/socket"
)

// boardCmd is for microcontroller boards. What a daemon uses it is asked about; a port is opened only when nobody has it.
type boardCmd struct {
	List  boardList  `cmd:"" name:"ls" help:"List the serial ports, who uses them, and the boards of the running daemon."`
	Info  boardInfo  `cmd:"" help:"Say what a board is and how it fares."`
	Watch boardWatch `cmd:"" help:"Show a board's edges and the figures of its line as they come."`
	Check boardFlash `cmd:"" name:"flash-check" help:"Compare a board's firmware with the one that comes with this program."`
	Name  boardName  `cmd:"" help:"Give a board its id, once and for good."`
}

// boardAt says which board is meant.
type boardAt struct {
	reach
	Board string `arg:"" help:"A serial port, such as /dev/serial/by-id/..., or the name of a board of the running daemon."`
	Baud  int    `default:"500000" help:"The speed of a port that is opened, as the board's firmware was built: 500000 or 115200." placeholder:"BAUD"`
}

// errNoBoard: what was named is neither a board of the daemon nor a port.
var errNoBoard = errors.New("no board of the running daemon has this name, and a port begins with a slash or a point")

// asked asks the daemon for its boards; answered is false where no daemon runs.
func (s reach) asked() (boards []control.BoardLine, answered bool, err error) {
	client, err := socket.Dial(context.Background(), s.Socket)
	switch {
	case errors.Is(err, socket.ErrNoDaemon):
		return nil, false, nil
	case err != nil:
		return nil, false, words.Error(err)
	}
	defer client.Close()
	response, err := client.Send(&control.Request{Command: "boards"})
	if err == nil && !response.OK {
		err = words.Refused(response)
	}
	if err != nil {
		return nil, true, fmt.Errorf("the daemon at %s does not say which boards it has (restart it if it is of another version): %w", s.Socket, words.Error(err))
	}
	return response.Boards, true, nil
}

// find returns the daemon's line of the board, nil when the board is none of its.
func (c boardAt) find() (*control.BoardLine, error) {
	lines, answered, err := c.asked()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(lines, func(l control.BoardLine) bool { return l.Name == c.Board || samePort(l.Port, c.Board) })
	if i >= 0 {
		return &lines[i], nil
	}
	if _, err := os.Stat(c.Board); err == nil || strings.HasPrefix(c.Board, "/") || strings.HasPrefix(c.Board, ".") {
		return nil, nil
	}
	if !answered {
		return nil, usage(fmt.Errorf("%q is no port, and no daemon answers at %s that could know a board of this name: start it, or name the port (scentpost board ls lists them)", c.Board, c.Socket))
	}
	return nil, usage(fmt.Errorf("%q: %w (scentpost board ls lists both)", c.Board, errNoBoard))
}

// samePort tells whether two names lead to one port.
func samePort(a, b string) bool {
	if a == b {
		return true
	}
	ra, errA := filepath.EvalSymlinks(a)
	rb, errB := filepath.EvalSymlinks(b)
	return errA == nil && errB == nil && ra == rb
}

// open opens the port, if nobody has it.
func (c boardAt) open() (bus.Port, error) {
	port, err := linux.OpenSerial(c.Board, c.Baud)
	if errors.Is(err, linux.ErrSpeed) {
		return nil, usage(err)
	}
	return port, err
}

// visit opens the port, has the board say what it is, and lets do go on with it.
func (c boardAt) visit(do func(*visit.Visitor, message.Board) error) (err error) {
	port, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, port.Close()) }()
	v := visit.New(port, mathrand.Uint32())
	b, err := v.Greet()
	if err == nil {
		err = do(v, b)
	}
	return c.advise(err)
}

// advise adds what to do to what went wrong with a board.
func (c boardAt) advise(err error) error {
	other := 115_200
	if c.Baud == other {
		other = 500_000
	}
	var todo string
	switch {
	case errors.Is(err, visit.ErrSilent):
		todo = fmt.Sprintf("is it a board with the station's firmware, and one for %d baud? Try --baud %d; else flash it: make flash PORT=%s", c.Baud, other, c.Board)
	case errors.Is(err, visit.ErrGarbage):
		todo = fmt.Sprintf("its firmware was probably built for another speed: try --baud %d; else another program is on the board, or the cable is bad", other)
	case errors.Is(err, visit.ErrVersion):
		todo = "flash the firmware that comes with this program: make flash PORT=" + c.Board
	case errors.Is(err, visit.ErrMute):
		todo = "look at its cable and supply, and try again"
	case errors.Is(err, bus.ErrGone):
		todo = "plug the board in again"
	default:
		return err
	}
	return fmt.Errorf("%s at %d baud: %w: %s", c.Board, c.Baud, err, todo)
}

type boardList struct {
	reach
	JSON bool `help:"Print JSON."`
}

// portLine is one port in the list.
type portLine struct {
	Port   string `json:"port"`
	Device string `json:"device,omitempty"` // what the port is called today, where it has a lasting name
	There  bool   `json:"there"`
	InUse  bool   `json:"in_use"`
	Board  string `json:"board,omitempty"` // of the running daemon
	Note   string `json:"note,omitempty"`
}

// Run lists ports. It opens none: a board may be reset by that.
func (c boardList) Run(out io.Writer) error {
	boards, _, err := c.asked()
	if err != nil {
		return err
	}
	lines := []portLine{}
	for _, p := range linux.Ports("") {
		line := portLine{Port: p.Name, There: true}
		if p.Device != p.Name {
			line.Device = p.Device
		}
		lines = append(lines, line)
	}
	for _, b := range boards {
		i := slices.IndexFunc(lines, func(l portLine) bool { return samePort(l.Port, b.Port) })
		if i < 0 {
			_, err := filepath.EvalSymlinks(b.Port)
			lines = append(lines, portLine{Port: b.Port, There: err == nil})
			i = len(lines) - 1
		}
		lines[i].Board = b.Name
	}
	for i := range lines {
		lines[i].look()
	}
	if c.JSON {
		return printJSON(out, lines)
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(out, "no serial port that a board could be behind: plug one in (a Nano is a ttyUSB or ttyACM; lsusb shows whether the machine sees it)")
		return err
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(out, l.text()); err != nil {
			return err
		}
	}
	return nil
}

// look finds out whether somebody uses the port.
func (l *portLine) look() {
	if !l.There {
		l.Note = "it is not there: is the board plugged in?"
		return
	}
	used, err := linux.PortInUse(l.Port)
	l.InUse = used
	stable, advice := linux.Stable(l.Port)
	switch {
	case err != nil:
		l.Note = err.Error()
	case !stable:
		l.Note = "this name may be another board's tomorrow: " + advice
	}
}

func (l portLine) text() string {
	who := "free"
	switch {
	case !l.There:
		who = "absent"
	case l.Board != "" && l.InUse:
		who = "in use by the daemon"
	case l.InUse:
		who = "in use by another program"
	}
	text := l.Port
	if l.Device != "" {
		text += " (" + l.Device + ")"
	}
	text += ": " + who
	if l.Board != "" {
		text += ", board " + l.Board
	}
	if l.Note != "" {
		text += "\n  " + l.Note
	}
	return text
}

type boardName struct {
	boardAt
	ID string `arg:"" help:"1 to 8 small letters, digits and hyphens, such as nano-1, as in the station's configuration."`
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,7}$`)

// Run gives a board its id.
func (c boardName) Run(out io.Writer) error {
	if !idForm.MatchString(c.ID) {
		return usage(fmt.Errorf("id %q: 1 to 8 small letters, digits and hyphens are expected, such as nano-1", c.ID))
	}
	line, err := c.find()
	if err != nil {
		return err
	}
	if line != nil {
		return no(fmt.Errorf("%s is board %s of the running daemon, which alone may speak with it: stop the daemon first (sudo systemctl stop scentpostd)", line.Port, line.Name))
	}
	var id message.ID
	copy(id[:], c.ID)
	err = c.visit(func(v *visit.Visitor, _ message.Board) error { return v.Name(id) })
	if errors.Is(err, visit.ErrRefused) {
		return no(fmt.Errorf("%w: an id is given once; write the one that it has into the configuration, or reset the board if it was configured", err))
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "%s is %s from now on: write port and id into the station's configuration\n", c.Board, c.ID)
	}
	return err
}
