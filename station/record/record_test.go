package record

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"scentpost/station/event"
)

// drawValue fills a body with anything that its Go type can hold and a record can say.
func drawValue(t *rapid.T, v reflect.Value, label string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.String().Draw(t, label))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, label))
	case reflect.Int:
		v.SetInt(rapid.Int64Range(-maxInt, maxInt).Draw(t, label))
	case reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, label))
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, label+" length")
		for i := range n {
			v.Grow(1)
			v.SetLen(i + 1)
			drawValue(t, v.Index(i), label)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			drawValue(t, v.Field(i), label+"."+v.Type().Field(i).Name)
		}
	}
}

// kinds are the kinds of events in a fixed order, so that rapid can draw one.
var kinds = func() []event.Type {
	all := event.Types()
	// In the order of their names.
	for i := range all {
		for j := i; j > 0 && all[j] < all[j-1]; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	return all
}()

func drawRecord(t *rapid.T) Record {
	name := rapid.StringMatching(`[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}`)
	r := Record{
		Site: name.Draw(t, "site"), Station: name.Draw(t, "station"), Epoch: name.Draw(t, "epoch"),
		Seq: rapid.Int64Min(0).Draw(t, "seq"),
		Event: event.Event{
			Type: rapid.SampledFrom(kinds).Draw(t, "type"),
			Run:  int(rapid.Int64Range(0, maxInt).Draw(t, "run")),
			By:   rapid.String().Draw(t, "by"),
			At: event.Stamp{
				Mono: rapid.Int64().Draw(t, "mono"), Bound: rapid.Int64().Draw(t, "bound"),
				UTC: rapid.Int64().Draw(t, "utc"), UTCBound: rapid.Int64().Draw(t, "utc bound"),
				Quality: rapid.SampledFrom([]event.Quality{event.Unset, event.Holdover, event.Synced, event.Simulated}).Draw(t, "clock"),
			},
		},
	}
	if rapid.Bool().Draw(t, "in a session") {
		r.Event.Session, r.Event.At.Boot = name.Draw(t, "session"), name.Draw(t, "boot")
		if r.N = int(rapid.Int64Range(1, maxInt).Draw(t, "n")); r.N > 1 {
			r.Prev = [32]byte{byte(rapid.IntRange(0, 255).Draw(t, "prev")), 31: 1}
		}
	}
	if event.IsSealed(r.Event.Type) {
		r.Sealed = [32]byte{1, byte(rapid.IntRange(0, 255).Draw(t, "sealed"))}
	}
	if body := event.NewBody(r.Event.Type); body != nil {
		drawValue(t, reflect.ValueOf(body).Elem(), "body")
		r.Event.Body = body
	}
	return r
}

func TestWhatIsEncodedIsDecodedToTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		line, err := Encode(nil, r)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		if bytes.ContainsAny(line, "\n\r") || !json.Valid(line) {
			t.Fatalf("no line of JSON: %q", line)
		}
		back, err := Decode(line)
		if err != nil {
			t.Fatalf("decode %s: %v", line, err)
		}
		if !reflect.DeepEqual(back, r) {
			t.Fatalf("came back changed:\n%+v\n%+v", r, back)
		}
	})
}

// TestBodiesAreWhatOtherEncodersRead holds our hand-written bodies against encoding/json.
func TestBodiesAreWhatOtherEncodersRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		line, err := Encode(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		var outer struct {
			SpecVersion string          `json:"specversion"`
			ID          json.Number     `json:"id"`
			Data        json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(line, &outer); err != nil {
			t.Fatal(err)
		}
		if r.Event.Body == nil {
			if outer.Data != nil {
				t.Fatalf("data without a body: %s", line)
			}
			return
		}
		body := event.NewBody(r.Event.Type)
		strict := json.NewDecoder(bytes.NewReader(outer.Data))
		strict.DisallowUnknownFields()
		if err := strict.Decode(body); err != nil {
			t.Fatal(err)
		}
		again, err := shapes[r.Event.Type].public.appendBody(nil, body)
		if err != nil || !bytes.Equal(again, outer.Data) {
			t.Fatalf("encoding/json read another body: %s, %s, %v", again, outer.Data, err)
		}
	})
}

func TestTreeIsTheLogOfTlog(t *testing.T) {
	var tree Tree
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(ids []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ids))
		for i, id := range ids {
			out[i] = stored[id]
		}
		return out, nil
	})
	for n := range int64(300) {
		want, err := tlog.TreeHash(n, reader)
		if err != nil || tree.Root() != want || tree.Size() != n {
			t.Fatalf("root of %d records: %v, want %v (%v)", n, tree.Root(), want, err)
		}
		restored, err := RestoreTree(n, reader)
		if err != nil || restored.Root() != want {
			t.Fatalf("restored root of %d records: %v, %v", n, restored.Root(), err)
		}
		again, err := NewTree(n, tree.Edge())
		if err != nil || again.Root() != want {
			t.Fatalf("root of %d records from the edge: %v, %v", n, again.Root(), err)
		}
		line := []byte(strings.Repeat("x", int(n)))
		hashes, err := tlog.StoredHashes(n, line, reader)
		if err != nil {
			t.Fatal(err)
		}
		for from := range n {
			nodes, err := subtrees(from, n, reader)
			if err != nil {
				t.Fatal(err)
			}
			before, err := RestoreTree(from, reader)
			if err != nil {
				t.Fatal(err)
			}
			if err := before.AppendGap(Gap{from, n, nodes}); err != nil || before.Root() != want {
				t.Fatalf("root of %d records with a gap from %d: %v, %v", n, from, before.Root(), err)
			}
		}
		got := tree.AppendLeaf(make([]tlog.Hash, 0, 8), LeafHash(line))
		if !reflect.DeepEqual(got, hashes) {
			t.Fatalf("hashes stored with record %d differ from tlog's", n)
		}
		stored = append(stored, hashes...)
	}
}

// TestTheLargestEnvelopeFits fills all that stands in a line beside its body, of which BodyLength tells.
func TestTheLargestEnvelopeFits(t *testing.T) {
	name := strings.Repeat("x", maxName)
	body := &event.Handling{Position: 3, Instant: event.Presented}
	r := Record{Site: name, Station: name, Epoch: name, Seq: 1<<63 - 1, N: maxInt, Prev: [32]byte{1}, Sealed: [32]byte{1}, Event: event.Event{Type: event.CanisterMoved,
		Session: name, Run: maxInt, By: strings.Repeat("ë", 100), Body: body,
		At: event.Stamp{Boot: name, Mono: 1<<63 - 1, Bound: 1<<63 - 1, UTC: 1<<63 - 1, Quality: event.Simulated, UTCBound: 1<<63 - 1}}}
	line, err := Encode(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	length, err := BodyLength(r.Event.Type, body)
	if err != nil || string(line[len(line)-1-length:len(line)-1]) != `{"position":3,"instant":"presented"}` {
		t.Errorf("the body has %d bytes in %s (%v)", length, line, err)
	}
	if beside := len(line) - length; beside > MaxEnvelope {
		t.Errorf("an envelope takes %d bytes, more than %d", beside, MaxEnvelope)
	}
	if _, err := BodyLength(event.RunStarted, nil); err == nil {
		t.Error("a kind without a body has a length")
	}
}
