package main

import (
	"encoding/hex"
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
	_, plain, _ := scentpost("verify", "bundle.zip", "--key", "plain.pub")
	if _, marked, wrong := scentpost("verify", "bundle.zip", "--key", "marked.pub"); marked != plain || marked == "" {
		t.Errorf("verified by a key with a mark:\n%s%s\nwithout:\n%s", marked, wrong, plain)
	}
	if code, _, wrong := scentpost("key", "answer", "--key", "marked.key", strings.Repeat("ab", 32)); code != program.ExitFine {
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
	hash := strings.Repeat("ab", 32)
	for _, args := range [][]string{
		{"key"}, {"key", "new"}, {"key", "new", "a b"}, {"key", "new", "a+b"}, {"key", "new", "SIMULATED/x"},
		{"key", "new", "x", "--out", "missing/x.key"},
		{"key", "show", "missing"}, {"key", "show", "junk"}, {"key", "show", "cut"}, {"key", "show", "."},
		{"key", "answer", hash}, {"key", "answer", "--key", "junk", hash}, {"key", "answer", "--key", "missing", hash},
		{"key", "answer", "--key", "junk", "abc"},
	} {
		if code, out, errs := scentpost(args...); code != program.ExitUsage || out != "" || errs == "" {
			t.Errorf("%v: %d\n%s%s", args, code, out, errs)
		}
	}
}

func TestKeyAnswerIsTheAuthoritysShare(t *testing.T) {
	t.Chdir(t.TempDir())
	_, verifier, _ := scentpost("key", "new", "authority")
	hash := [32]byte{1, 2, 3}
	answers := map[string]bool{}
	for range 2 {
		code, out, errs := scentpost("key", "answer", "--key", "authority.key", hex.EncodeToString(hash[:]))
		if code != program.ExitFine {
			t.Fatal(errs)
		}
		share, key, signature, err := blind.ParseAnswer(strings.TrimSpace(out), []string{strings.TrimSpace(verifier)})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := record.ParseHex32(share)
		if err != nil {
			t.Fatal(err)
		}
		if err := blind.VerifyShare(key, hash, parsed, signature); err != nil {
			t.Fatal(err)
		}
		answers[share] = true
	}
	if len(answers) != 2 {
		t.Error("two answers had the same share")
	}
}
