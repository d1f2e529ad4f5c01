package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
)

// TestASecretPrintsAsSealed tries every way in which a value reaches a log, a message or an error.
func TestASecretPrintsAsSealed(t *testing.T) {
	const odour = "nitroglycerine"
	placement := event.NewPlacement([]event.Slot{{Position: 1, Canister: "1A", Kind: event.Target, Odour: odour}})
	wrapped := event.Seal(odour)
	for _, secret := range []any{placement, &placement, wrapped, &wrapped, struct{ P event.Placement }{placement},
		struct{ S event.Sealed[string] }{wrapped}, []event.Placement{placement}, map[string]event.Sealed[string]{"x": wrapped}} {
		texts := []string{fmt.Sprint(secret), fmt.Errorf("failed with %w", fmt.Errorf("%v", secret)).Error()}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, secret))
		}
		text, err := json.Marshal(secret)
		if err != nil {
			t.Errorf("%T: %v", secret, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret)
		for _, text := range append(texts, string(text), log.String()) {
			if strings.Contains(text, odour) || strings.Contains(text, "1A") || strings.Contains(text, fmt.Sprintf("%x", odour)) {
				t.Errorf("%T prints as %q", secret, text)
			}
			if !strings.Contains(text, event.Hidden) {
				t.Errorf("%T prints as %q, which does not say that it is sealed", secret, text)
			}
		}
	}
	if placement.Reveal()[0].Odour != odour || wrapped.Reveal() != odour {
		t.Error("a reveal does not give what was sealed")
	}
}

func TestStamps(t *testing.T) {
	s := event.Stamp{Boot: "b", Mono: 1000, UTC: 5000, Bound: 10}
	later := s.Add(time.Microsecond)
	if later.Mono != 2000 || later.UTC != 6000 || later.Bound != 10 || later.Sub(s) != time.Microsecond {
		t.Errorf("a microsecond later: %+v", later)
	}
	if s.AtMono(500).UTC != 4500 {
		t.Errorf("moved back: %+v", s.AtMono(500))
	}
	for _, c := range []struct {
		gap, bound, other int64
		want              bool
	}{{0, 0, 0, true}, {1, 0, 0, false}, {5, 3, 2, true}, {6, 3, 2, false}, {-5, 3, 2, true}} {
		a, b := event.Stamp{Mono: 100, Bound: c.bound}, event.Stamp{Mono: 100 + c.gap, Bound: c.other}
		if a.Overlaps(b) != c.want || b.Overlaps(a) != c.want {
			t.Errorf("%d ns apart, bounds %d and %d: overlap %t, want %t", c.gap, c.bound, c.other, a.Overlaps(b), c.want)
		}
	}
}

func TestTheTableOfKinds(t *testing.T) {
	for _, kind := range event.Types() {
		if !event.Known(kind) {
			t.Errorf("%s is in the table and not known", kind)
		}
		if event.IsSealed(kind) != (event.NewSecret(kind) != nil) {
			t.Errorf("%s: sealed, but without a sealed body, or the other way round", kind)
		}
		if a, b := event.NewBody(kind), event.NewBody(kind); a != nil && a == b {
			t.Errorf("%s: two bodies are one", kind)
		}
	}
	if event.Known("nonsense") || event.NewBody("nonsense") != nil || event.NewSecret("nonsense") != nil || !event.HoldsBody("nonsense", nil) {
		t.Error("nonsense is a kind of event")
	}
}

// TestABodyIsOfItsKind: a kind holds what is made for it, and nothing else; nil alone where it has none.
func TestABodyIsOfItsKind(t *testing.T) {
	for _, kind := range event.Types() {
		for what, c := range map[string]struct {
			own   any
			holds func(event.Type, any) bool
		}{"public": {event.NewBody(kind), event.HoldsBody}, "sealed": {event.NewSecret(kind), event.HoldsSecret}} {
			if !c.holds(kind, c.own) || c.holds(kind, nil) != (c.own == nil) {
				t.Errorf("%s does not hold its own %s body %T, or nil", kind, what, c.own)
			}
			for _, other := range event.Types() {
				if body := event.NewBody(other); body != nil && reflect.TypeOf(body) != reflect.TypeOf(c.own) && c.holds(kind, body) {
					t.Errorf("%s holds the body of %s as its %s one", kind, other, what)
				}
			}
			if c.own == nil {
				continue
			}
			if none := reflect.Zero(reflect.TypeOf(c.own)).Interface(); c.holds(kind, none) {
				t.Errorf("%s holds a %T that points to nothing", kind, none)
			}
			if value := reflect.ValueOf(c.own).Elem().Interface(); c.holds(kind, value) {
				t.Errorf("%s holds a %T that is no pointer", kind, value)
			}
		}
	}
}
