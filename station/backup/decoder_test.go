package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"scentpost/station/event"
)

// again decodes a backup and encodes what came out.
func again(text []byte) ([]byte, Summary, error) {
	var out bytes.Buffer
	d, e := NewDecoder(bytes.NewReader(text)), NewEncoder(&out)
	for {
		item, err := d.Next()
		if errors.Is(err, io.EOF) {
			err = e.Close()
			return out.Bytes(), d.Summary(), err
		}
		if err == nil {
			err = e.Write(item)
		}
		if err != nil {
			return nil, d.Summary(), err
		}
	}
}

// TestABackupIsWrittenInOneWay: what was read is written again, byte for byte.
func TestABackupIsWrittenInOneWay(t *testing.T) {
	h := newHouse(t)
	private := live(t, h).private
	for _, key := range []string{"", private} {
		whole := text(t, h, key)
		got, s, err := again(whole)
		if err != nil || !bytes.Equal(got, whole) || s.WithKey != (key != "") {
			t.Errorf("%v, %+v: it became\n%s\nof\n%s", err, s, got, whole)
		}
	}
}

// sealed puts the right hash behind lines.
func sealed(lines ...string) string {
	all := strings.Join(lines, "\n") + "\n"
	sum := sha256.Sum256([]byte(all))
	return all + `{"sha256":"` + hex.EncodeToString(sum[:]) + "\"}\n"
}

// parts takes a backup apart into its lines, without the last one.
func parts(text []byte) []string {
	lines := strings.Split(string(text), "\n")
	return lines[:len(lines)-2]
}

// find returns the number of the n-th line, from 0, that begins with head.
func find(t *testing.T, lines []string, head string, n int) int {
	t.Helper()
	for i, l := range lines {
		if strings.HasPrefix(l, head) {
			if n == 0 {
				return i
			}
			n--
		}
	}
	t.Fatalf("no such line %s", head)
	return 0
}

