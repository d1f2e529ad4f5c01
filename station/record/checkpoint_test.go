package record

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

var testLog = Log{"site", "line-1", "e1"}

func testSigner(t *testing.T, seed byte, name string) *Signer {
	t.Helper()
	private, _, err := NewKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 32)), name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(testLog, private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheckpoint(t *testing.T) {
	s := testSigner(t, 1, "line-1")
	signed, err := s.Checkpoint(7, [32]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	head, err := VerifyCheckpoint(signed, s.Verifier())
	if err != nil || head != (Head{"scentpost/site/line-1/e1", 7, [32]byte{1, 2, 3}}) {
		t.Fatalf("%+v, %v\n%s", head, err, signed)
	}
	// It is a note that others can open.
	v, err := note.NewVerifier(s.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Checkpoint(7, [32]byte{1, 2, 3}); !bytes.Equal(again, signed) {
		t.Error("the same checkpoint was signed with other bytes")
	}
}

// TestEveryByteOfACheckpoint sets each byte to every other value. note.Open alone accepts some of them: the last
// digit of a base64 text holds bits that it does not look at.
func TestEveryByteOfACheckpoint(t *testing.T) {
	s := testSigner(t, 1, "line-1")
	signed, err := s.Checkpoint(7, [32]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(s.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	lax := 0
	for i, was := range signed {
		for _, b := range append([]byte("AZaz09+/= \n\r\x00\xff"), was^1, was^2, was^4, was^0x20) {
			if b == was {
				continue
			}
			signed[i] = b
			if _, err := VerifyCheckpoint(signed, s.Verifier()); err == nil {
				t.Errorf("accepted with byte %d as %q", i, b)
			}
			if _, err := note.Open(signed, note.VerifierList(v)); err == nil {
				lax++
			}
		}
		signed[i] = was
	}
	if lax == 0 {
		t.Error("note.Open has become strict: what is said of it in VerifyCheckpoint no longer holds")
	}
}

func TestCheckpointsThatAreRefused(t *testing.T) {
	s, other := testSigner(t, 1, "line-1"), testSigner(t, 2, "line-2")
	signed, err := s.Checkpoint(7, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Checkpoint(7, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	text, mine, _ := strings.Cut(string(signed), "\n\n")
	_, theirs, _ := strings.Cut(string(foreign), "\n\n")
	root := base64.StdEncoding.EncodeToString(make([]byte, 32))
	anything := func(text string) string { // a text of our choice, properly signed
		out, err := note.Sign(&note.Note{Text: text}, s.note)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for name, c := range map[string]string{
		"empty":               "",
		"another key":         string(foreign),
		"a second signature":  text + "\n\n" + mine + theirs,
		"the same one twice":  text + "\n\n" + mine + mine,
		"no signature":        text + "\n\n",
		"no last newline":     strings.TrimSuffix(string(signed), "\n"),
		"two lines":           anything("scentpost/site/line-1/e1\n7\n"),
		"four lines":          anything("scentpost/site/line-1/e1\n7\n" + root + "\nmore\n"),
		"a size with a plus":  anything("scentpost/site/line-1/e1\n+7\n" + root + "\n"),
		"a size below 0":      anything("scentpost/site/line-1/e1\n-7\n" + root + "\n"),
		"a size with zeros":   anything("scentpost/site/line-1/e1\n07\n" + root + "\n"),
		"a root that is lax":  anything("scentpost/site/line-1/e1\n7\n" + root[:42] + "B=\n"),
		"a root that is less": anything("scentpost/site/line-1/e1\n7\nAAAA\n"),
		"much too long":       strings.Repeat("x", maxCheckpoint+1),
	} {
		if h, err := VerifyCheckpoint([]byte(c), s.Verifier()); err == nil {
			t.Errorf("%s: accepted: %+v", name, h)
		}
	}
	both := []byte(text + "\n\n" + mine + theirs)
	if _, err := VerifyCheckpoint(both, s.Verifier(), other.Verifier()); err != nil {
		t.Errorf("signed by both: %v", err)
	}
	if _, err := VerifyCheckpoint(signed, s.Verifier(), other.Verifier()); err == nil {
		t.Error("one signature passed for two")
	}
}

func TestKeys(t *testing.T) {
	s := testSigner(t, 3, "line-1")
	if s.Simulated() || s.Name() != "line-1" {
		t.Errorf("%s, simulated %v", s.Name(), s.Simulated())
	}
	simulated := testSigner(t, 3, SimulatedPrefix+"line-1")
	if !simulated.Simulated() || !IsSimulated(simulated.Verifier()) {
		t.Error("a simulated key is not marked")
	}
	signed, err := simulated.Checkpoint(1, [32]byte{})
	if err != nil || !strings.Contains(string(signed), "— SIMULATED/line-1 ") {
		t.Errorf("the signature does not say that it is simulated: %s, %v", signed, err)
	}
	// The same secret under an unmarked name is another key: the mark cannot be taken off.
	if _, err := VerifyCheckpoint(bytes.Replace(signed, []byte(SimulatedPrefix), nil, 1), s.Verifier()); err == nil {
		t.Error("the mark was taken off a signature")
	}
	if _, _, err := NewKey(bytes.NewReader(nil), "line-1"); err == nil {
		t.Error("a key without random bytes")
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", "SIMULATED/", "a/b"} {
		if _, _, err := NewKey(bytes.NewReader(make([]byte, 32)), name); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
}

func TestKeyTextsHaveOneForm(t *testing.T) {
	private, verifier, err := NewKey(bytes.NewReader(bytes.Repeat([]byte{0x5a}, 32)), "line-1")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(verifier, "+")
	capital := parts[0] + "+" + strings.ToUpper(parts[1]) + "+" + parts[2]
	for _, text := range []string{"", "x", verifier + "\n", verifier[:len(verifier)-1], capital, verifier[:20] + "\n" + verifier[20:], private} {
		if text == verifier {
			continue
		}
		if _, err := ParseVerifier(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
	secret := private[len(private)-20:]
	for _, text := range []string{"", verifier, private + "\n", " " + private, private[:len(private)-4], "PRIVATE+KEY+" + secret} {
		if _, err := NewSigner(testLog, text); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := NewSigner(Log{}, private); err == nil {
		t.Error("a signer of no log")
	}
}
