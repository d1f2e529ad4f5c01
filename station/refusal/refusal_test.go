package refusal

import (
	"encoding/json"
	"reflect"
	"testing"

	"scentpost/station/event"
)

func TestAReasonKeepsItsValues(t *testing.T) {
	r := New("no-position", "position", 9, "positions", []int{1, 2}, "roles", []event.Role{event.Loader}, "name", "{position}")
	want := map[string]string{"position": "9", "positions": "1, 2", "roles": "loader", "name": "{position}"}
	if !reflect.DeepEqual(r.Values, want) {
		t.Errorf("it holds %v", r.Values)
	}
	if got := r.Fill("{name}: {position} of {positions}, {unknown}"); got != "{position}: 9 of 1, 2, {unknown}" {
		t.Errorf("filled it reads %q", got)
	}
	if got := r.Error(); got != "no-position (name {position}, position 9, positions 1, 2, roles loader)" {
		t.Errorf("it is %q", got)
	}
	if got := New("no-run").Error(); got != "no-run" {
		t.Errorf("without values it is %q", got)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again *Reason
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("%s comes back as %+v, %v", text, again, err)
	}
	if text, err := json.Marshal(struct {
		Why *Reason `json:"why,omitempty"`
	}{}); err != nil || string(text) != "{}" {
		t.Errorf("no reason is %s, %v", text, err)
	}
}

func TestSays(t *testing.T) {
	var none *Reason
	if none.Says("") || none.Says("no-run") || !New("no-run").Says("no-run") || New("no-run").Says("no-position") {
		t.Error("a code is taken for another one")
	}
}

// TestAPlacementStaysSealed in a reason that somebody puts it into.
func TestAPlacementStaysSealed(t *testing.T) {
	secret := event.NewPlacement([]event.Slot{{Position: 1, Canister: "1Q", Kind: event.Target, Odour: "secretodour"}})
	for _, value := range []any{secret, &secret, []event.Placement{secret}} {
		if got := New("oops", "placement", value).Value("placement"); got != "sealed" {
			t.Errorf("%T reads %q", value, got)
		}
	}
}

// A reason without its last value says so by its name, and stops nothing.
func TestAForgottenValue(t *testing.T) {
	if got := New("odd", "a", 1, "b").Error(); got != "odd (a 1, b b)" {
		t.Error(got)
	}
}

func TestSame(t *testing.T) {
	one := New("a", "on", 1)
	for _, c := range []struct {
		of, other *Reason
		want      bool
	}{
		{nil, nil, true}, {one, nil, false}, {nil, one, false}, {one, New("a", "on", "1"), true}, {one, New("b", "on", 1), false}, {one, New("a", "on", 2), false}, {one, New("a"), false},
	} {
		if got := c.of.Same(c.other); got != c.want {
			t.Errorf("%v and %v are the same: %t, want %t", c.of, c.other, got, c.want)
		}
	}
}
