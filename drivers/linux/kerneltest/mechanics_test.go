//go:build linux

package kerneltest

import (
	"strings"
	"sync"
	"time"
)

// travel is how long a shutter takes.
const travel = 300 * time.Millisecond

// shutters are the canisters whose mechanics the test plays.
var shutters = []string{"c1a", "c1b", "c2a", "c2b"}

// mechanics moves the shutters of a site as their drives say, and pulls every line to where its wiring holds it.
type mechanics struct {
	*site

	mu    sync.Mutex // guards what follows, and the chips of the site while one is plugged in or out
	rests bool       // the test is over
	open  map[string]bool
	ways  map[string]*time.Timer // of shutters that travel
	moves int
}

func newMechanics(s *site) *mechanics {
	return &mechanics{site: s, open: map[string]bool{}, ways: map[string]*time.Timer{}}
}

// wire pulls the lines of a chip to where they stand: drives as their external pull says, limit switches as the
// shutters are, all others low.
func (m *mechanics) wire(c *Chip) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, line := range c.lines {
		shutter, role, _ := strings.Cut(line, ".")
		up := role == "drive" && m.opt.activeHigh == m.opt.pullOpens ||
			role == "opened" && m.open[shutter] || role == "closed" && !m.open[shutter]
		if err := c.Pull(i, up); err != nil {
			m.Errorf("pull %s: %v", line, err)
		}
	}
}

// traced hears of everything that is done to a line.
func (m *mechanics) traced(mv Movement) {
	if mv.Kind != "set" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.chips {
		if shutter, ok := strings.CutSuffix(c.Global(mv.Line), ".drive"); ok {
			m.drive(shutter, mv.Value == m.opt.activeHigh)
		}
	}
}

// look finds what no trace tells: a line that was given back, or a chip that went or came.
func (m *mechanics) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, shutter := range shutters {
		m.drive(shutter, m.isOpen(shutter))
	}
}

// isOpen tells whether the drive of a shutter is where it opens; that of a chip that is out is where its pull holds it.
func (m *mechanics) isOpen(shutter string) bool {
	c, i := m.at(shutter + ".drive")
	if !c.There() {
		return m.opt.pullOpens
	}
	high, err := c.Value(i)
	if err != nil {
		m.Errorf("drive of %s: %v", shutter, err)
	}
	return high == m.opt.activeHigh
}

// drive sends a shutter on its way. The caller holds the mutex.
func (m *mechanics) drive(shutter string, open bool) {
	if m.rests || m.open[shutter] == open {
		return
	}
	m.open[shutter] = open
	m.moves++
	if way := m.ways[shutter]; way != nil {
		way.Stop()
	}
	m.limit(shutter, false, false)
	m.ways[shutter] = time.AfterFunc(travel, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !m.rests && m.open[shutter] == open {
			m.limit(shutter, open, !open)
		}
	})
}

// limit sets the limit switches of a shutter, if their chip is there. The caller holds the mutex.
func (m *mechanics) limit(shutter string, opened, closed bool) {
	for role, active := range map[string]bool{"opened": opened, "closed": closed} {
		if c, i := m.at(shutter + "." + role); c.There() {
			if err := c.Pull(i, active); err != nil {
				m.Errorf("limit switch of %s: %v", shutter, err)
			}
		}
	}
}

// end lets nothing move any more.
func (m *mechanics) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rests = true
	for _, way := range m.ways {
		way.Stop()
	}
}

// out takes a chip out; whatever it drove is where its pull holds it.
func (m *mechanics) out(c *Chip) {
	m.mu.Lock()
	if err := c.Unplug(); err != nil {
		m.Error(err)
	}
	m.mu.Unlock()
	m.look()
}

// in puts a chip back.
func (m *mechanics) in(c *Chip) {
	m.mu.Lock()
	if err := c.Plug(); err != nil {
		m.Error(err)
	}
	m.mu.Unlock()
	m.wire(c)
	m.look()
}