// TestWhatIsOffIsRefused changes one thing in a backup and puts the right hash behind it: the change is found by what
// it breaks, with its place.
func TestWhatIsOffIsRefused(t *testing.T) {
	h := newHouse(t)
	s := live(t, h)
	good := parts(text(t, h, s.private))
	other := strings.Split(newKey(t, 2), "\n")[0]
	edit := func(head string, n int, old, new string) func([]string) []string {
		return func(l []string) []string {
			i := find(t, l, head, n)
			if !strings.Contains(l[i], old) {
				t.Fatalf("no %q in %s", old, l[i])
			}
			l[i] = strings.Replace(l[i], old, new, 1)
			return l
		}
	}
	drop := func(head string, n int) func([]string) []string {
		return func(l []string) []string {
			i := find(t, l, head, n)
			return append(l[:i], l[i+1:]...)
		}
	}
	twice := func(head string, n int) func([]string) []string {
		return func(l []string) []string {
			i := find(t, l, head, n)
			return append(l[:i+1], l[i:]...)
		}
	}
	if _, err := Check(strings.NewReader(sealed(good...))); err != nil {
		t.Fatalf("the whole backup: %v", err)
	}
	for name, c := range map[string]struct {
		change func([]string) []string
		want   string
	}{
		"another format":           {edit(headHeader, 0, "backup/v1", "backup/v2"), `line 1: the header: format "scentpost/backup/v2"`},
		"another file":             {edit(headHeader, 0, `{"format"`, `{"Format"`), "line 1: this is no backup of scentpost"},
		"no time":                  {edit(headHeader, 0, "09:30:00Z", "09:30:00+01:00"), "line 1: the header: made"},
		"a control character":      {edit(headHeader, 0, `"test"`, `"te\u001bst"`), "line 1: the header: program"},
		"no name":                  {edit(headHeader, 0, `"pristina"`, `"../x"`), "line 1: the header: "},
		"fewer than no connection": {edit(headHeader, 0, `"7"`, `"-7"`), "line 1: the header: -7 connections"},
		"an unknown key":           {edit(headHeader, 0, `}`, `,"x":1}`), "line 1: the header: json: unknown field"},
		"a key twice":              {edit(headHeader, 0, `"site":"pristina"`, `"site":"x","site":"pristina"`), "line 1: the header: not as a backup is written"},
		"another station":          {edit(headHeader, 0, "line-1", "line-2"), "the header says station pristina/line-2, the records pristina/line-1"},
		"a space":                  {edit(headEpoch, 0, ":", ": "), "line 2: the beginning of an epoch: not as a backup is written"},
		"an upper root":            {edit(headEpoch, 0, `"prev_root":"0`, `"prev_root":"A`), "prev_root: want 64 hexadecimal digits in lower case"},
		"no epoch's id":            {edit(headEpoch, 0, `"e1"`, `"../e1"`), "names no epochs"},
		"another reason":           {edit(headEpoch, 0, "first", "restored"), "the first record of epoch e1 says another beginning"},
		"an epoch out of the row":  {edit(headEpoch, 1, `"prev":"e1"`, `"prev":"e0"`), `epoch e2 comes after "e0", and stands behind e1`},
		"an epoch's length":        {edit(headEpoch, 1, `"5"`, `"4"`), "epoch e2 comes after 4 records of e1, and its 5 records here are not those"},
		"an epoch twice":           {edit(headEpoch, 1, `"e2"`, `"e1"`), "epoch e1 is there twice"},
		"a record that is gone":    {drop(headLine, 3), "record 4 of epoch e1 stands where record 3 of epoch e1 belongs"},
		"a record twice":           {twice(headLine, 2), "record 2 of epoch e1 stands where record 3 of epoch e1 belongs"},
		"the last record is gone":  {drop(headLine, 12), "epoch e2 has 7 records here, and 8"},
		"another record":           {edit(headLine, 12, "rain", "snow"), "epoch e2 has 8 records here, and 8 of \"e2\" are told of at its end, or others"},
		"a record's form":          {edit(headLine, 12, `"mono":"0"`, `"mono":"00"`), "record 7 of epoch e2: "},
		"a record in its text":     {edit(headLine, 1, "double", "single"), "the checkpoint of 3 records of epoch e1 was signed over another log"},
		"another log":              {edit(headLine, 12, "/line-1/", "/line-9/"), "is of station pristina/line-9, those before it of pristina/line-1"},
		"no first record":          {drop(headLine, 0), "record 1 of epoch e1 stands where record 0"},
		"a key that is none":       {edit(headLine, 0, "SIMULATED/line-1+", "SIMULATED/line-1 "), "the first record of epoch e1: "},
		"a checkpoint elsewhere":   {edit(headCheckpoint, 0, `"3"`, `"4"`), "the checkpoint of 4 records stands behind 3 records"},
		"a checkpoint unsigned":    {edit(headCheckpoint, 0, `line-1 `, `line-2 `), "epoch e1: "},
		"a checkpoint's reason":    {edit(headCheckpoint, 0, `"load"`, `"lo\nad"`), "are no reason and session"},
		"an end of another":        {edit(headEnd, 0, `"e1"`, `"e2"`), "told of at its end"},
		"no end":                   {drop(headEnd, 0), "a record, a checkpoint or the end of epoch e1 is expected here"},
		"a record behind the end":  {twice(headEnd, 0), "an epoch, a name, the key or the last line's hash is expected here"},
		"another name":             {edit(headName, 0, "Hari", "Mari"), "is not the reference of this name and salt"},
		"a name twice":             {twice(headName, 1), "stands behind that of"},
		"another key":              {edit(headKey, 0, s.private, other), "the private key is not the one that signed epoch e2"},
		"no key":                   {edit(headKey, 0, "PRIVATE+KEY", "PUBLIC+KEY"), "the station's key: this is no private key"},
		"a key twice over":         {twice(headKey, 0), "the last line's hash is expected here"},
		"nothing but a header":     {func(l []string) []string { return l[:1] }, "the first epoch is expected here, not the last line's hash"},
		"an epoch of nothing":      {func(l []string) []string { return append(l[:2], l[find(t, l, headEnd, 0)]) }, "epoch e1 has 0 records here, and 5"},
		"a line too long":          {edit(headName, 0, "Hari", strings.Repeat("x", maxLine)), "the line is longer than"},
		"no text":                  {edit(headName, 0, "Hari", "\xff"), "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := sealed(c.change(append([]string(nil), good...))...)
			_, err := Check(strings.NewReader(changed))
			var fault *Fault
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it says %v, want %q", err, c.want)
			}
			if strings.Contains(fmt.Sprint(err), strings.Split(s.private, "+")[4]) {
				t.Error("it prints the key")
			}
		})
	}
}

