package blind

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"scentpost/station/event"
)

// The tags that keep hashes for different purposes apart.
const (
	tagLoading = "scentpost/loading/v1"
	tagStation = "scentpost/station/v1"
	tagSeed    = "scentpost/seed/v1"
	tagNonce   = "scentpost/nonce/v1"
	tagSeal    = "scentpost/seal/v1"
)

// Binding is what ties a seed and its commitments to one set-up, so that none can be used in another.
type Binding struct {
	Station, Epoch, SetUp string
	PlanHash, LoadingHash [32]byte
}

// parts appends what StationHash and SessionSeed are bound to.
func (b Binding) parts(to []byte) []byte {
	to = appendPart(to, b.Station)
	to = appendPart(to, b.Epoch)
	to = appendPart(to, b.SetUp)
	to = appendPart(to, b.PlanHash[:])
	return appendPart(to, b.LoadingHash[:])
}

// LoadingHash returns the SHA-256 over the tag "scentpost/loading/v1", the salt and, for each canister in the order given,
// position (8 bytes), canister and odour, each as a part. Without the salt nobody can try the few loadings that there are.
func LoadingHash(salt [32]byte, loading []event.Loaded) [32]byte {
	b := appendPart(appendPart(nil, tagLoading), salt[:])
	for _, l := range loading {
		b = appendNumber(b, l.Position)
		b = appendPart(b, l.Canister)
		b = appendPart(b, l.Odour)
	}
	return sha256.Sum256(b)
}

// StationHash commits the station to its share of the seed before the authority answers: SHA-256 over the tag
// "scentpost/station/v1", station, epoch, set-up, plan hash, loading hash, the openings (hex) one after the other in one part, and
// share, each as a part.
func StationHash(b Binding, openings []string, share [32]byte) [32]byte {
	out := appendPart(b.parts(appendPart(nil, tagStation)), strings.Join(openings, ""))
	return sha256.Sum256(appendPart(out, share[:]))
}

// Load returns the public and the sealed body of a record that a set-up is loaded, and what its draw is bound to. b has all but
// the loading's hash.
func Load(b Binding, openings []string, loading []event.Loaded, share, salt [32]byte) (Binding, *event.Load, *event.Filling) {
	b.LoadingHash = LoadingHash(salt, loading)
	stationHash := StationHash(b, openings, share)
	return b, &event.Load{
			SetUp: b.SetUp, Canisters: len(loading), LoadingHash: hex.EncodeToString(b.LoadingHash[:]),
			Openings: openings, StationHash: hex.EncodeToString(stationHash[:]),
		}, &event.Filling{
			Share: hex.EncodeToString(share[:]), Salt: hex.EncodeToString(salt[:]), Loading: loading,
		}
}

// SessionSeed returns the seed of the draw: HKDF-SHA256 without salt, of the station's share and the authority's as
// parts, its info the tag "scentpost/seed/v1" and the binding as in StationHash. The authority's share is 32 bytes,
// the SHA-256 of the dice as typed, or empty when the station is alone.
func SessionSeed(b Binding, station [32]byte, authority []byte) [32]byte {
	secret := appendPart(appendPart(nil, station[:]), authority)
	return expand(secret, b.parts(appendPart(nil, tagSeed)))
}

// CommitmentNonce returns the nonce of the commitment of one run: HKDF-SHA256 without salt of the 32 bytes of the
// nonces' seed, its info the tag "scentpost/nonce/v1" and the run's index (8 bytes), as parts.
func CommitmentNonce(nonceSeed [32]byte, index int) [32]byte {
	return expand(nonceSeed[:], appendNumber(appendPart(nil, tagNonce), index))
}

// expand is HKDF-SHA256 (RFC 5869) to 32 bytes.
func expand(secret, info []byte) [32]byte {
	key, err := hkdf.Key(sha256.New, secret, nil, string(info), 32)
	if err != nil {
		panic("blind: HKDF refuses 32 bytes: " + err.Error()) // it refuses only more than 255 blocks
	}
	return [32]byte(key)
}

// Commit returns the commitment to the placements of one run: SHA-256 over the tag "scentpost/seal/v1", station,
// epoch, plan hash, set-up, index (8 bytes), nonce, and all placements as one part. In that part each placement is
// the number of its slots (8 bytes) and for each slot position (8 bytes), canister, kind and odour, each as a part.
// A scheduled run has one placement; a reserve run has one for each composition, in the order of Compositions.
func Commit(b Binding, index int, nonce [32]byte, placements []event.Placement) [32]byte {
	var inner []byte
	for _, p := range placements {
		inner = appendNumber(inner, p.Len())
		for _, slot := range p.Reveal() {
			inner = appendNumber(inner, slot.Position)
			inner = appendPart(inner, slot.Canister)
			inner = appendPart(inner, string(slot.Kind))
			inner = appendPart(inner, slot.Odour)
		}
	}
	out := appendPart(nil, tagSeal)
	out = appendPart(out, b.Station)
	out = appendPart(out, b.Epoch)
	out = appendPart(out, b.PlanHash[:])
	out = appendPart(out, b.SetUp)
	out = appendNumber(out, index)
	out = appendPart(out, nonce[:])
	return sha256.Sum256(appendPart(out, inner))
}
