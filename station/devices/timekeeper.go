package devices

import (
	"errors"
	"fmt"
	"time"

	"scentpost/drivers/bus"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/health"
	"scentpost/station/templates"
)

// secondLook is how soon a clock is looked at again at the start, so that one which stands still is found.
const secondLook = 5 * time.Second

// timekeeper is a clock that should survive a power cut. It is looked at in its own time, and tells nothing but a condition.
type timekeeper struct {
	name     string
	member   *member
	interval time.Duration
	wires    bus.Wires
	part     bus.Timekeeper // used by jobs of the wires alone

	busy  bool // a look is under way
	looks int
	told  string // the evidence of the condition that the sink has, "" for none
	next  alarm
}

// addTimekeeper makes one clock. One that is absent is found when it is looked at.
func (s *Station) addTimekeeper(d config.Device, m *member, make catalog.Timekeeper) error {
	wires, err := s.wires(d.Bus)
	if err != nil {
		return err
	}
	part, err := make(wires, d.Values)
	if err != nil {
		return err
	}
	s.timekeepers = append(s.timekeepers, &timekeeper{name: d.Name, member: m, interval: d.Values.Durations[templates.SettingInterval], wires: wires, part: part})
	return nil
}

// lookAt has a clock looked at, and plans the next look. One that is still under way is not waited for.
func (s *Station) lookAt(k *timekeeper) {
	k.looks++
	in := k.interval
	if k.looks == 1 {
		in = min(in, secondLook)
	}
	var when earliest
	when.consider(s.clock.Now().Mono + int64(in))
	k.next.clear()
	k.next.set(s, when, func() {
		if !s.down {
			s.lookAt(k)
		}
	})
	if k.busy {
		s.judgeTimekeeper(k, fmt.Errorf("%w: %s", bus.ErrNoAnswer, airHanging))
		return
	}
	k.busy = true
	s.drives.add(order{job: func() {
		err := k.wires.Do(func() {
			_, err := k.part.Look(k.wires.Now())
			s.looked(k, err)
		})
		if err != nil {
			s.looked(k, fmt.Errorf("%w: %w", bus.ErrNoAnswer, err))
		}
	}})
}

// looked ends a look at a clock.
func (s *Station) looked(k *timekeeper, err error) {
	s.change(func() {
		k.busy = false
		s.judgeTimekeeper(k, err)
	})
}

// judgeTimekeeper says of a clock why it would not know the time after a power cut, and whether it is there.
func (s *Station) judgeTimekeeper(k *timekeeper, err error) {
	k.member.gone = nil
	if errors.Is(err, bus.ErrNoAnswer) {
		k.member.gone = errors.New(short(err.Error(), maxWhy))
	}
	s.tellPresence()
	why := ""
	if err != nil {
		why = short(err.Error(), maxWhy)
	}
	switch {
	case why == k.told:
	case why == "":
		s.over(health.ClockNotKept, k.name)
	default:
		s.condition(health.ClockNotKept, k.name, why)
	}
	k.told = why
}
