package blind

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"scentpost/station/event"
)

func authority(t *testing.T, name string, n int) (private, verifier string) {
	t.Helper()
	seed := numbered(n)
	private, verifier, err := note.GenerateKey(bytes.NewReader(seed[:]), name)
	if err != nil {
		t.Fatal(err)
	}
	return private, verifier
}

func TestAnAnswerGoesRound(t *testing.T) {
	private, verifier := authority(t, "ministry", 1)
	_, other := authority(t, "academy", 2)
	binding := Binding{Station: "line-1", Epoch: "e1", SetUp: "0123456789abcdef", PlanHash: numbered(3), LoadingHash: numbered(4)}
	request := Request(binding, []string{digits(numbered(5))}, numbered(6))
	answer, err := Answer(private+"\n", request)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Answer(private, request); err != nil || again != answer {
		t.Errorf("who asks twice gets another answer: %v", err)
	}
	key, signature, err := ParseAnswer(" "+strings.ToUpper(answer)+"\n", []string{"no key", other, verifier})
	if err != nil || key != verifier {
		t.Fatal(key, err)
	}
	share, err := AuthorityShare(key, request, signature)
	if err != nil || share == [32]byte{} {
		t.Fatal(share, err)
	}
	for name, c := range map[string][3]string{
		"another request":   {key, Request(binding, nil, numbered(6)), signature},
		"another key":       {other, request, signature},
		"no key":            {"no key", request, signature},
		"no signature":      {key, request, ""},
		"a changed one":     {key, request, flip(signature)},
		"upper-case digits": {key, request, strings.ToUpper(signature)},
	} {
		if _, err := AuthorityShare(c[0], c[1], c[2]); err == nil {
			t.Errorf("%s: the signature is taken", name)
		}
	}
}

// TestAnAuthoritySignsRequestsAlone: its key is no station's, and a text that is none may be a trap.
func TestAnAuthoritySignsRequestsAlone(t *testing.T) {
	private, _ := authority(t, "ministry", 1)
	for _, text := range []string{"", "scentpost/site/line-1/e1\n4\nAAAA\n", "scentpost/request/v1/line-1/e1\n4\nAAAA\n", " scentpost/request/v1\nstation x\n"} {
		if _, err := Answer(private, text); err == nil {
			t.Errorf("%q is signed", text)
		}
	}
}

func flip(digits string) string {
	if digits[0] == '0' {
		return "1" + digits[1:]
	}
	return "0" + digits[1:]
}

func TestBadAnswers(t *testing.T) {
	private, verifier := authority(t, "ministry", 1)
	request := Request(Binding{}, nil, numbered(3))
	answer, err := Answer(private, request)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, answer string
		known        []string
		want         string
	}{
		{"not hexadecimal", "hello", []string{verifier}, "is not hexadecimal"},
		{"cut", answer[:100], []string{verifier}, "has 100 digits: want 136"},
		{"an unknown key", answer, nil, "none of this station's 0 authorities"},
	} {
		if _, _, err := ParseAnswer(c.answer, c.known); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	const secret = "PRIVATE+KEY+ministry+deadbeef+c2VjcmV0"
	if _, err := Answer(secret, request); err == nil || strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("a bad private key: %v", err)
	}
}

func TestCheckDice(t *testing.T) {
	for _, c := range []struct{ text, want, wrong string }{
		{"4 1 6 6 2", "4 1 6 6 2", ""},
		{"  41662\t\n55 ", "41662 55", ""},
		{"", "", "0 dice are too few: throw 20 or more (5 are the least that is taken): a station could have prepared"},
		{"1 2 3 4", "", "4 dice are too few"},
		{"4 1 6 6 2 9", "", "die 6 shows '9', and a die shows 1 to 6"},
		{"0 1 6 6 2", "", "die 1 shows '0'"},
		{"41 662 7", "", "die 6 shows '7'"},
		{"4, 1, 6, 6, 2", "", "die 2 shows ','"},
		{"1234\x00567", "", `die 5 shows '\x00'`},
		{"1234\xff567", "", "die 5 shows"},
		{"four one six", "", "die 1 shows 'f'"},
		{strings.Repeat("1", 1001), "", "1001 bytes"},
	} {
		got, err := CheckDice(c.text)
		if got != c.want || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%.20q: got %q, %v", c.text, got, err)
		}
	}
}

