package record

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"scentpost/station/event"
)

// replace changes the first old in a line.
func replace(old, new string) func(string) string {
	return func(line string) string {
		if !strings.Contains(line, old) {
			panic("the line has no " + old)
		}
		return strings.Replace(line, old, new, 1)
	}
}

// badLines are ways to write the same small record otherwise, or to say what no station says.
var badLines = []struct {
	what   string
	change func(string) string
}{
	{"a space", replace(`:7,`, `: 7,`)},
	{"a space at the end", func(s string) string { return s + " " }},
	{"a newline at the end", func(s string) string { return s + "\n" }},
	{"a byte order mark", func(s string) string { return "\ufeff" + s }},
	{"two keys swapped", replace(`"id":"2","source":"/scentpost/v1/pristina/line-1/7c1f0a9be3d24c55"`, `"source":"/scentpost/v1/pristina/line-1/7c1f0a9be3d24c55","id":"2"`)},
	{"a key twice", replace(`"run":7`, `"run":7,"run":7`)},
	{"an unknown key", replace(`"run":7`, `"run":7,"note":"x"`)},
	{"an unknown key in the body", replace(`{"position":3}`, `{"position":3,"x":1}`)},
	{"a key that is missing in the body", replace(`{"position":3}`, `{}`)},
	{"a leading zero", replace(`"run":7`, `"run":07`)},
	{"a plus", replace(`"mono":"1`, `"mono":"+1`)},
	{"minus zero", replace(`"position":3`, `"position":-0`)},
	{"a fraction", replace(`"position":3`, `"position":3.0`)},
	{"an exponent", replace(`"position":3`, `"position":3e0`)},
	{"a number as a string", replace(`"position":3`, `"position":"3"`)},
	{"a string as a number", replace(`"mono":"1500000000"`, `"mono":1500000000`)},
	{"null", replace(`"position":3`, `"position":null`)},
	{"a number beyond 32 bits", replace(`"position":3`, `"position":2147483648`)},
	{"a number beyond 64 bits", replace(`"mono":"1500000000"`, `"mono":"9223372036854775808"`)},
	{"run 0, which is left out", replace(`"run":7`, `"run":0`)},
	{"no place in its session", replace(`,"n":2`, ``)},
	{"place 0", replace(`,"n":2`, `,"n":0`)},
	{"a place without a session", replace(`"session":"s-1",`, ``)},
	{"a first record with one before it", replace(`,"n":2`, `,"n":1`)},
	{"a later record without one before it", func(s string) string { return s[:strings.Index(s, `,"prev"`)] + s[strings.Index(s, `,"run"`):] }},
	{"a record before it in capitals", func(s string) string {
		at := strings.Index(s, `"prev":"`) + len(`"prev":"`)
		return s[:at] + strings.ToUpper(s[at:at+64]) + s[at+64:]
	}},
	{"an empty session, which is left out", replace(`"session":"s-1"`, `"session":""`)},
	{"a session that is no name", replace(`"session":"s-1"`, `"session":"s/1"`)},
	{"an escape where none is needed", replace(`"by":"beam-3"`, `"by":"\u0062eam-3"`)},
	{"an escaped slash", replace(`"by":"beam-3"`, `"by":"beam\/3"`)},
	{"capital hexadecimal digits in an escape", replace(`"by":"beam-3"`, `"by":"\u001F"`)},
	{"a long escape that has a letter", replace(`"by":"beam-3"`, `"by":"\u000a"`)},
	{"a control character", replace(`"by":"beam-3"`, "\"by\":\"\x01\"")},
	{"a lone surrogate", replace(`"by":"beam-3"`, `"by":"\ud800"`)},
	{"another time zone", replace(`789Z"`, `789+00:00"`)},
	{"fewer digits in the time", replace(`.123456789Z`, `.123456Z`)},
	{"a day that is not there", replace(`2026-11-2`, `2026-11-3`)},
	{"an instant beyond 64 bits", replace(`"time":"2026`, `"time":"2926`)},
	{"a leap second", replace(`:43.`, `:60.`)},
	{"an unknown type", replace(`scentpost.beam.entered`, `scentpost.beam.broken`)},
	{"an unknown clock", replace(`"clock":"synced"`, `"clock":"good"`)},
	{"another version", replace(`"specversion":"1.0"`, `"specversion":"1.1"`)},
	{"another source", replace(`/scentpost/v1/`, `/scentpost/v2/`)},
	{"a sealed hash on a kind that has none", replace(`,"data"`, `,"sealed":"`+strings.Repeat("ab", 32)+`","data"`)},
	{"no body", replace(`,"data":{"position":3}`, ``)},
	{"half a line", func(s string) string { return s[:len(s)/2] }},
	{"nothing", func(string) string { return "" }},
	{"two records", func(s string) string { return s + s }},
}

