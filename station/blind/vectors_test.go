package blind

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"scentpost/station/event"
)

// vectors are what LAW1.md promises a stranger.
type vectors struct {
	Generator []generatorVector `json:"generator"`
	Deals     []dealVector      `json:"deals"`
	Seals     []sealVector      `json:"seals"`
}

type generatorVector struct {
	Seed    string   `json:"seed"`
	Stream  string   `json:"stream"`
	Words   []string `json:"words"` // the first words of the stream
	Below6  []int    `json:"below_6"`
	Below   string   `json:"below_10_to_the_30"`
	Shuffle []int    `json:"shuffle_of_10"`
	Choose  []int    `json:"choose_3_of_7"`
	Deck    []int    `json:"deck_of_11_cards_of_4_kinds"` // each of these from the stream's beginning
}

type dealVector struct {
	Plan      string           `json:"plan"`
	Seed      string           `json:"seed"`
	Scheduled [][]event.Slot   `json:"scheduled"`
	Reserve   [][][]event.Slot `json:"reserve"`
}

type sealVector struct {
	Station     string       `json:"station"`
	Epoch       string       `json:"epoch"`
	SetUp       string       `json:"set_up"`
	Salt        string       `json:"salt"`
	Openings    []string     `json:"openings"`
	Plan        string       `json:"plan"` // its exact bytes; the loading is the plan's own
	PlanHash    string       `json:"plan_hash"`
	LoadingHash string       `json:"loading_hash"`
	Share       string       `json:"station_share"`
	StationHash string       `json:"station_hash"`
	Request     string       `json:"request"`
	AuthorityID string       `json:"authority"` // its verifier key
	Signature   string       `json:"signature"`
	Authority   string       `json:"authority_share"`
	Seed        string       `json:"seed"`
	SeedAlone   string       `json:"seed_without_authority"`
	NonceSeed   string       `json:"nonce_seed"`
	Index       int          `json:"index"`
	Nonce       string       `json:"nonce"`
	Placement   []event.Slot `json:"placement"`
	Commitment  string       `json:"commitment"`
}

func digits(b [32]byte) string { return hex.EncodeToString(b[:]) }

func generatorVectorOf(seed [32]byte, stream string) generatorVector {
	v := generatorVector{Seed: digits(seed), Stream: stream}
	g := newGenerator(seed, stream)
	for range 6 {
		v.Words = append(v.Words, hex.EncodeToString(new(big.Int).SetUint64(g.word()).FillBytes(make([]byte, 8))))
	}
	g = newGenerator(seed, stream)
	for range 12 {
		v.Below6 = append(v.Below6, g.below(6))
	}
	large := new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil)
	v.Below = newGenerator(seed, stream).belowBig(large).String()
	for i := range 10 {
		v.Shuffle = append(v.Shuffle, i)
	}
	shuffle(newGenerator(seed, stream), v.Shuffle)
	v.Choose = (&dealer{g: newGenerator(seed, stream)}).choose(7, 3)
	v.Deck = (&dealer{g: newGenerator(seed, stream)}).deck(11, 4)
	return v
}

func dealVectorOf(t *testing.T, text string, seed [32]byte) dealVector {
	p := parsed(t, text)
	deal := drawn(t, p, seed)
	v := dealVector{Plan: text, Seed: digits(seed), Reserve: [][][]event.Slot{}}
	for _, placement := range deal.Scheduled {
		v.Scheduled = append(v.Scheduled, placement.Reveal())
	}
	for _, row := range deal.Reserve {
		var slots [][]event.Slot
		for _, placement := range row {
			slots = append(slots, placement.Reveal())
		}
		v.Reserve = append(v.Reserve, slots)
	}
	return v
}

func sealVectorOf(t *testing.T, text string) sealVector {
	p := parsed(t, text)
	share, nonces, salt, openings := numbered(1), numbered(3), numbered(4), []string{digits(numbered(5)), digits(numbered(6))}
	b, load, _ := Load(Binding{Station: "station-1", Epoch: "0123456789abcdef", SetUp: "0011223344556677", PlanHash: p.Hash()}, openings, p.Loading(), share, salt)
	request := Request(b, openings, StationHash(b, openings, share))
	private, verifier := authority(t, "ministry", 2)
	answer, err := Answer(private, request)
	if err != nil {
		t.Fatal(err)
	}
	key, signature, err := ParseAnswer(answer, []string{verifier})
	if err != nil {
		t.Fatal(err)
	}
	authority, err := AuthorityShare(key, request, signature)
	if err != nil {
		t.Fatal(err)
	}
	seed := SessionSeed(b, share, authority[:])
	placement := drawn(t, p, seed).Scheduled[:1]
	nonce := CommitmentNonce(nonces, 1)
	return sealVector{
		Station: b.Station, Epoch: b.Epoch, SetUp: b.SetUp, Salt: digits(salt), Openings: openings, Plan: text,
		PlanHash: digits(b.PlanHash), LoadingHash: load.LoadingHash, Share: digits(share), StationHash: load.StationHash,
		Request: request, AuthorityID: verifier, Signature: signature, Authority: digits(authority),
		Seed: digits(seed), SeedAlone: digits(SessionSeed(b, share, nil)), NonceSeed: digits(nonces), Index: 1, Nonce: digits(nonce),
		Placement: placement[0].Reveal(), Commitment: digits(Commit(b, 1, nonce, placement)),
	}
}

func TestVectors(t *testing.T) {
	six, err := os.ReadFile("testdata/lineup-six.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got vectors
	for _, stream := range []string{streamScheduled, streamReserve} {
		got.Generator = append(got.Generator, generatorVectorOf([32]byte{}, stream), generatorVectorOf(numbered(0), stream))
	}
	texts := []string{base, string(six)}
	for _, c := range enumerable {
		texts = append(texts, c.plan)
	}
	for i, text := range texts {
		got.Deals = append(got.Deals, dealVectorOf(t, text, numbered(i)), dealVectorOf(t, text, [32]byte{31: byte(i)}))
	}
	got.Seals = append(got.Seals, sealVectorOf(t, base), sealVectorOf(t, string(six)))

	have, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "law1.json")
	if *update {
		if err := os.WriteFile(file, append(have, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, append(have, '\n')) {
		t.Errorf("the draw is no longer that of %s: law 1 never changes; a new way to draw is a new law", file)
	}
}