func TestCountDice(t *testing.T) {
	for dice, want := range map[string]int{"4 1 6 6 2": 5, "41662 55": 7} {
		if got := CountDice(dice); got != want {
			t.Errorf("%s: %d, want %d", dice, got, want)
		}
	}
}

// Whatever a commitment or a seed is bound to changes it.
func TestEveryPartBinds(t *testing.T) {
	b := Binding{Station: "s", Epoch: "e", SetUp: "n", PlanHash: numbered(1), LoadingHash: numbered(2)}
	slots := []event.Slot{{Position: 1, Canister: "1A", Kind: event.Target, Odour: "tnt"}, {Position: 2, Canister: "2B", Kind: event.Blank, Odour: BlankOdour}}
	placements := []event.Placement{event.NewPlacement(slots)}
	seen := map[[32]byte]string{}
	add := func(name string, hash [32]byte) {
		t.Helper()
		if other, twice := seen[hash]; twice {
			t.Errorf("%s gives the same as %s", name, other)
		}
		seen[hash] = name
	}
	change := func(edit func(*Binding)) Binding {
		c := b
		edit(&c)
		return c
	}
	bindings := map[string]Binding{
		"itself": b, "station": change(func(b *Binding) { b.Station = "t" }), "epoch": change(func(b *Binding) { b.Epoch = "f" }),
		"set-up": change(func(b *Binding) { b.SetUp = "m" }), "plan": change(func(b *Binding) { b.PlanHash[31]++ }),
		"moved bytes": change(func(b *Binding) { b.Station, b.Epoch = "se", "" }),
	}
	for name, c := range bindings {
		add("commitment: "+name, Commit(c, 1, numbered(3), placements))
	}
	bindings["loading"] = change(func(b *Binding) { b.LoadingHash[0]++ }) // commitments are bound to the plan only
	for name, c := range bindings {
		add("station's hash: "+name, StationHash(c, nil, numbered(4)))
		add("seed: "+name, SessionSeed(c, numbered(4), []byte("dice")))
	}
	add("station's hash: share", StationHash(b, nil, numbered(5)))
	add("station's hash: an opening", StationHash(b, []string{digits(numbered(1))}, numbered(4)))
	add("loading: itself", LoadingHash(numbered(1), nil))
	add("loading: salt", LoadingHash(numbered(2), nil))
	add("seed: share", SessionSeed(b, numbered(5), []byte("dice")))
	add("seed: dice", SessionSeed(b, numbered(4), []byte("mice")))
	add("seed: alone", SessionSeed(b, numbered(4), nil))
	add("commitment: index", Commit(b, 2, numbered(3), placements))
	add("commitment: nonce", Commit(b, 1, numbered(4), placements))
	add("commitment: two placements", Commit(b, 1, numbered(3), append(placements, placements[0])))
	for i := range slots {
		for name, edit := range map[string]func(*event.Slot){
			"position": func(s *event.Slot) { s.Position++ }, "canister": func(s *event.Slot) { s.Canister += "x" },
			"kind": func(s *event.Slot) { s.Kind = event.Distractor }, "odour": func(s *event.Slot) { s.Odour += "x" },
		} {
			other := append([]event.Slot(nil), slots...)
			edit(&other[i])
			add("commitment: "+name, Commit(b, 1, numbered(3), []event.Placement{event.NewPlacement(other)}))
		}
	}
	add("nonce 1", CommitmentNonce(numbered(3), 1))
	add("nonce 2", CommitmentNonce(numbered(3), 2))
	add("nonce of another seed", CommitmentNonce(numbered(4), 1))
}

func TestLoadingHash(t *testing.T) {
	a := []event.Loaded{{Position: 1, Canister: "1A", Odour: "tnt"}, {Position: 1, Canister: "1B", Odour: "blank"}}
	for i, b := range [][]event.Loaded{
		{a[1], a[0]}, a[:1], {{Position: 2, Canister: "1A", Odour: "tnt"}, a[1]}, {{Position: 1, Canister: "1At", Odour: "nt"}, a[1]}, nil,
	} {
		if LoadingHash([32]byte{}, a) == LoadingHash([32]byte{}, b) {
			t.Errorf("loading %d has the same hash", i)
		}
	}
}
