package check_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"scentpost/simulator/hardware"
	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/journal"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// crowds is how many crowds are let loose: the storm of each is its seed's.
var crowds = pairs{200, 12}

// unleash lets a crowd loose and returns it with what did not hold.
func unleash(seed uint64, steps int, p plants) (*crowd, error) {
	c, err := newCrowd(seed, p)
	if err != nil {
		return nil, err
	}
	c.storm(steps)
	if len(c.problems) == 0 {
		c.settle()
	}
	if len(c.problems) == 0 {
		c.lives()
	}
	if len(c.problems) == 0 {
		c.verifies()
		c.bounded()
	}
	return c, nil
}

// TestARandomCrowd lets 20 clients in all roles give random commands, with buttons, beams, a slow disk and restarts among them.
// No placement is told to anybody who may not know it, no canister is open that should be shut, every session verifies, refusals
// leave a bounded record, and the station holds a whole session afterwards.
func TestARandomCrowd(t *testing.T) {
	total, sessions := map[string]int{}, map[string]int{}
	var views, placements, bundles, starts int
	for seed := range uint64(crowds.count()) {
		c := holds(t, seed, crowdSteps)
		for what, n := range c.said {
			total[what] += n
		}
		for what, n := range c.sessions {
			sessions[what] += n
		}
		views, placements, bundles, starts = views+c.secrets.views, placements+c.secrets.placements, bundles+c.secrets.bundles, starts+len(c.starts)
	}
	for _, row := range control.Commands() {
		if total[row.Name+" true"] == 0 && row.Name != "date" && row.Name != "speak" {
			t.Errorf("%s was never taken: %v", row.Name, total)
		}
		if total[row.Name+" false"] == 0 && row.Asks() {
			t.Errorf("%s was never refused", row.Name)
		}
	}
	for _, mode := range event.Modes() {
		for _, how := range []event.Ending{event.EndCompleted, event.EndAborted} {
			if sessions[fmt.Sprintf("%s %s", mode, how)] == 0 {
				t.Errorf("no session in mode %s is %s: %v", mode, how, sessions)
			}
		}
	}
	t.Logf("%d answers and views, %d placements rightly shown, %d exports, %d restarts, sessions %v", views, placements, bundles, starts, sessions)
	if placements == 0 || bundles == 0 || starts == 0 {
		t.Error("no placement, export or restart: nothing is shown")
	}
}

// holds lets the crowd of a seed loose, and fails with the seed where something does not hold.
func holds(t *testing.T, seed uint64, steps int) *crowd {
	t.Helper()
	c, err := unleash(seed, steps, plants{})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, p := range c.problems {
		t.Errorf("seed %d: %s", seed, p)
	}
	if t.Failed() {
		t.FailNow()
	}
	return c
}

// TestSoakARandomCrowd goes on with new seeds for as long as SCENTPOST_SOAK says, each of them longer than in TestARandomCrowd.
// SCENTPOST_SEED plays one of them again.
func TestSoakARandomCrowd(t *testing.T) {
	if text := os.Getenv("SCENTPOST_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, seed, soakSteps)
		return
	}
	lasts, err := time.ParseDuration(os.Getenv("SCENTPOST_SOAK"))
	if err != nil {
		t.Skip("SCENTPOST_SOAK does not say how long: make soak sets it")
	}
	began := time.Now()
	for seed := uint64(began.UnixNano()); time.Since(began) < lasts; seed++ {
		c := holds(t, seed, soakSteps)
		t.Logf("seed %d: %d answers and views, %d restarts", seed, c.secrets.views, len(c.starts))
	}
}

// settle lets go of all buttons and brings the session that is under way to its end.
func (c *crowd) settle() {
	for _, name := range []string{"alert", "start", "abort", "e-stop"} {
		c.hold(name, false)
	}
	c.y.World.RunFor(10 * time.Second)
	if c.broken {
		c.restart()
	}
	phase := func() trial.Phase { return c.y.Host.Snapshot().View.Phase }
	if p := phase(); p != trial.Idle && p != trial.Ended && c.y.Host.Snapshot().View.Aborted == nil {
		if _, err := c.y.Do(event.Assessor, control.Request{Command: "abort", Reason: "enough"}); err != nil {
			c.wrong("%v", err)
		}
	}
	c.y.World.RunWhile(func() bool { return phase() != trial.Ended && phase() != trial.Idle }, c.y.World.Mono()+int64(10*time.Minute))
	if phase() == trial.Ended {
		if _, err := c.y.Do(event.Loader, control.Request{Command: "close", AllBack: true}); err != nil {
			c.wrong("%v", err)
		}
	}
	c.overdue()
	if c.plants.calm != nil {
		c.plants.calm(c)
	}
}

// lives holds a whole session with the station.
func (c *crowd) lives() {
	if r, err := c.y.Do(event.Assessor, control.Request{Command: "status"}); err != nil || r.Status.Phase != trial.Idle {
		c.wrong("after the storm: %+v, %v", r.Status, err)
		return
	}
	if err := c.y.Prepare("short.yaml", []byte(c.plan()), nil); err != nil {
		c.wrong("no session can be prepared: %v", err)
		return
	}
	if err := c.y.Conduct(); err != nil {
		c.wrong("no session can be conducted: %v", err)
	}
}

