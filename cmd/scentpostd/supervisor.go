package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

const (
	// patienceShare of the watchdog's time is how long an answer may be owed: half, 15 s of WatchdogSec=30s.
	patienceShare = 2
	// beatsInPatience is how often the loops are asked in that time. A kick may be missed without harm.
	beatsInPatience = 3
	// newsQueue is how much may wait to be said to a service manager that does not listen.
	newsQueue = 16
	// lastWord bounds how long the end of the daemon waits for a service manager that does not listen.
	lastWord = time.Second
)

// loop is a part of the daemon that must go round: Ping puts a question into the queue that it lives by, and done is
// called from the loop itself. Ping must not wait.
type loop struct {
	name string
	ping func(done func()) error
}

// news is what the manager is to be told: how the daemon is, for people, and what that means to the manager.
type news struct {
	status string
	flags  []string // as sd_notify(3) has them
}

// supervisor speaks to the service manager that started the daemon (systemd's sd_notify(3), by NOTIFY_SOCKET and
// WATCHDOG_USEC), and kicks its watchdog while the loops answer. Without one it says nothing. Nothing is written
// to the disk for it, and no status of it tells more than that sessions can be run.
type supervisor struct {
	log      *slog.Logger
	watchdog time.Duration // the manager ends us after so long without a kick, 0 for never
	send     func(state string) error
	began    time.Time
	news     chan news
	status   string // what was said last; of the goroutine that speaks

	mu     sync.Mutex // guards all below
	vigil  vigil
	loops  []loop
	missed string // the loops that were late when last looked at
}

// supervised tells whether a service manager started the daemon.
func supervised() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// supervise returns the supervisor that the environment names.
func supervise(log *slog.Logger) *supervisor {
	watchdog, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog is not kicked", "err", err)
	}
	return newSupervisor(log, watchdog, func(state string) error {
		_, err := systemd.SdNotify(false, state)
		return err
	})
}

func newSupervisor(log *slog.Logger, watchdog time.Duration, send func(string) error) *supervisor {
	return &supervisor{log: log, watchdog: watchdog, send: send, began: time.Now(), news: make(chan news, newsQueue),
		vigil: vigil{patience: watchdog / patienceShare}}
}

// start begins to speak; it says that the daemon is stopping when ctx ends or end is called, whichever is first. All
// is said on one goroutine, so that a manager that does not listen holds up nothing but its own watchdog.
func (s *supervisor) start(ctx context.Context) (end func()) {
	var once sync.Once
	stopping := func() { once.Do(func() { s.tell("stopping", systemd.SdNotifyStopping) }) }
	forget := context.AfterFunc(ctx, stopping)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		s.run(quit)
	}()
	return func() {
		forget()
		stopping()
		close(quit)
		select {
		case <-done:
		case <-time.After(lastWord):
		}
	}
}

// run says the news and kicks the watchdog until quit is closed; then it says what is left.
func (s *supervisor) run(quit <-chan struct{}) {
	var beat <-chan time.Time
	if s.watchdog > 0 {
		tick := time.NewTicker(max(s.watchdog/patienceShare/beatsInPatience, time.Microsecond))
		defer tick.Stop()
		beat = tick.C
	}
	for {
		select {
		case n := <-s.news:
			s.hear(n)
		case <-beat:
			s.beat()
		case <-quit:
			for {
				select {
				case n := <-s.news:
					s.hear(n)
				default:
					return
				}
			}
		}
	}
}

// ready tells that the daemon has started.
func (s *supervisor) ready(status string) { s.tell(status, systemd.SdNotifyReady) }

// tell has something said to the manager, soon; it never waits.
func (s *supervisor) tell(status string, flags ...string) {
	select {
	case s.news <- news{status, flags}:
	default:
		s.log.Warn("the service manager does not listen", "unsaid", status)
	}
}

// hear says what is news.
func (s *supervisor) hear(n news) {
	s.status = n.status
	s.say(append(n.flags, "STATUS="+n.status)...)
}

// say sends one message.
func (s *supervisor) say(lines ...string) {
	if err := s.send(strings.Join(lines, "\n")); err != nil {
		s.log.Warn("the service manager does not hear", "unsaid", lines, "err", err)
	}
}

// watch makes the watchdog depend on these loops, and on no others.
func (s *supervisor) watch(loops ...loop) {
	s.mu.Lock()
	s.loops = loops
	s.vigil.watch(len(loops), time.Since(s.began))
	s.mu.Unlock()
	s.ask()
}

// beat kicks the watchdog unless a loop is late, and asks again.
func (s *supervisor) beat() {
	late, changed := s.late()
	if late == "" {
		s.say(systemd.SdNotifyWatchdog)
	}
	switch {
	case changed && late != "":
		s.log.Error("the watchdog is not kicked any more", "no_answer_from", late, "for", s.vigil.patience)
		s.say("STATUS=the watchdog is not kicked: no answer from " + late)
	case changed:
		s.log.Warn("the watchdog is kicked again")
		s.say("STATUS=" + s.status)
	}
	s.ask()
}

// late names the loops that are late, and tells whether they are others than before.
func (s *supervisor) late() (names string, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var late []string
	for _, i := range s.vigil.late(time.Since(s.began)) {
		late = append(late, s.loops[i].name)
	}
	names = strings.Join(late, ", ")
	changed = names != s.missed
	s.missed = names
	return names, changed
}

// ask asks every loop that has answered so far. The loops are not asked under the lock, which their answers take.
func (s *supervisor) ask() {
	if s.watchdog == 0 {
		return
	}
	s.mu.Lock()
	now, round, loops := time.Since(s.began), s.vigil.round, s.loops
	var asked []int
	for i := range loops {
		if s.vigil.ask(i, now) {
			asked = append(asked, i)
		}
	}
	s.mu.Unlock()
	for _, i := range asked {
		if err := loops[i].ping(func() { s.note(s.vigil.answered, round, i) }); err != nil {
			s.note(s.vigil.refused, round, i)
		}
	}
}

func (s *supervisor) note(what func(round, i int), round, i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what(round, i)
}

// errBusy says that a heart's last question still waits.
var errBusy = errors.New("the loop has not taken the last question yet")

// heart is the queue of questions of a loop that has no other.
type heart chan func()

func newHeart() heart { return make(heart, 1) }

// Ping puts a question into the queue; done is called by the loop.
func (h heart) Ping(done func()) error {
	select {
	case h <- done:
		return nil
	default:
		return errBusy
	}
}
