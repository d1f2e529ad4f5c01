package record

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/event"
	"scentpost/station/history"
)

// smallBundle is a session of a few records with a checkpoint over all of them.
func smallBundle(t testing.TB) Bundle {
	t.Helper()
	private, key, err := NewKey(bytes.NewReader(make([]byte, 32)), SimulatedPrefix+"line-1")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(testLog, private)
	if err != nil {
		t.Fatal(err)
	}
	var tree Tree
	var chain Chain
	var stored []tlog.Hash
	b := Bundle{Log: testLog, Session: "s-1", Key: key,
		Identities: []Identity{NewDog([16]byte{9}, "Rex"), NewPerson([16]byte{1}, "Arta"), NewPerson([16]byte{2}, "Nobody Here")}}
	for seq, e := range []event.Event{
		{Type: event.EpochBegan, Body: &event.Epoch{Draft: event.Draft, Site: "site", Why: "first", Key: key}},
		{Type: event.SessionOpened, Session: "s-1", Body: &event.Opening{Name: "p",
			Team: event.Team{Dog: b.Identities[0].Ref, Handler: b.Identities[1].Ref}}},
		{Type: event.RunArmed, Session: "s-1", Run: 1, Body: &event.Arming{}},
		{Type: event.RunLocked, Session: "s-1", Run: 1, Body: &event.Lock{Reason: event.LockClear}},
		{Type: event.RunArmed, Session: "s-1", Run: 2, Body: &event.Arming{}},
	} {
		e.At.Quality = event.Simulated
		r := Record{Site: "site", Station: "line-1", Epoch: "e1", Seq: int64(seq), Event: e}
		chain.Link(&r)
		line, err := Encode(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		chain.Add(&r, LeafHash(line))
		stored = tree.AppendLeaf(append([]tlog.Hash{}, stored...), LeafHash(line))
		if seq == 0 {
			b.Epoch = line
		} else {
			b.Lines = append(b.Lines, line)
		}
		if e.Type == event.RunLocked {
			note, err := signer.Checkpoint(tree.Size(), tree.Root())
			if err != nil {
				t.Fatal(err)
			}
			b.Checkpoints = append(b.Checkpoints, Checkpoint{tree.Size(), "lock", string(note)})
		}
	}
	b, err = Assemble(b, tlog.HashReaderFunc(func(ids []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ids))
		for i, id := range ids {
			out[i] = stored[id]
		}
		return out, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestABundleComesBackAsItWas(t *testing.T) {
	b := smallBundle(t)
	if len(b.Lines) != 3 {
		t.Fatalf("the record that no checkpoint covers should be left out: %d lines", len(b.Lines))
	}
	var first, second bytes.Buffer
	if err := Write(&first, b); err != nil {
		t.Fatal(err)
	}
	back, faults := Read(first.Bytes(), DefaultLimits())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if err := Write(&second, back); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("writing what was read gives other bytes")
	}
	if !reflect.DeepEqual(back.Lines, b.Lines) || back.Key != b.Key || back.Log != b.Log || !reflect.DeepEqual(back.Gaps, b.Gaps) ||
		len(back.Identities) != 2 {
		t.Errorf("%+v", back)
	}
	if s := back.Report; s.State != history.Unfinished || len(s.Runs) != 1 || s.Runs[0].How != "completed" || s.Dog != b.Identities[0].Ref {
		t.Errorf("%+v", s)
	}
}

func TestBundlesThatCannotBeWritten(t *testing.T) {
	for name, change := range map[string]func(b *Bundle){
		"no lines":           func(b *Bundle) { b.Lines = nil },
		"a broken line":      func(b *Bundle) { b.Lines = [][]byte{[]byte("{}")} },
		"a newline in a key": func(b *Bundle) { b.Key += "\n" },
		"no key":             func(b *Bundle) { b.Key = "" },
		"no epoch":           func(b *Bundle) { b.Epoch = nil },
	} {
		b := smallBundle(t)
		change(&b)
		if err := Write(io.Discard, b); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	for name, change := range map[string]func(b *Bundle){
		"no checkpoint":             func(b *Bundle) { b.Checkpoints = nil },
		"a checkpoint before it":    func(b *Bundle) { b.Checkpoints[0].Size = 1 },
		"a checkpoint after it":     func(b *Bundle) { b.Checkpoints[0].Size = 99 },
		"from the epoch's own line": func(b *Bundle) { b.Lines[0] = b.Epoch },
	} {
		b := smallBundle(t)
		change(&b)
		if _, err := Assemble(b, nil); err == nil {
			t.Errorf("%s: assembled", name)
		}
	}
}

// pack writes a zip of other people's making.
func pack(t testing.TB, method uint16, members ...Member) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, m := range members {
		head := &zip.FileHeader{Name: m.Name, Method: method}
		create := z.CreateHeader
		if method == zip.Store { // with its length at its head, as packers do
			head.CRC32, head.CompressedSize64, head.UncompressedSize64 = crc32.ChecksumIEEE(m.Data), uint64(len(m.Data)), uint64(len(m.Data))
			create = z.CreateRaw
		}
		w, err := create(head)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.Data); err != nil && len(m.Data) > 0 { // into a folder nothing can be written
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPackedByOthers(t *testing.T) {
	members, err := smallBundle(t).Members()
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(members)-1; i < j; i, j = i+1, j-1 { // in another order
		members[i], members[j] = members[j], members[i]
	}
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		if _, faults := Read(pack(t, method, members...), DefaultLimits()); len(faults) > 0 {
			t.Errorf("method %d: %v", method, faults)
		}
	}
}

func TestZipsThatAreRefused(t *testing.T) {
	small := Limits{Zip: 1 << 20, Member: 1000, Total: 1500}
	zeros := func(n int) []byte { return make([]byte, n) }
	flood := []Member{}
	for range 40 {
		flood = append(flood, Member{MemberKey, nil})
	}
	bomb := pack(t, zip.Deflate, Member{MemberRecords, zeros(1_000_000)})
	for name, c := range map[string]struct {
		zip  []byte
		want string
	}{
		"nothing":            {nil, "not a zip"},
		"junk":               {[]byte(strings.Repeat("junk", 1000)), "not a zip"},
		"too large":          {zeros(1<<20 + 1), "more than 1048576"},
		"a bomb":             {bomb, "records.jsonl: unpacks to more than"},
		"a bomb that lies":   {lie(t, bomb), "records.jsonl: "},
		"many small bombs":   {pack(t, zip.Deflate, Member{MemberRecords, zeros(900)}, Member{MemberReport, zeros(900)}), "report.json: unpacks to more than the 600"},
		"many members":       {pack(t, zip.Store, flood...), "40 members"},
		"twice":              {pack(t, zip.Store, Member{MemberKey, nil}, Member{MemberKey, nil}), "key.txt: is there twice"},
		"unknown":            {pack(t, zip.Store, Member{"../key.txt", nil}), "../key.txt: no bundle has this member"},
		"a name that steers": {pack(t, zip.Store, Member{"\x1b[2Jkey", nil}), `\x1b[2Jkey: no bundle`},
		"a folder":           {pack(t, zip.Store, Member{"key.txt/", nil}), "no bundle has this member"},
	} {
		_, faults := Read(c.zip, small)
		if len(faults) != 1 || !strings.Contains(faults[0].Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, faults, c.want)
		}
	}
}

// lie makes a deflated zip of one member say that it unpacks to 10 bytes.
func lie(t *testing.T, bomb []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, 9)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(make([]byte, 1_000_000))
	_ = w.Close()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	raw, err := z.CreateRaw(&zip.FileHeader{Name: MemberRecords, Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: 10})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = raw.Write(packed.Bytes())
	_ = z.Close()
	if bytes.Equal(out.Bytes(), bomb) {
		t.Fatal("the zip does not lie")
	}
	return out.Bytes()
}

func TestAFlippedByteOfTheZipNamesTheMember(t *testing.T) {
	members, err := smallBundle(t).Members()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteZip(&out, members); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		at := bytes.Index(out.Bytes(), m.Data)
		for _, i := range []int{0, len(m.Data) / 2, len(m.Data) - 1} {
			changed := bytes.Clone(out.Bytes())
			changed[at+i] ^= 1
			if _, faults := Read(changed, DefaultLimits()); len(faults) != 1 || faults[0].Member != m.Name {
				t.Errorf("%s byte %d: %v", m.Name, i, faults)
			}
		}
	}
}

