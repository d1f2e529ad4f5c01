package control

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	for text, says := range map[string]string{
		`{"command":"arm","as":"Ada"}`:             "",
		`{"command":"void","reason":"two\nlines"}`: "",
		``:                                  "not one JSON object",
		`null`:                              "unknown command \"\"",
		`[]`:                                "not one JSON object",
		`"arm"`:                             "not one JSON object",
		`{"command":"arm"`:                  "not one JSON object",
		`{"command":"arm"} {}`:              "more after",
		`{"command":"arm"}x`:                "more after",
		`{"command":"shutdown"}`:            "want one of abort, arm, boards, call",
		`{"command":"arm","seed":1}`:        "unknown field \"seed\"",
		`{"command":"call","position":"3"}`: "position",
		`{"command":"call","position":1.5}`: "position",
		`{"command":"call","position":99999999999999999999}`:                  "position",
		`{"command":"open","dog":"p-0123"}`:                                   "kept for references",
		`{"command":"arm","as":"p-0123"}`:                                     "kept for references",
		`{"command":"open","dog":"\u001b[2J"}`:                                "control character U+001B",
		`{"command":"open","dog":"Re\nx"}`:                                    "control character U+000A",
		`{"command":"void","reason":"` + strings.Repeat("x", 2001):            "not one JSON object",
		`{"command":"void","reason":"` + strings.Repeat("x", 2001) + `"}`:     "reason is longer than 2000 bytes",
		`{"command":"open","plan":"` + strings.Repeat("x", MaxRequest) + `"}`: "longer than 1048576 bytes",
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
	for _, name := range Commands() {
		f.Add([]byte(`{"command":"` + name + `","as":"Ada","position":1,"reason":"r","dice":"1 2 3 4 5","missing":true,"back":3}`))
	}
	f.Add([]byte(`{"command":"open","plan":"plan: x\n","dog":"Rex"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRequest(data)
		if err != nil {
			return
		}
		if _, known := may[r.Command]; !known || len(r.Reason) > maxText || len(r.As) > maxText {
			t.Fatalf("taken: %+v", r)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseRequest(text); len(text) <= MaxRequest && (err != nil || again != r) {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
