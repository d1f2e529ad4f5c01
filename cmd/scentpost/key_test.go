package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"scentpost/cmd/internal/program"
	"scentpost/station/blind"
	"scentpost/station/record"
	"scentpost/station/signs"
)

// TestAByteOrderMarkIsNoPartOfAKey, of none that this program reads.
func TestAByteOrderMarkIsNoPartOfAKey(t *testing.T) {
	dir := verifiable(t, "line-1")
	t.Chdir(dir)
	private, err := os.ReadFile("station.key")
	if err != nil {
		t.Fatal(err)
	}
	_, verifier, _ := scentpost("key", "show", "station.key")
	put(t, ".", "marked.key", signs.ByteOrderMark+string(private))
	put(t, ".", "marked.pub", signs.ByteOrderMark+strings.TrimSpace(verifier)+"\r\n")
	for _, file := range []string{"marked.key", "marked.pub"} {
		if code, out, wrong := scentpost("key", "show", file); code != program.ExitFine || out != verifier {
			t.Errorf("%s: %d %s%s, want %s", file, code, out, wrong, verifier)
		}
	}
	put(t, ".", "plain.pub", verifier)
	requestOf(t, "request", "line-1", 1)
	_, plain, _ := scentpost("verify", "bundle.zip", "--key", "plain.pub")
	if _, marked, wrong := scentpost("verify", "bundle.zip", "--key", "marked.pub"); marked != plain || marked == "" {
		t.Errorf("verified by a key with a mark:\n%s%s\nwithout:\n%s", marked, wrong, plain)
	}
	if code, _, wrong := scentpost("key", "answer", "--key", "marked.key", "request"); code != program.ExitFine {
		t.Errorf("a share by a key with a mark: %d %s", code, wrong)
	}
	if code, _, wrong := scentpost("verify", "bundle.zip", "--key", "marked.key"); code != program.ExitUsage || strings.Contains(wrong, privatePrefix) || !strings.Contains(wrong, "holds a private key") {
		t.Errorf("a private key with a mark in the place of a verifier key: %d %s", code, wrong)
	}
}

func TestKeyNewWritesOnceAndForItsOwnerAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	code, out, errs := scentpost("key", "new", "line-1")
	if code != program.ExitFine || strings.Contains(out+errs, privatePrefix) {
		t.Fatalf("%d\n%s%s", code, out, errs)
	}
	if name, err := record.ParseVerifier(strings.TrimSpace(out)); err != nil || name != "line-1" {
		t.Errorf("%q, %v", out, err)
	}
	stat, err := os.Stat("line-1.key")
	if err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", stat.Mode(), err)
	}
	before, _ := os.ReadFile("line-1.key")
	if code, _, errs = scentpost("key", "new", "line-1"); code != program.ExitUsage || errs == "" {
		t.Errorf("a key was written over: %d %s", code, errs)
	}
	if after, _ := os.ReadFile("line-1.key"); string(after) != string(before) {
		t.Error("the key has changed")
	}
	if code, shown, _ := scentpost("key", "show", "line-1.key"); code != program.ExitFine || shown != out {
		t.Errorf("%d %s, want %s", code, shown, out)
	}
	var asJSON map[string]string
	if _, shown, _ := scentpost("key", "show", "line-1.key", "--json"); json.Unmarshal([]byte(shown), &asJSON) != nil || asJSON["key"]+"\n" != out {
		t.Errorf("%s", shown)
	}
}

func TestKeyRefusesWrongUse(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, ".", "junk", "junk\n")
	put(t, ".", "cut", "PRIVATE+KEY+line-1+00000000+AAAA\n")
	requestOf(t, "request", "line-1", 1)
	for _, args := range [][]string{
		{"key"}, {"key", "new"}, {"key", "new", "a b"}, {"key", "new", "a+b"}, {"key", "new", "SIMULATED/x"},
		{"key", "new", "x", "--out", "missing/x.key"},
		{"key", "show", "missing"}, {"key", "show", "junk"}, {"key", "show", "cut"}, {"key", "show", "."},
		{"key", "answer", "request"}, {"key", "answer", "--key", "junk", "request"}, {"key", "answer", "--key", "missing", "request"},
		{"key", "answer", "--key", "junk", "abc"}, {"key", "answer", "--key", "cut", "junk"},
	} {
		if code, out, errs := scentpost(args...); code != program.ExitUsage || out != "" || errs == "" {
			t.Errorf("%v: %d\n%s%s", args, code, out, errs)
		}
	}
}

// requestOf writes a request that a station's key signed.
func requestOf(t *testing.T, name, station string, n byte) (verifier string) {
	t.Helper()
	private, verifier, err := record.NewKey(bytes.NewReader(bytes.Repeat([]byte{station[0]}, 32)), station)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := record.NewSigner(record.Log{Site: "site", Station: station, Epoch: "e1"}, private)
	if err != nil {
		t.Fatal(err)
	}
	note, err := signer.Sign(blind.Request(blind.Binding{Station: station, Epoch: "e1", SetUp: "0123456789abcdef"}, nil, [32]byte{n}))
	if err != nil {
		t.Fatal(err)
	}
	put(t, ".", name, string(note))
	return verifier
}

// TestAnAuthorityIsToldHowOftenAStationAsked: asked twice it gives the same answer, and counts draws by the station's key.
func TestAnAuthorityIsToldHowOftenAStationAsked(t *testing.T) {
	t.Chdir(t.TempDir())
	_, verifier, _ := scentpost("key", "new", "authority")
	station := requestOf(t, "first", "line-1", 1)
	requestOf(t, "second", "line-1", 2)
	requestOf(t, "other", "other-1", 1)
	put(t, ".", "line-1.pub", station)
	answers := map[string]string{}
	for _, c := range []struct {
		request, says string
		more          []string
	}{
		{"first", "STATION NOT CHECKED", nil},
		{"first", "has asked for 1 draw\n", nil},
		{"first", "answered before, with the same answer", []string{"--station", "line-1.pub"}},
		{"second", "has asked for 2 draws\n", nil},
		{"other", "has asked for 1 draw\n", nil},
	} {
		code, out, errs := scentpost(append([]string{"key", "answer", "--key", "authority.key", c.request}, c.more...)...)
		if code != program.ExitFine || !strings.Contains(errs, c.says) || strings.Contains(errs, "NOT CHECKED") != (c.more == nil) {
			t.Fatalf("%s: exit %d, %s", c.request, code, errs)
		}
		if was := answers[c.request]; was != "" && was != out {
			t.Errorf("%s has another answer", c.request)
		}
		answers[c.request] = out
		if _, _, err := blind.ParseAnswer(out, []string{strings.TrimSpace(verifier)}); err != nil {
			t.Error(err)
		}
	}
	if answers["first"] == answers["second"] {
		t.Error("two requests have one answer")
	}
	if code, out, errs := scentpost("key", "answer", "--key", "authority.key", "other", "--station", "line-1.pub"); code != program.ExitUsage || out != "" || !strings.Contains(errs, "the request is not signed by the key") {
		t.Errorf("another station's request: exit %d, %s%s", code, out, errs)
	}
	put(t, ".", "authority.key.answers", "junk\n")
	if code, out, errs := scentpost("key", "answer", "--key", "authority.key", "first"); code != program.ExitNo || out != "" || !strings.Contains(errs, "line 1 is no answer") {
		t.Errorf("with a damaged file: exit %d, %s%s", code, out, errs)
	}
}
