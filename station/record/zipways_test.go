package record

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// extractors are programs that people unpack a zip with: each in its own way. {} is the zip, and the folder it is run in is
// where the files go.
var extractors = map[string][]string{
	"unzip":   {"unzip", "-qq", "-o", "{}"},
	"7z":      {"7z", "x", "-y", "-bd", "{}"},
	"bsdtar":  {"bsdtar", "-xf", "{}"},
	"python3": {"python3", "-m", "zipfile", "-e", "{}", "."},
}

// extract returns the files that a program finds in a zip, by their paths. Programs end with an error for much that they extract
// all the same, so that nothing is asked of how it ends.
func extract(t *testing.T, program string, data []byte) map[string]string {
	t.Helper()
	dir := t.TempDir()
	packed, into := filepath.Join(dir, "b.zip"), filepath.Join(dir, "into")
	if err := os.WriteFile(packed, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(into, 0o700); err != nil {
		t.Fatal(err)
	}
	args := slices.Clone(extractors[program])
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{}", packed)
	}
	command := exec.Command(args[0], args[1:]...)
	command.Dir = into
	_, _ = command.CombinedOutput()
	found := map[string]string{}
	err := filepath.WalkDir(into, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, into)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// withTool skips a test where a program is missing.
func withTool(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s IS NOT INSTALLED: what it extracts was not tested; make deps installs it", program)
	}
}

// deflatedZip packs members as other programs do: deflated, their sizes in descriptors, with times.
func deflatedZip(t *testing.T, members []Member) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, m := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: m.Name, Method: zip.Deflate, Extra: []byte{0x55, 0x54, 5, 0, 1, 1, 2, 3, 4}})
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
	return out.Bytes()
}

// TestAFlippedHeaderChangesNothingThatAnybodyExtracts flips each bit of what is no content in a small bundle: the bundle is
// refused, or each program finds in it what it found before.
func TestAFlippedHeaderChangesNothingThatAnybodyExtracts(t *testing.T) {
	members := []Member{{MemberManifest, []byte("{\"manifest\":1}\n")}, {MemberKey, []byte("key\n")}}
	var stored bytes.Buffer
	if err := WriteZip(&stored, members); err != nil {
		t.Fatal(err)
	}
	for form, good := range map[string][]byte{"stored": stored.Bytes(), "deflated": deflatedZip(t, members)} {
		if _, err := ReadZip(good, DefaultLimits()); err != nil {
			t.Fatal(form, err)
		}
		var taken [][]byte
		for at := range good {
			for bit := range 8 {
				flipped := bytes.Clone(good)
				flipped[at] ^= 1 << bit
				got, err := ReadZip(flipped, DefaultLimits())
				if err != nil {
					continue
				}
				if !slices.EqualFunc(got, members, func(a, b Member) bool { return a.Name == b.Name && bytes.Equal(a.Data, b.Data) }) {
					t.Fatalf("%s: byte %d, bit %d: taken, with other members", form, at, bit)
				}
				taken = append(taken, flipped)
			}
		}
		if testing.Short() { // a sample, always the first and the last
			taken = slices.Concat(taken[:1], slices.Collect(maps.Values(sample(taken, 6))), taken[len(taken)-1:])
		}
		for program := range extractors {
			t.Run(form+"/"+program, func(t *testing.T) {
				withTool(t, program)
				want := extract(t, program, good)
				if len(want) != len(members) {
					t.Fatalf("finds %d files in the whole zip", len(want))
				}
				for _, data := range taken {
					if got := extract(t, program, data); !maps.Equal(got, want) {
						t.Fatalf("finds %v, want %v", got, want)
					}
				}
			})
		}
		t.Logf("%s: of %d bits %d are taken", form, 8*len(good), len(taken))
	}
}

// sample takes every so many, so that there are about n.
func sample(all [][]byte, n int) map[int][]byte {
	some := map[int][]byte{}
	for i := 0; i < len(all); i += max(1, len(all)/n) {
		some[i] = all[i]
	}
	return some
}