// verifies exports each session and verifies it.
func (c *crowd) verifies() {
	list, err := c.y.Archive.Sessions()
	if err != nil || len(list) == 0 {
		c.wrong("%d sessions are listed: %v", len(list), err)
	}
	for _, s := range list {
		c.sessions[fmt.Sprintf("%s %s", s.Mode, s.How)]++
		_, bundle, err := c.y.Archive.Bundle(s.ID, true)
		if err != nil {
			c.wrong("session %s: %v", s.ID, err)
			continue
		}
		if c.plants.bundle != nil {
			bundle = c.plants.bundle(bundle)
		}
		r := verify.Verify(bundle, verify.Options{Keys: []string{c.y.Key()}})
		if !r.Consistent || r.Signer != verify.Pinned || r.Replay != verify.ReplayChecked || s.Fault != "" {
			c.wrong("session %s (%s, %s): consistent %t, signer %s, replay %s, fault %q: %v", s.ID, s.State, s.How, r.Consistent, r.Signer, r.Replay, s.Fault, r.Problems)
		}
	}
}

// bounded counts the records that refusals have left for each person.
func (c *crowd) bounded() {
	const burst, every, sums = 20, int64(200 * time.Millisecond), int64(time.Second)
	lines, err := c.y.Store.Lines(0, 1<<20, 1<<30)
	if err != nil {
		c.wrong("%v", err)
	}
	if c.plants.log != nil {
		lines = c.plants.log(lines)
	}
	refused, summed := map[string][]int64{}, map[string][]int64{}
	for _, l := range lines {
		r, err := record.Decode(l.Bytes)
		who := fmt.Sprintf("%s after %d starts", r.Event.By, c.startsBy(r.Event.At.Mono)) // with each the burst is there again
		switch {
		case err != nil:
			c.wrong("a record: %v", err)
		case r.Event.Type == event.Refused && strings.HasPrefix(r.Event.By, "p-"):
			refused[who] = append(refused[who], r.Event.At.Mono)
		case r.Event.Type == event.RefusalsSummed:
			summed[who] = append(summed[who], r.Event.At.Mono)
		}
	}
	over := func(what string, all map[string][]int64, burst int, every int64) {
		for who, at := range all {
			for i := range at {
				for j := i + burst; j < len(at); j++ {
					if at[j]-at[i] < int64(j-i-burst+1)*every {
						c.wrong("%s has %d %s within %s", who, j-i+1, what, time.Duration(at[j]-at[i]))
						return
					}
				}
			}
		}
	}
	over("refusals", refused, burst, every)
	over("sums", summed, 1, sums)
}

// startsBy returns how often the program had been started again by an instant.
func (c *crowd) startsBy(mono int64) (n int) {
	for _, at := range c.starts {
		if at <= mono {
			n++
		}
	}
	return n
}

// twice returns each line twice, in order.
func twice(lines []journal.Line) (all []journal.Line) {
	for _, l := range lines {
		all = append(all, l, l)
	}
	return all
}

// TestTheCrowdCatches plants one fault of each kind between the station and the model, and each is found.
func TestTheCrowdCatches(t *testing.T) {
	sealedRun := func(c *crowd, state trial.RunState) bool {
		return c.y.Host.Snapshot().View.Run.State == state
	}
	for name, fault := range map[string]struct {
		plants
		want string
	}{
		"a view that shows a placement": {plants{answer: func(state trial.Snapshot, who control.Person, r *control.Response) {
			if v := state.View; who.Name == "" && r.Status != nil && r.Status.Run != nil && v.Mode == event.ModeDouble && r.OK {
				run := *r.Status.Run
				run.Placement = v.Run.Placement.Reveal()
				r.Status.Run = &run
			}
		}}, "the placement of run"},
		"a reason that names a canister": {plants{answer: func(state trial.Snapshot, _ control.Person, r *control.Response) {
			if slots := state.View.Run.Placement.Reveal(); r.Refused != nil && len(slots) > 0 {
				r.First = []string{"canister " + slots[0].Canister}
			}
		}}, "before the reveal"},
		"a canister that stays open": {plants{step: func(c *crowd) {
			if sealedRun(c, trial.Searching) {
				for _, can := range c.y.Hardware.Canisters() {
					if can.State == "open" {
						if err := c.y.Hardware.Fail(can.Name, hardware.Fault{Kind: hardware.StuckOpen}); err != nil {
							c.wrong("%v", err)
						}
					}
				}
			}
		}}, "is open"},
		"a record that was changed": {plants{bundle: func(b []byte) []byte {
			b[len(b)/2] ^= 1
			return b
		}}, "consistent false"},
		"an answer that never comes":   {plants{step: func(c *crowd) { c.y.Disk.Stall(time.Minute) }}, "is not answered"},
		"refusals without a bound":     {plants{log: twice}, "refusals within"},
		"a station that holds nothing": {plants{calm: func(c *crowd) { c.y.Disk.Fill(true) }}, "no session can be"},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(crowds.few) {
				c, err := unleash(seed, crowdSteps, fault.plants)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(strings.Join(c.problems, "\n"), fault.want) {
					return
				}
				if len(c.problems) > 0 {
					t.Log(fmt.Sprint(c.problems))
				}
			}
			t.Error("not found")
		})
	}
}