func TestLinesThatAreRefused(t *testing.T) {
	good, err := Encode(nil, vectorRecords()[2])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range badLines {
		if r, err := Decode([]byte(c.change(string(good)))); err == nil {
			t.Errorf("%s: accepted as %+v", c.what, r)
		}
	}
}

// TestEveryByteOfALine changes each byte to every other value: what is still accepted must be another record.
func TestEveryByteOfALine(t *testing.T) {
	for _, r := range vectorRecords() {
		line, err := Encode(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		for i, was := range line {
			for b := range 256 {
				if byte(b) == was {
					continue
				}
				line[i] = byte(b)
				if back, err := Decode(line); err == nil && reflect.DeepEqual(back, r) {
					t.Fatalf("byte %d as %#x is the same record: %s", i, b, line)
				}
			}
			line[i] = was
		}
	}
}

func TestAnErrorNamesTheByte(t *testing.T) {
	good, err := Encode(nil, vectorRecords()[2])
	if err != nil {
		t.Fatal(err)
	}
	line := replace(`"run":7`, `"run":07`)(string(good))
	_, err = Decode([]byte(line))
	if want := fmt.Sprintf("byte %d:", strings.Index(line, `07`)); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestRecordsThatCannotBeWritten(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *Record)
		want   string
	}{
		{"unknown type", func(r *Record) { r.Event.Type = "beam.broken" }, `type: unknown kind`},
		{"negative seq", func(r *Record) { r.Seq = -1 }, `seq: -1`},
		{"negative run", func(r *Record) { r.Event.Run = -1 }, `run:`},
		{"site with a slash", func(r *Record) { r.Site = "a/b" }, `site: "a/b" is no name`},
		{"no station", func(r *Record) { r.Station = "" }, `station: "" is no name`},
		{"dots", func(r *Record) { r.Epoch = ".." }, `epoch: ".." is no name`},
		{"session with a quote", func(r *Record) { r.Event.Session = `a"b` }, `session:`},
		{"boot with a newline", func(r *Record) { r.Event.At.Boot = "a\nb" }, `boot:`},
		{"no clock quality", func(r *Record) { r.Event.At.Quality = "" }, `clock: unknown quality ""`},
		{"by not UTF-8", func(r *Record) { r.Event.By = "\xff" }, `by: not UTF-8`},
		{"no place in its session", func(r *Record) { r.N = 0 }, `n, prev:`},
		{"nothing before it", func(r *Record) { r.Prev = [32]byte{} }, `n, prev:`},
		{"a place in no session", func(r *Record) { r.Event.Session = "" }, `n, prev:`},
		{"body not UTF-8", func(r *Record) {
			r.Event.Type, r.Event.Body = event.Observed, &event.Observation{Note: "\xff"}
		}, `observed: data.note: not UTF-8`},
		{"another body", func(r *Record) { r.Event.Body = &event.Press{} }, `want a *event.Beam, have *event.Press`},
		{"no body", func(r *Record) { r.Event.Body = nil }, `want a *event.Beam`},
		{"nil body", func(r *Record) { r.Event.Body = (*event.Beam)(nil) }, `want a *event.Beam`},
		{"number too large", func(r *Record) { r.Event.Body = &event.Beam{Position: maxInt + 1} }, `data.position:`},
		{"sealed without a hash", func(r *Record) {
			r.Event.Type, r.Event.Body = event.CanisterMoved, &event.Handling{}
		}, `needs the hash`},
		{"hash without a seal", func(r *Record) { r.Sealed[0] = 1 }, `no sealed body`},
		{"too long", func(r *Record) {
			r.Event.Type, r.Event.Body = event.Observed, &event.Observation{Note: strings.Repeat("x", MaxLine)}
		}, `more than 262144`},
	} {
		r := beamRecord()
		c.change(&r)
		if _, err := Encode(nil, r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range vectorRecords() {
		line, err := Encode(nil, r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := Decode(line)
		if err != nil {
			return
		}
		again, err := Encode(nil, r)
		if err != nil || string(again) != string(line) {
			t.Fatalf("accepted %q and writes %q, %v", line, again, err)
		}
	})
}
