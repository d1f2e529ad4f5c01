package message

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"scentpost/firmware-bridge/frame"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorsFile = "../vectors.txt"

const vectorsHead = `# Frames of the protocol in PROTOCOL.md, read by the tests in Go and in C.
# A line is: name, the frame decoded with its CRC, the frame on the wire with its delimiters; in hexadecimal.
# A frame that must be refused has - in place of what it would decode to.
# Made by: go test ./firmware-bridge/message -run Vectors -update
`

// refused are lines that hold no frame or no message.
func refused() map[string][]byte {
	wire := func(body []byte) []byte { return frame.Append(nil, body) }
	set := Append(nil, 0x78, 0, &Set{Pin: 4, Level: true, At: 1000, Longest: 5})
	changed := func(i int, c byte) []byte { b := bytes.Clone(set); b[i] = c; return wire(b) }
	spoilt := wire(set)
	spoilt[9] ^= 0x10
	cut := slices.Delete(wire(set), 5, 6)
	return map[string][]byte{
		"refused-version": changed(0, 2), "refused-type": changed(1, 0x3F), "refused-level": changed(5, 2),
		"refused-short": wire(set[:len(set)-1]), "refused-long": wire(append(bytes.Clone(set), 0)),
		"refused-crc": spoilt, "refused-cut": cut, "refused-code": {0, 9, 1, 1, 1, 1, 1, 1, 1, 0},
	}
}

// lines makes the vectors.
func lines() string {
	var out strings.Builder
	out.WriteString(vectorsHead)
	all := samples()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m, number := all[name], byte(0)
		if m.Type().numbered() {
			number = 200
		}
		body := Append(nil, 0x78, number, m)
		fmt.Fprintf(&out, "%s %x %x\n", name, le.AppendUint32(bytes.Clone(body), frame.Sum(body)), frame.Append(nil, body))
	}
	none := refused()
	for _, name := range slices.Sorted(maps.Keys(none)) {
		fmt.Fprintf(&out, "%s - %x\n", name, none[name])
	}
	return out.String()
}

// TestVectors holds the file that other implementations read to this one.
func TestVectors(t *testing.T) {
	if *update {
		if err := os.WriteFile(vectorsFile, []byte(lines()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != lines() {
		t.Error("vectors.txt is not what this package makes: a change of it is a change of the protocol")
	}
	all, read := samples(), 0
	for line := range strings.Lines(string(file)) {
		part := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(part) != 3 {
			continue
		}
		read++
		wire, err := hex.DecodeString(part[2])
		if err != nil {
			t.Fatal(err)
		}
		var s frame.Splitter
		taken := 0
		s.Write(wire, func(body []byte) {
			_, m, err := Parse(body)
			if err == nil {
				taken++
			}
			if want := all[part[0]]; (err == nil) != (part[1] != "-") || err == nil && m.Type() != want.Type() {
				t.Errorf("%s: %v, %v", part[0], m, err)
			}
		}, func(error) {})
		if (taken == 1) != (part[1] != "-") {
			t.Errorf("%s: taken %d times", part[0], taken)
		}
	}
	if want := len(all) + len(refused()); read != want {
		t.Errorf("%d vectors in the file, want %d", read, want)
	}
}