// TestZipsOfTwoMinds are refused: programs would find other files in them than the verifier.
func TestZipsOfTwoMinds(t *testing.T) {
	members := []Member{{MemberManifest, []byte("manifest\n")}, {MemberLog, []byte("log log log log\n")}, {MemberKey, []byte("key\n")}}
	deflated := deflatedZip(t, members)
	var stored bytes.Buffer
	if err := WriteZip(&stored, members); err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	change := func(data []byte, f func(d []byte)) []byte {
		d := bytes.Clone(data)
		f(d)
		return d
	}
	second := bytes.Index(stored.Bytes()[1:], []byte("PK\x03\x04")) + 1
	directory := bytes.Index(stored.Bytes(), []byte("PK\x01\x02"))
	for name, data := range map[string][]byte{
		"another name at its head":      change(stored.Bytes(), func(d []byte) { d[zipLocal] = 'M' }),
		"another length at its head":    change(stored.Bytes(), func(d []byte) { le.PutUint32(d[18:], 1); le.PutUint32(d[22:], 1) }),
		"another sum at its head":       change(stored.Bytes(), func(d []byte) { d[14]++ }),
		"another time at its head":      change(stored.Bytes(), func(d []byte) { d[10]++ }),
		"encrypted at its head":         change(stored.Bytes(), func(d []byte) { d[6] |= 1 }),
		"two entries for one member":    change(stored.Bytes(), func(d []byte) { le.PutUint32(d[directory+42:], uint32(second)) }),
		"a symbolic link":               change(stored.Bytes(), func(d []byte) { le.PutUint32(d[directory+38:], 0xa1ff<<16) }),
		"a folder":                      change(stored.Bytes(), func(d []byte) { d[directory+38] = 0x10 }),
		"a descriptor of another size":  change(deflated, func(d []byte) { d[bytes.Index(d, []byte("PK\x07\x08"))+8]++ }),
		"a field of unknown meaning":    change(deflated, func(d []byte) { d[bytes.Index(d, []byte{0x55, 0x54, 5, 0})]++ }),
		"another date in the directory": change(deflated, func(d []byte) { d[bytes.LastIndex(d, []byte{0x55, 0x54, 5, 0})+5]++ }),
		"a file before it":              slices.Concat(stored.Bytes()[:second], stored.Bytes()),
		"64-bit lengths":                change(stored.Bytes(), func(d []byte) { le.PutUint32(d[directory+20:], 1<<32-1) }),
		"more in the end than there is": change(stored.Bytes(), func(d []byte) { d[len(d)-zipEnd+10]++; d[len(d)-zipEnd+8]++ }),
		"hidden in a deflated member":   hiding(t, members[0], Member{MemberKey, []byte("THE DOG FAILED\n")}),
	} {
		if got, err := ReadZip(data, DefaultLimits()); err == nil {
			t.Errorf("%s: taken, with %d members", name, len(got))
		}
	}
}

// hiding packs a member whose compressed bytes end with another member, header and all, after the end of the deflated content.
func hiding(t *testing.T, shown, hidden Member) []byte {
	t.Helper()
	var inner, packed, out bytes.Buffer
	if err := WriteZip(&inner, []Member{hidden}); err != nil {
		t.Fatal(err)
	}
	w, err := flate.NewWriter(&packed, 9)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(shown.Data)
	_ = w.Close()
	packed.Write(inner.Bytes()[:bytes.Index(inner.Bytes(), []byte("PK\x01\x02"))])
	z := zip.NewWriter(&out)
	raw, err := z.CreateRaw(&zip.FileHeader{Name: shown.Name, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(shown.Data),
		CompressedSize64: uint64(packed.Len()), UncompressedSize64: uint64(len(shown.Data))})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = raw.Write(packed.Bytes())
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