func FuzzBundle(f *testing.F) {
	members, err := smallBundle(f).Members()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pack(f, zip.Store, members...))
	f.Add(pack(f, zip.Deflate, members...))
	f.Add(pack(f, zip.Store, members[3:]...))
	limits := Limits{Zip: 1 << 20, Member: 1 << 20, Total: 1 << 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, faults := Read(data, limits)
		if len(faults) > 0 {
			for _, fault := range faults {
				_ = fault.Error()
			}
			return
		}
		// The form holds, hence writing it again gives the same members, but for what is made from the lines.
		again, err := b.Members()
		if err != nil {
			return // the lines themselves are for package verify
		}
		read, _ := ReadZip(data, limits)
		for _, m := range read {
			for _, n := range again {
				derived := n.Name == MemberReport || n.Name == MemberManifest
				if m.Name == n.Name && !derived && !bytes.Equal(m.Data, n.Data) {
					t.Fatalf("%s is written otherwise:\n%s\n%s", m.Name, m.Data, n.Data)
				}
			}
		}
	})
}

// FuzzMembers changes one member of a good bundle and writes the manifest anew, which plain fuzzing never does.
func FuzzMembers(f *testing.F) {
	members, err := smallBundle(f).Members()
	if err != nil {
		f.Fatal(err)
	}
	for i, m := range members {
		f.Add(byte(i), m.Data)
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		changed := append([]Member{}, members...)
		changed[int(which)%len(changed)].Data = data
		if relisted, err := WithManifest(changed); err == nil {
			_, faults := Parse(relisted)
			_ = fmt.Sprint(faults)
		}
		_, _ = Parse(changed)
	})
}
