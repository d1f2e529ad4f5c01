package record

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"testing"

	"scentpost/station/event"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorFile = "testdata/vectors.json"

// vectors are what FORMAT.md promises to strangers. A change of one of them is a change of the format.
type vectors struct {
	Lines []struct {
		What string `json:"what"`
		Line string `json:"line"`
		Leaf string `json:"leaf"`
	} `json:"lines"`
	Refused []struct {
		What string `json:"what"`
		Line string `json:"line"`
	} `json:"refused"`
	Sealed []struct {
		Station string `json:"station"`
		Epoch   string `json:"epoch"`
		Seq     string `json:"seq"`
		Type    string `json:"type"`
		Nonce   string `json:"nonce"`
		Body    string `json:"body"`
		Hash    string `json:"hash"`
	} `json:"sealed"`
	Roots       []string `json:"roots"` // of the first 0, 1, 2, ... lines
	Private     string   `json:"private_key"`
	Key         string   `json:"key"`
	Checkpoints []struct {
		Size string `json:"size"`
		Note string `json:"note"`
	} `json:"checkpoints"`
	Persons []Identity `json:"persons"`
}

// vectorRecords are written to the vectors.
func vectorRecords() []Record {
	at := event.Stamp{Boot: "0d5c1f8e", Mono: 1500000000, Bound: 20000, UTC: 1795468123123456789, UTCBound: 5000000, Quality: event.Synced}
	stepped := at
	stepped.UTC, stepped.UTCBound, stepped.Quality = at.UTC-3600e9, 0, event.Unset
	rebooted := event.Stamp{Boot: "9e1b", Mono: 1, UTC: at.UTC, UTCBound: 100000000, Quality: event.Holdover}
	made := func(e event.Event) Record {
		return Record{Site: "pristina", Station: "line-1", Epoch: "7c1f0a9be3d24c55", Event: e}
	}
	records := []Record{
		made(event.Event{Type: event.EpochBegan, At: event.Stamp{Quality: event.Unset}, By: "station",
			Body: &event.Epoch{Draft: event.Draft, Site: "pristina", Why: "first", Key: "line-1+00000000+AA=="}}),
		made(event.Event{Type: event.SessionResumed, Session: "s-1", At: at, By: "p-00112233445566778899aabbccddeeff"}),
		made(event.Event{Type: event.BeamEntered, Session: "s-1", Run: 7, At: at, By: "beam-3", Body: &event.Beam{Position: 3}}),
		made(event.Event{Type: event.Observed, Session: "s-1", Run: 7, At: at.Add(-3e18), By: "p-\"quoted\"\\",
			Body: &event.Observation{What: "hesitation", Note: "tab\t newline\n bell\a <&> \u2028 Željko, Ђурић, 犬"}}),
		made(event.Event{Type: event.CanisterMoved, Session: "s-1", Run: 7, At: at, By: "station",
			Body: &event.Handling{Position: 2, Instant: event.Presented}}),
		made(event.Event{Type: event.RunArmed, Session: "s-1", Run: 2147483647, At: at, By: "station",
			Body: &event.Arming{MoveAt: 9223372036854775807, PresentedAt: -9223372036854775808}}),
		made(event.Event{Type: event.PlacementShown, Session: "s-1", At: at, By: "station", Body: &event.Shown{}}),
		made(event.Event{Type: event.ClockFixed, Session: "s-1", Run: 7, At: stepped, By: "station",
			Body: &event.ClockFix{StepNS: -3600000000000, Quality: event.Unset}}),
		made(event.Event{Type: event.ClockSaid, Session: "s-1", At: stepped, By: "p-00112233445566778899aabbccddeeff",
			Body: &event.TimeSaid{Said: "2026-11-23T22:08+01:00"}}),
		made(event.Event{Type: event.ClockFixed, Session: "s-1", At: rebooted, By: "station",
			Body: &event.ClockFix{Quality: event.Holdover, NewBoot: true}}),
	}
	records = append(records, made(event.Event{Type: event.AirSampled, Session: "s-1", Run: 7, At: at, By: "station", Body: &event.Air{
		Device: "air", MeasuredAt: 1499000000, AgeMS: 1, Readings: []event.Reading{{Quantity: event.Temperature, Milli: -3250}}}}))
	records = append(records, made(event.Event{Type: event.EdgesLost, Session: "s-1", Run: 7, At: at, By: "station", Body: &event.LostEdges{Source: "gpio"}}))
	records[4].Sealed, records[len(records)-1].Sealed = [32]byte{0xab, 31: 0xcd}, [32]byte{1}
	var chain Chain
	for i := range records {
		records[i].Seq = int64(i)
		chain.Link(&records[i])
		line, err := Encode(nil, records[i])
		if err != nil {
			panic(err)
		}
		chain.Add(&records[i], LeafHash(line))
	}
	return records
}

