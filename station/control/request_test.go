package control

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	for text, says := range map[string]string{
		`{"command":"arm","as":"Ada"}`:             "",
		`{"command":"void","reason":"two\nlines"}`: "",
		``:                                  "not one JSON object",
		`null`:                              "command-unknown (command ",
		`[]`:                                "not one JSON object",
		`"arm"`:                             "not one JSON object",
		`{"command":"arm"`:                  "not one JSON object",
		`{"command":"arm"} {}`:              "more after",
		`{"command":"arm"}x`:                "more after",
		`{"command":"shutdown"}`:            "commands open, load, seal, arm",
		`{"command":"arm","seed":1}`:        "unknown field \"seed\"",
		`{"command":"call","position":"3"}`: "position",
		`{"command":"call","position":1.5}`: "position",
		`{"command":"call","position":99999999999999999999}`:                  "position",
		`{"command":"open","dog":"p-0123456789abcdef0123456789abcdef"}`:       "text-reserved",
		`{"command":"arm","as":"p-0123456789abcdef0123456789abcdef"}`:         "text-reserved",
		`{"command":"open","dog":"\u001b[2J"}`:                                "text-unseen (argument dog, sign U+001B)",
		`{"command":"open","dog":"Re\nx"}`:                                    "text-unseen (argument dog, sign U+000A)",
		`{"command":"void","reason":"` + strings.Repeat("x", 2001):            "not one JSON object",
		`{"command":"void","reason":"` + strings.Repeat("x", 2001) + `"}`:     "text-too-long (argument reason, most 2000)",
		`{"command":"open","plan":"` + strings.Repeat("x", MaxRequest) + `"}`: "request-too-long (most 1048576)",
		"\x00\xff\xfe":                       "not one JSON object",
		strings.Repeat(`{"command":`, 20000): "not one JSON object",
	} {
		_, err := ParseRequest([]byte(text))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%.80s: %v, want %q", text, err, says)
		}
	}
}

// FuzzParseRequest: whatever comes in, what is taken is a known command of bounded texts, and comes out of its own
// JSON again.
func FuzzParseRequest(f *testing.F) {
	for name, c := range asked(f) {
		c.request.Command, c.request.As = name, "Ada"
		text, err := json.Marshal(c.request)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"command":"close","as":"Ada","note":"r\n","all_back":true,"back":3}`))
	f.Add([]byte(`{"command":"open","plan":"plan: x\n","dog":"Rex"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, why := ParseRequest(data)
		if why != nil {
			return
		}
		if find(r.Command) == nil || len(r.Reason) > maxText || len(r.As) > maxText {
			t.Fatalf("taken: %+v", r)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if again, why := ParseRequest(text); len(text) <= MaxRequest && (why != nil || !reflect.DeepEqual(again, r)) {
			t.Fatalf("%s: %v", text, why)
		}
	})
}
