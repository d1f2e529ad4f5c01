package health_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/health"
)

func at(utc int64) event.Stamp { return event.Stamp{UTC: utc} }

func TestRaiseAndClear(t *testing.T) {
	var s health.Set
	if s.Worst() != 0 || len(s.Snapshot()) != 0 || s.Clear(health.BrokerAway, "", at(4)) {
		t.Error("the zero value is not healthy")
	}
	if !s.Raise(health.BrokerAway, "broker", "connection refused", at(5)) {
		t.Error("the first raise is no news")
	}
	if s.Raise(health.BrokerAway, "broker", "timed out", at(9)) {
		t.Error("the second raise is news")
	}
	s.Raise(health.DeviceAbsent, "beam-2", "no line beam2", at(7))
	s.Raise(health.DeviceAbsent, "beam-1", "no line beam1", at(8))
	s.Raise(health.JournalFull, "", "0 bytes free", at(9))
	var got []string
	for _, c := range s.Snapshot() {
		got = append(got, fmt.Sprintf("%s %s %s %q %d %d", c.Severity, c.Code, c.On, c.Evidence, c.Since, c.Times))
	}
	want := `stop journal-full  "0 bytes free" 9 1
fault device-absent beam-1 "no line beam1" 8 1
fault device-absent beam-2 "no line beam2" 7 1
warning broker-away broker "timed out" 5 2`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if s.Worst() != health.Stop || !s.Holds(health.JournalFull, "") || !s.Clear(health.JournalFull, "", at(10)) || s.Holds(health.JournalFull, "") {
		t.Error("the full disk does not clear")
	}
	if s.Worst() != health.Fault {
		t.Errorf("worst is %s", s.Worst())
	}
}

func TestUnknownCodePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unknown code is taken")
		}
	}()
	new(health.Set).Raise("no-such-code", "", "", at(0))
}

// TestEveryCodeSaysWhatToDo: a condition without a title, a severity or a next step helps nobody.
func TestEveryCodeSaysWhatToDo(t *testing.T) {
	for _, code := range health.Codes() {
		var s health.Set
		s.Raise(code, "", "", at(0))
		c := s.Snapshot()[0]
		if c.Title == "" || c.Todo == "" || c.Severity < health.Notice || c.Severity > health.Stop || strings.HasSuffix(c.Title, ".") {
			t.Errorf("%+v", c)
		}
		if !health.Known(code) || strings.ToLower(string(code)) != string(code) || strings.ContainsAny(string(code), " _.") {
			t.Errorf("%q is not written as a code", code)
		}
	}
	if health.Known("no-such-code") {
		t.Error("any code is known")
	}
}

func TestJSON(t *testing.T) {
	var s health.Set
	s.Raise(health.ButtonStuck, "button-alert", "held for 12 s", at(3))
	out, err := json.Marshal(s.Snapshot())
	want := `[{"code":"button-stuck","on":"button-alert","title":"A button is stuck","severity":"fault","evidence":"held for 12 s",` +
		`"todo":"let the button go; look for what holds it down","since":"3","times":1}]`
	if err != nil || string(out) != want {
		t.Errorf("got %s, %v\nwant %s", out, err, want)
	}
	var back []health.Condition
	if err := json.Unmarshal(out, &back); err != nil || back[0] != s.Snapshot()[0] {
		t.Errorf("came back as %+v, %v", back, err)
	}
	for _, bad := range []string{`"none"`, `""`, `"FAULT"`} {
		var got health.Severity
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s is taken as %s", bad, got)
		}
	}
	if got := health.Severity(9).String(); got != "severity 9" {
		t.Errorf("got %s", got)
	}
}