// TestADamagedByteIsFound changes bytes all over a backup, and cuts it everywhere.
func TestADamagedByteIsFound(t *testing.T) {
	h := newHouse(t)
	whole := text(t, h, live(t, h).private)
	for i := 0; i < len(whole); i += 5 {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1 << (i % 7)
		if _, err := Check(bytes.NewReader(damaged)); err == nil {
			t.Fatalf("byte %d changed: it is taken", i)
		}
		if _, err := Check(bytes.NewReader(whole[:i])); err == nil {
			t.Fatalf("cut at byte %d: it is taken", i)
		}
	}
	if _, err := Check(bytes.NewReader(append(bytes.Clone(whole), 'x'))); err == nil || !strings.Contains(err.Error(), "there is more behind the last line") {
		t.Errorf("with more behind it: %v", err)
	}
	if _, err := Check(iotest.ErrReader(errors.New("the stick is gone"))); err == nil || !strings.Contains(err.Error(), "the stick is gone") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// TestTheKeyPrintsAsSealed: whatever prints an item by mistake prints no key.
func TestTheKeyPrintsAsSealed(t *testing.T) {
	k := Key{Private: newKey(t, 1)}
	for _, said := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s %q", k, k, k, k), k.LogValue().String()} {
		if strings.Contains(said, "PRIVATE") {
			t.Errorf("it prints %s", said)
		}
	}
}

// FuzzDecoder: whatever is read is refused, or is exactly what an encoder writes of it.
func FuzzDecoder(f *testing.F) {
	h := newHouse(f)
	private := live(f, h).private
	for _, key := range []string{"", private} {
		whole := parts(text(f, h, key))
		f.Add(strings.Join(whole, "\n"))
		f.Add(strings.Join(whole[:8], "\n"))
	}
	f.Add("")
	f.Add(fmt.Sprintf(`{"format":"scentpost/backup/v1","draft":%d,"made":"2026-11-26T09:30:00Z","program":"","site":"a","station":"b","connections":"0"}`, event.Draft))
	f.Fuzz(func(t *testing.T, lines string) {
		for _, whole := range []string{lines, sealed(strings.Split(lines, "\n")...)} { // a fuzzer does not find the hash
			got, s, err := again([]byte(whole))
			var fault *Fault
			if err != nil && !errors.As(err, &fault) && !errors.As(err, new(*event.UnknownLaw)) {
				t.Errorf("an error without its place: %v", err)
			}
			if err == nil && (string(got) != whole || s.Records == 0) {
				t.Errorf("%d records; it became\n%s\nof\n%s", s.Records, got, whole)
			}
		}
	})
}

// TestABackupOfAnotherDraftIsNotRead: its header says so, whatever else it holds.
func TestABackupOfAnotherDraftIsNotRead(t *testing.T) {
	next := event.Draft + 1
	for header, made := range map[string]int{
		fmt.Sprintf(`{"format":"scentpost/backup/v1","draft":%d,"more":[]}`, next):                                               next,
		fmt.Sprintf(`{"format":"scentpost/backup/v9","made":"x","draft":%d}`, next):                                              next,
		`{"format":"scentpost/backup/v1","made":"2026-11-26T09:30:00Z","program":"","site":"a","station":"b","connections":"0"}`: event.FirstDraft,
	} {
		_, err := Check(strings.NewReader(sealed(header, `{"epoch":"e1"}`)))
		want := fmt.Sprintf("made under draft %d, this program reads draft %d: use the version that wrote it", made, event.Draft)
		if unknown := new(event.UnknownLaw); !errors.As(err, &unknown) || err.Error() != want {
			t.Errorf("%s: %v, want %s", header, err, want)
		}
	}
	for _, header := range []string{`{"format":"scentpost/backup/v1","draft":0}`, `{"format":"scentpost/backup/v1","draft":"3"}`, `{"format":"other/v1","draft":3}`} {
		if _, err := Check(strings.NewReader(sealed(header))); errors.As(err, new(*event.UnknownLaw)) || err == nil {
			t.Errorf("%s: %v", header, err)
		}
	}
}

var update = flag.Bool("update", false, "write the golden backup anew")

// TestTheFormatStays: a backup of this format is read for ever, and made the same as ever.
func TestTheFormatStays(t *testing.T) {
	const golden = "testdata/v1.backup"
	h := newHouse(t)
	made := text(t, h, live(t, h).private)
	if *update {
		if err := os.WriteFile(golden, made, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, kept) {
		t.Errorf("the backup is\n%s\nand %s is\n%s", made, golden, kept)
	}
	if s, err := Check(bytes.NewReader(kept)); err != nil || s.Records != 13 {
		t.Errorf("%+v, %v", s, err)
	}
}
