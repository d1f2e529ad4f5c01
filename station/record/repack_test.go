package record

import (
	"archive/zip"
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// TestRepack: what people and their machines make of a bundle that they unpack and pack again is told from a forgery, and packed
// as a station packs it it is the same bundle; everything else stays refused.
func TestRepack(t *testing.T) {
	own, err := smallBundle(t).Members()
	if err != nil {
		t.Fatal(err)
	}
	in := func(folder string) (all []Member) {
		for _, m := range own {
			all = append(all, Member{folder + m.Name, m.Data})
		}
		return all
	}
	with := func(all []Member, names ...string) []Member {
		for _, name := range names {
			all = append(all, Member{name, nil})
		}
		return all
	}
	var tenth []string
	for _, m := range own {
		tenth = append(tenth, "__MACOSX/b/._"+m.Name)
	}
	for name, c := range map[string]struct {
		members []Member
		odd     string // of the words; "" where ReadZip takes it
	}{
		"as it was":             {own, ""},
		"by a Mac":              {with(in("bundle/"), append(tenth, "bundle/", "bundle/.DS_Store", "__MACOSX/._bundle")...), "folder bundle/, and it holds __MACOSX/b/._manifest.json, __MACOSX/b/._log.json and 8 more"},
		"in a folder":           {with(in("bundle/"), "bundle/"), "lie in the folder bundle/ ("},
		"in a folder of one":    {in("a/b/"), "folder a/b/"},
		"by an old Windows":     {with(in(`b\`), "Thumbs.db"), `folder b/, and it holds Thumbs.db`},
		"beside a hidden file":  {with(in(""), ".DS_Store"), "it holds .DS_Store, which no bundle has"},
		"AppleDouble beside it": {with(in(""), "._key.txt"), "._key.txt"},
	} {
		for _, method := range []uint16{zip.Store, zip.Deflate} {
			packed := pack(t, method, c.members...)
			got, repacked, err := Repack(packed, DefaultLimits())
			if err != nil || !reflect.DeepEqual(got, own) {
				t.Errorf("%s: %d members, %v", name, len(got), err)
				continue
			}
			if (repacked == nil) != (c.odd == "") || repacked != nil && !strings.Contains(repacked.Error(), c.odd) {
				t.Errorf("%s: %v, want %q", name, repacked, c.odd)
			}
			_, faults := Read(packed, DefaultLimits())
			if (len(faults) > 0) != (c.odd != "") {
				t.Errorf("%s: read as it is: %v", name, faults)
			}
			var again bytes.Buffer
			if err := WriteZip(&again, got); err != nil {
				t.Fatal(err)
			}
			if _, faults := Read(again.Bytes(), DefaultLimits()); len(faults) > 0 {
				t.Errorf("%s, packed as a station does: %v", name, faults)
			}
		}
	}
	behind := append(pack(t, zip.Store, own...), "behind"...)
	if got, repacked, err := Repack(behind, DefaultLimits()); err != nil || repacked == nil || !strings.Contains(repacked.Error(), "bytes stand after its end") || !reflect.DeepEqual(got, own) {
		t.Errorf("bytes behind the end: %d members, %v, %v", len(got), repacked, err)
	}
	for name, packed := range map[string][]byte{
		"nothing": nil, "a member of its own": pack(t, zip.Store, with(in("b/"), "b/notes.txt")...),
		"two folders": pack(t, zip.Store, append(in("a/"), in("b/")...)...), "no manifest": pack(t, zip.Store, in("b/")[1:]...),
		"a way out": pack(t, zip.Store, in("../")...), "a member twice": pack(t, zip.Store, append(in("a/"), in("a/")[0])...),
		"too many": pack(t, zip.Store, with(in("b/"), strings.Split(strings.Repeat("._x ", 70), " ")...)...),
	} {
		if got, repacked, err := Repack(packed, DefaultLimits()); err == nil || repacked != nil || got != nil {
			t.Errorf("%s: %d members, %v, %v", name, len(got), repacked, err)
		}
	}
	small := Limits{Zip: 1 << 20, Member: 10, Total: 20}
	if _, repacked, err := Repack(pack(t, zip.Deflate, in("b/")...), small); err == nil || repacked != nil {
		t.Errorf("larger than the limits: %v, %v", repacked, err)
	}
}
