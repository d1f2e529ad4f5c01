package hardware

import (
	"bufio"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"
)

func TestProbe(t *testing.T) {
	serve(t, 10, func(r *rig) {
		if s := answer(t, r.probe, Question{Go: true}); r.goes != 1 || s.Error != "" || s.Scale != 10 || len(s.Canisters) != 8 || s.Client {
			t.Errorf("%d goes, %+v", r.goes, s)
		}
		answer(t, r.probe, Question{Press: ButtonEStop, HeldMS: 1000})
		if l := r.level("button.estop"); !l {
			t.Error("the button is not down")
		}
		time.Sleep(time.Second)
		if l := r.level("button.estop"); l {
			t.Error("the button is still down")
		}
		for says, q := range map[string]Question{
			"no button":     {Press: "bell"},
			"no canister":   {Fail: &Failing{Canister: "9Z"}},
			"unknown fault": {Fail: &Failing{Canister: "1A", Kind: "bent"}},
			"after_ms -1":   {Fail: &Failing{Canister: "1A", AfterMS: -1}},
			"held_ms -5":    {HeldMS: -5},
		} {
			if s := answer(t, r.probe, q); !strings.Contains(s.Error, says) {
				t.Errorf("%+v: %q, want %q", q, s.Error, says)
			}
		}
		if s := answer(t, r.probe, Question{Fail: &Failing{Canister: "1A", Kind: FallsShut, AfterMS: 500}}); s.Error != "" {
			t.Error(s.Error)
		}
	})
}

// level reads a line on the world's own terms: through a client.
func (r *rig) level(line string) bool {
	r.Helper()
	p := r.dial()
	defer p.leave()
	return p.ask(levelOf(line)).Level
}

// TestProbeTakesSeveralQuestionsAndBadOnes: a bad line is answered, and the next one still is.
func TestProbeTakesSeveralQuestionsAndBadOnes(t *testing.T) {
	serve(t, 1, func(r *rig) {
		conn := r.probe.dial()
		defer conn.Close()
		answers := json.NewDecoder(bufio.NewReader(conn))
		for _, c := range []struct{ text, says string }{
			{`{"probe":true}`, ""}, {`{"prob":true}`, "unknown field"}, {`[]`, "expected"}, {`{"probe":true} x`, "after the question"}, {`{"go":true}`, ""},
		} {
			if _, err := conn.Write([]byte(c.text + "\n")); err != nil {
				t.Fatal(err)
			}
			var s State
			if err := answers.Decode(&s); err != nil {
				t.Fatal(err)
			}
			if (c.says == "") != (s.Error == "") || !strings.Contains(s.Error, c.says) {
				t.Errorf("%s: %q, want %q", c.text, s.Error, c.says)
			}
		}
		if r.goes != 1 {
			t.Errorf("%d goes", r.goes)
		}
		time.Sleep(probeWithin) // silence ends it
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("a silent probe is kept")
		}
	})
}

func TestAskWithoutAStation(t *testing.T) {
	if _, err := Ask("unix", t.TempDir()+"/none", Question{}, time.Second); err == nil || !strings.Contains(err.Error(), "ask the virtual station") {
		t.Errorf("%v", err)
	}
	l, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(c).ReadString('\n')
			_ = c.Close()
		}
	}()
	if _, err := Ask("unix", l.Addr().String(), Question{}, 10*time.Second); err == nil || !strings.Contains(err.Error(), "answer") {
		t.Errorf("%v", err)
	}
}

func FuzzParseQuestion(f *testing.F) {
	for _, seed := range []string{`{"probe":true}`, `{"go":true,"press":"alert","held_ms":200}`,
		`{"fail":{"canister":"1A","kind":"falls shut","after_ms":5000}}`, `{"fail":{"canister":"1A","kind":"slow","factor":20}}`, `{`, `null`, `{"held_ms":1e9}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		q, err := ParseQuestion(text)
		if err != nil {
			if q != (Question{}) {
				t.Fatal("an error with a question")
			}
			return
		}
		again, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseQuestion(again); err != nil || (back.Fail == nil) != (q.Fail == nil) || back.Press != q.Press {
			t.Fatalf("%s came back as %+v, %v", text, back, err)
		}
	})
}
