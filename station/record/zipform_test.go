package record

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"testing"
)

// TestAZipIsItsMembersAndNothingElse: two programs must not find different files in one bundle.
func TestAZipIsItsMembersAndNothingElse(t *testing.T) {
	members := []Member{{MemberManifest, []byte("manifest\n")}, {MemberLog, []byte("log\n")}, {MemberKey, []byte("key\n")}}
	other := []Member{{MemberManifest, []byte("another\n")}}
	pack := func(all []Member) []byte {
		var out bytes.Buffer
		if err := WriteZip(&out, all); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	good := pack(members)
	if got, err := ReadZip(good, DefaultLimits()); err != nil || len(got) != 3 {
		t.Fatalf("%d members, %v", len(got), err)
	}
	var deflated bytes.Buffer // as other programs pack: sizes behind the members
	z := zip.NewWriter(&deflated)
	for _, m := range members {
		w, err := z.Create(m.Name)
		if err == nil {
			_, err = w.Write(m.Data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadZip(deflated.Bytes(), DefaultLimits()); err != nil || len(got) != 3 {
		t.Errorf("deflated, with descriptors: %d members, %v", len(got), err)
	}
	var commented bytes.Buffer
	z = zip.NewWriter(&commented)
	if err := z.SetComment("PASS"); err != nil {
		t.Fatal(err)
	}
	w, err := z.Create(MemberLog)
	if err == nil {
		_, err = io.WriteString(w, "log\n")
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"before":      slices.Concat([]byte("hello"), good),
		"behind":      slices.Concat(good, []byte("hello")),
		"twice":       slices.Concat(good, good),
		"another one": slices.Concat(pack(other), good),
		"comment":     commented.Bytes(),
	} {
		if got, err := ReadZip(data, DefaultLimits()); err == nil {
			t.Errorf("%s: taken, with %d members", name, len(got))
		}
	}
}