func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	data, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var tree Tree
	records := vectorRecords()
	if len(v.Lines) != len(records) {
		t.Fatalf("%d lines have vectors, and %d records want them", len(v.Lines), len(records))
	}
	for i, want := range v.Lines {
		if root := tree.Root(); hex.EncodeToString(root[:]) != v.Roots[i] {
			t.Errorf("root of %d lines: %x", i, root)
		}
		line, err := Encode(nil, records[i])
		if err != nil || string(line) != want.Line {
			t.Errorf("%s:\n%s\n%s (%v)", want.What, line, want.Line, err)
		}
		back, err := Decode([]byte(want.Line))
		if err != nil || !reflect.DeepEqual(back, records[i]) {
			t.Errorf("%s: read back %+v, %v", want.What, back, err)
		}
		if leaf := LeafHash([]byte(want.Line)); hex.EncodeToString(leaf[:]) != want.Leaf {
			t.Errorf("%s: leaf %x", want.What, leaf)
		}
		tree.Append([]byte(want.Line))
	}
	for _, bad := range v.Refused {
		if _, err := Decode([]byte(bad.Line)); err == nil {
			t.Errorf("accepted: %s: %s", bad.What, bad.Line)
		}
	}
	checkOtherVectors(t, v)
}

func checkOtherVectors(t *testing.T, v vectors) {
	for _, s := range v.Sealed {
		nonce, err := ParseHex32(s.Nonce)
		if err != nil {
			t.Fatal(err)
		}
		var seq int64
		if err := json.Unmarshal([]byte(s.Seq), &seq); err != nil {
			t.Fatal(err)
		}
		if hash := SealHash(s.Station, s.Epoch, seq, event.Type(s.Type), nonce, []byte(s.Body)); hex.EncodeToString(hash[:]) != s.Hash {
			t.Errorf("sealed %s: %x", s.Type, hash)
		}
		if _, err := DecodeSecret(event.Type(s.Type), []byte(s.Body)); err != nil {
			t.Error(err)
		}
	}
	if key, err := VerifierOf(v.Private); err != nil || key != v.Key {
		t.Errorf("verifier key %q, %v", key, err)
	}
	for _, c := range v.Checkpoints {
		head, err := VerifyCheckpoint([]byte(c.Note), v.Key)
		if err != nil || fmt.Sprint(head.Size) != c.Size || hex.EncodeToString(head.Root[:]) != v.Roots[head.Size] {
			t.Errorf("checkpoint of %s: %+v, %v", c.Size, head, err)
		}
	}
	for _, p := range v.Persons {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}

// writeVectors is run by hand when the format gains something: go test ./station/record -run Vectors -update.
func writeVectors(t *testing.T) {
	var v vectors
	var tree Tree
	what := []string{"first record, clock unset", "no body", "small body", "escapes, and an instant before 1970", "sealed", "largest numbers", "empty list",
		"UTC stepped back by an hour", "a person's word for the time", "a new boot", "readings of the air, below zero, without a reason", "edges lost, sealed"}
	add := func() {
		root := tree.Root()
		v.Roots = append(v.Roots, hex.EncodeToString(root[:]))
	}
	for i, r := range vectorRecords() {
		add()
		line, err := Encode(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		leaf := LeafHash(line)
		v.Lines = append(v.Lines, struct {
			What string `json:"what"`
			Line string `json:"line"`
			Leaf string `json:"leaf"`
		}{what[i], string(line), hex.EncodeToString(leaf[:])})
		tree.AppendLeaf(nil, leaf)
	}
	add()
	good := v.Lines[2].Line
	for _, bad := range badLines {
		v.Refused = append(v.Refused, struct {
			What string `json:"what"`
			Line string `json:"line"`
		}{bad.what, bad.change(good)})
	}
	writeOtherVectors(t, &v, &tree)
	out := &bytes.Buffer{}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorFile, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeOtherVectors(t *testing.T, v *vectors, tree *Tree) {
	l := Log{"pristina", "line-1", "7c1f0a9be3d24c55"}
	for _, secret := range []struct {
		kind event.Type
		body any
	}{
		{event.CanisterMoved, &event.Moves{Canister: "2B", Open: true, Commanded: 1, Confirmed: 2}},
		{event.SessionLoaded, &event.Filling{Share: "00", Salt: "01", Loading: []event.Loaded{{Position: 1, Canister: "1A", Odour: "tnt"}}}},
		{event.EdgesLost, &event.Loss{Lost: 3, From: 1, To: 2, Why: "the buffer was full"}},
	} {
		body, err := EncodeSecret(secret.kind, secret.body)
		if err != nil {
			t.Fatal(err)
		}
		nonce := [32]byte{1, 2, 3}
		hash := SealHash(l.Station, l.Epoch, 4, secret.kind, nonce, body)
		v.Sealed = append(v.Sealed, struct {
			Station string `json:"station"`
			Epoch   string `json:"epoch"`
			Seq     string `json:"seq"`
			Type    string `json:"type"`
			Nonce   string `json:"nonce"`
			Body    string `json:"body"`
			Hash    string `json:"hash"`
		}{l.Station, l.Epoch, "4", string(secret.kind), hex.EncodeToString(nonce[:]), string(body), hex.EncodeToString(hash[:])})
	}
	var err error
	if v.Private, v.Key, err = NewKey(bytes.NewReader(make([]byte, 32)), SimulatedPrefix+"vectors"); err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(l, v.Private)
	if err != nil {
		t.Fatal(err)
	}
	note, err := signer.Checkpoint(tree.Size(), tree.Root())
	if err != nil {
		t.Fatal(err)
	}
	v.Checkpoints = append(v.Checkpoints, struct {
		Size string `json:"size"`
		Note string `json:"note"`
	}{fmt.Sprint(tree.Size()), string(note)})
	v.Persons = []Identity{NewPerson([16]byte{1, 2, 3}, "Željko Đurić"), NewDog([16]byte{}, "Rex")}
}
