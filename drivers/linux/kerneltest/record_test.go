//go:build linux

package kerneltest

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"os"
	"strings"
)

// line is one record of a bundle, as far as the tests look into it.
type line struct {
	text string
	ID   int64 `json:",string"`
	Type string
	Mono int64 `json:",string"`
	Run  int
	By   string
	Data json.RawMessage
}

// body reads what a record says.
func (s *site) body(l line, into any) {
	s.Helper()
	if err := json.Unmarshal(l.Data, into); err != nil {
		s.Fatalf("record %s: %v", l.text, err)
	}
}

// export exports the session, has it verified by scentpost with the station's key, and returns its records.
func (s *site) export() []line {
	s.Helper()
	bundle, key := s.path("session.zip"), s.path("verifier.key")
	s.cli("record", "export", "-o", bundle)
	if err := os.WriteFile(key, s.cli("key", "show", s.path("data/station.key")), 0o600); err != nil {
		s.Fatal(err)
	}
	var report struct {
		Consistent bool
		Simulated  bool
		Signer     string
	}
	out := s.cli("verify", bundle, "--key", key, "--json")
	if err := json.Unmarshal(out, &report); err != nil || !report.Consistent || report.Simulated || report.Signer != "pinned" {
		s.Errorf("verify: %v in %s", err, out)
	}
	z, err := zip.OpenReader(bundle)
	if err != nil {
		s.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("records.jsonl")
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	var all []line
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		all = append(all, s.line(lines.Text()))
	}
	return all
}

// line reads a record.
func (s *site) line(text string) line {
	s.Helper()
	l := line{text: text}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		s.Fatalf("record %s: %v", text, err)
	}
	l.Type = strings.TrimPrefix(l.Type, "scentpost.")
	return l
}
