package main

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestVigil(t *testing.T) {
	const patience = 15 * time.Second
	at := func(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
	v := vigil{patience: patience}
	if late := v.late(at(1000)); late != nil {
		t.Errorf("nobody is watched, and %v are late", late)
	}
	v.watch(2, at(100))
	for i := range 2 {
		if !v.ask(i, at(100)) {
			t.Errorf("%d is not to be asked", i)
		}
	}
	if v.ask(0, at(105)) {
		t.Error("asked again while the question waits")
	}
	v.answered(1, 0)
	if late := v.late(at(114.999)); late != nil {
		t.Errorf("late before its time: %v", late)
	}
	if late := v.late(at(115)); !slices.Equal(late, []int{1}) {
		t.Errorf("late: %v", late)
	}
	v.answered(1, 1) // better late than never
	if late := v.late(at(500)); late != nil {
		t.Errorf("all have answered and were not asked again, and %v are late", late)
	}
	v.ask(0, at(500))
	v.refused(1, 0)
	if !v.ask(0, at(510)) {
		t.Error("not asked again after the queue took no question")
	}
	if late := v.late(at(515)); !slices.Equal(late, []int{0}) {
		t.Errorf("with a question refused, late: %v", late)
	}
	v.watch(1, at(600))
	v.ask(0, at(600))
	v.answered(1, 0)
	v.refused(1, 0)
	v.answered(1, 1) // of a loop that there is no more
	if v.ask(0, at(601)) {
		t.Error("a question of an earlier round counts")
	}
	if late := v.late(at(615)); !slices.Equal(late, []int{0}) {
		t.Errorf("an answer of an earlier round counts: late %v", late)
	}
}

// TestVigilProperties: whoever answers within its patience is never late; whoever stops is late from its patience
// after the first question on that it leaves open, and stays so.
func TestVigilProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patience := time.Duration(rapid.IntRange(1, 1000).Draw(t, "patience"))
		v := vigil{patience: patience}
		v.watch(2, 0)
		dies := time.Duration(rapid.IntRange(0, 5000).Draw(t, "loop 1 dies"))
		var now, open time.Duration
		answersAt, opened := time.Duration(-1), false
		for now < dies+3*patience {
			if answersAt >= 0 && answersAt <= now {
				v.answered(1, 0)
				answersAt = -1
			}
			if late := slices.Contains(v.late(now), 0); late {
				t.Fatalf("loop 0 always answers, and is late at %d", now)
			}
			if late := slices.Contains(v.late(now), 1); opened && late != (now-open >= patience) {
				t.Fatalf("loop 1 leaves the question of %d open; late at %d: %v", open, now, late)
			}
			if v.ask(0, now) {
				answersAt = now + time.Duration(rapid.IntRange(0, int(patience)-1).Draw(t, "takes"))
			}
			if v.ask(1, now) {
				if now < dies {
					v.answered(1, 1)
				} else if open, opened = now, true; v.debts[1].since < now {
					open = v.debts[1].since // never answered at all: owed since the beginning
				}
			}
			step := time.Duration(rapid.IntRange(1, max(1, int(patience)/3)).Draw(t, "step"))
			if answersAt >= 0 {
				step = min(step, max(1, answersAt-now)) // it answers on time, not at the next look
			}
			now += step
		}
		if !opened {
			t.Fatal("loop 1 was never asked after its end")
		}
	})
}
