package record

import (
	"bytes"
	"strings"
	"testing"

	"scentpost/station/event"
)

func TestSealedBodiesOfOneKindHaveOneLength(t *testing.T) {
	for _, moves := range []event.Moves{
		{},
		{Canister: "6D", Open: true, Commanded: 1, Confirmed: 9223372036854775807, Fault: "limit switch lost in mid-run"},
		{Canister: strings.Repeat("x", 32), Commanded: 9223372036854775807, Confirmed: 9223372036854775807, Fault: strings.Repeat("y", 80)},
	} {
		body, err := EncodeSecret(event.CanisterMoved, &moves)
		if err != nil || len(body) != movesLength {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
		back, err := DecodeSecret(event.CanisterMoved, body)
		if err != nil || *back.(*event.Moves) != moves {
			t.Fatalf("%+v, %v", back, err)
		}
	}
	for _, why := range []string{"", strings.Repeat("\"", event.MaxWhy), strings.Repeat("\\", event.MaxWhy), strings.Repeat("犬", event.MaxWhy/3)} {
		loss := event.Loss{Lost: -1 << 63, From: -1 << 63, To: -1 << 63, Why: why}
		body, err := EncodeSecret(event.EdgesLost, &loss)
		if err != nil || len(body) != lossLength {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
	}
	for _, kind := range event.Types() {
		if length := secretLength(kind, event.NewSecret(kind)); event.IsSealed(kind) != (length > 0) {
			t.Errorf("%s has the length %d", kind, length)
		}
	}
}

// TestTheLengthOfALoadingTellsNothing but how many canisters there are.
func TestTheLengthOfALoadingTellsNothing(t *testing.T) {
	long := event.Loaded{Position: 32, Canister: "32Z", Odour: strings.Repeat("犬", 40)}
	for n := range 4 {
		var lengths []int
		for _, loaded := range []event.Loaded{{Position: 1, Canister: "1A", Odour: "c4"}, long} {
			filling := event.Filling{Share: strings.Repeat("0", 64), Salt: strings.Repeat("0", 64)}
			for range n {
				filling.Loading = append(filling.Loading, loaded)
			}
			body, err := EncodeSecret(event.SessionLoaded, &filling)
			if err != nil {
				t.Fatal(err)
			}
			back, err := DecodeSecret(event.SessionLoaded, body)
			if err != nil || len(back.(*event.Filling).Loading) != n {
				t.Fatalf("%+v, %v", back, err)
			}
			lengths = append(lengths, len(body))
		}
		if lengths[0] != lengths[1] {
			t.Errorf("%d canisters have the lengths %v", n, lengths)
		}
	}
}

func TestSealedBodiesThatAreRefusedSayNothingOfThem(t *testing.T) {
	const secret = "tnt in 3B"
	for name, moves := range map[string]any{
		"too long":  &event.Moves{Fault: secret + strings.Repeat("x", 300)},
		"not UTF-8": &event.Moves{Fault: secret + "\xff"},
		"wrong":     &event.NonceSeed{Seed: secret},
		"nil":       nil,
	} {
		if _, err := EncodeSecret(event.CanisterMoved, moves); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := EncodeSecret(event.BeamEntered, &event.Beam{}); err == nil {
		t.Error("a kind without a sealed body has one")
	}
	good, err := EncodeSecret(event.CanisterMoved, &event.Moves{Canister: "1A"})
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"shorter":         good[:len(good)-1],
		"longer":          append(bytes.Clone(good), ' '),
		"another padding": append(bytes.Clone(good[:len(good)-1]), '\t'),
		"padded within":   bytes.Replace(bytes.Clone(good), []byte(`":`), []byte(`": `), 1)[:len(good)],
		"of another kind": append([]byte(`{"share":""}`), bytes.Repeat([]byte{' '}, len(good)-12)...),
		"empty":           nil,
	} {
		if _, err := DecodeSecret(event.CanisterMoved, body); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := DecodeSecret(event.BeamEntered, good); err == nil {
		t.Error("a kind without a sealed body was read")
	}
}

// TestSealHashBindsEverything changes one argument at a time, and moves a byte from one to the next.
func TestSealHashBindsEverything(t *testing.T) {
	nonce := [32]byte{1}
	base := SealHash("station", "epoch", 7, "canister.moved", nonce, []byte("body"))
	seen := map[[32]byte]bool{base: true}
	for _, other := range [][32]byte{
		SealHash("statio", "nepoch", 7, "canister.moved", nonce, []byte("body")),
		SealHash("station2", "epoch", 7, "canister.moved", nonce, []byte("body")),
		SealHash("station", "epoch2", 7, "canister.moved", nonce, []byte("body")),
		SealHash("station", "epoch", 8, "canister.moved", nonce, []byte("body")),
		SealHash("station", "epoch", 7, "session.sealed", nonce, []byte("body")),
		SealHash("station", "epoch", 7, "canister.moved", [32]byte{2}, []byte("body")),
		SealHash("station", "epoch", 7, "canister.moved", nonce, []byte("body ")),
	} {
		if seen[other] {
			t.Fatal("two seals are alike")
		}
		seen[other] = true
	}
}

func TestOpening(t *testing.T) {
	e := Opening("s-1", 3, event.Stamp{Quality: event.Synced}, 12, [32]byte{0xab}, []byte("{} "))
	body := e.Body.(*event.OpenedBody)
	if e.Type != event.Opened || e.Run != 3 || body.Of != 12 || body.Body != "{} " || !strings.HasPrefix(body.Nonce, "ab00") {
		t.Fatalf("%+v %+v", e, body)
	}
}

func TestIdentities(t *testing.T) {
	id := NewPerson([16]byte{1}, "Ђурђа Petrović")
	if err := id.Check(); err != nil || !strings.HasPrefix(id.Ref, event.PersonPrefix) || len(id.Ref) != 34 {
		t.Fatalf("%+v, %v", id, err)
	}
	if NewPerson([16]byte{2}, id.Name).Ref == id.Ref {
		t.Error("the salt does not count")
	}
	for name, change := range map[string]func(i *Identity){
		"another name":  func(i *Identity) { i.Name += " " },
		"another salt":  func(i *Identity) { i.Salt = strings.Replace(i.Salt, "1", "2", 1) },
		"another ref":   func(i *Identity) { i.Ref += "0" },
		"capital salt":  func(i *Identity) { *i = NewPerson([16]byte{0xab}, "x"); i.Salt = strings.ToUpper(i.Salt) },
		"short salt":    func(i *Identity) { i.Salt = "01" },
		"no name":       func(i *Identity) { *i = NewPerson([16]byte{}, "") },
		"name not text": func(i *Identity) { *i = NewPerson([16]byte{}, "\xff") },
	} {
		changed := id
		change(&changed)
		if changed.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
