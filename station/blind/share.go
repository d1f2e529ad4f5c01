package blind

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// tagShare begins what an authority signs.
const tagShare = "scentpost/share/v1"

// An answer is the authority's share, the id of its key and its signature, in lower-case hexadecimal.
const (
	shareBytes     = 32
	keyIDBytes     = 4
	signatureBytes = 64
	answerBytes    = shareBytes + keyIDBytes + signatureBytes
)

// shareMessage returns what an authority signs: the tag, the station's hash and the share, each as a part.
func shareMessage(stationHash, share [32]byte) []byte {
	b := appendPart(nil, tagShare)
	b = appendPart(b, stationHash[:])
	return appendPart(b, share[:])
}

// SignShare answers a station's hash with the authority's share: 200 hexadecimal digits for `session seal --share`.
// private is the authority's key in note form (PRIVATE+KEY+...). An authority must answer a hash once only: who gets
// two answers may choose between two draws.
func SignShare(private string, stationHash, share [32]byte) (answer string, err error) {
	signer, err := note.NewSigner(strings.TrimSpace(private))
	if err != nil {
		return "", errors.New("this is no private key: want one line as `scentpost key new` writes it")
	}
	signature, err := signer.Sign(shareMessage(stationHash, share))
	if err != nil {
		return "", fmt.Errorf("sign the share: %w", err)
	}
	b := binary.BigEndian.AppendUint32(share[:], signer.KeyHash())
	return hex.EncodeToString(append(b, signature...)), nil
}

// VerifyShare checks an authority's signature (128 hexadecimal digits) over the station's hash and the share. key is
// its verifier key in note form.
func VerifyShare(key string, stationHash, share [32]byte, signature string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("%.120q is no verifier key: want <name>+<id>+<base64>", key)
	}
	raw, err := hex.DecodeString(signature)
	if err != nil || len(raw) != signatureBytes || hex.EncodeToString(raw) != signature {
		return fmt.Errorf("the signature is not %d lower-case hexadecimal digits", 2*signatureBytes)
	}
	if !verifier.Verify(shareMessage(stationHash, share), raw) {
		return fmt.Errorf("the signature is not one of %s over this station's hash and this share", verifier.Name())
	}
	return nil
}

// ParseAnswer takes an authority's answer apart: its share (64 digits), the verifier key that it names by its id,
// out of authorities, and the signature (128 digits). The signature itself is checked by VerifyShare.
func ParseAnswer(answer string, authorities []string) (share, key, signature string, err error) {
	answer = strings.ToLower(strings.TrimSpace(answer))
	raw, err := hex.DecodeString(answer)
	switch {
	case err != nil:
		return "", "", "", fmt.Errorf("the authority's answer is not hexadecimal: want %d digits, as the authority's program prints them", 2*answerBytes)
	case len(raw) == shareBytes:
		return "", "", "", fmt.Errorf("this share is not signed: want the authority's whole answer, %d digits, or --dice", 2*answerBytes)
	case len(raw) != answerBytes:
		return "", "", "", fmt.Errorf("the authority's answer has %d digits: want %d", len(answer), 2*answerBytes)
	}
	id := binary.BigEndian.Uint32(raw[shareBytes:])
	for _, known := range authorities {
		if verifier, err := note.NewVerifier(known); err == nil && verifier.KeyHash() == id {
			return answer[:2*shareBytes], known, answer[2*(shareBytes+keyIDBytes):], nil
		}
	}
	return "", "", "", fmt.Errorf("the answer is signed by the key %08x, which is none of this station's %d authorities: add its verifier key to the configuration, or use --dice",
		id, len(authorities))
}

// The limits of what is typed for dice.
const (
	minDice = 5
	maxDice = 1_000 // bytes
	// EnoughDice is how many dice it takes before nobody can try all of their throws: 6^20 are 3.7 * 10^15.
	EnoughDice = 20
)

// WhyDice says why few dice are not enough.
var WhyDice = fmt.Sprintf("a station could have prepared for every throw of them, and %d leave it no chance", EnoughDice)

// CheckDice returns what an assessor typed for dice with single spaces between the groups, as it goes into the
// record and the seed. Fewer than five dice are refused, and what no die shows. Fewer than EnoughDice leave a
// dishonest station something to choose.
func CheckDice(text string) (string, error) {
	if len(text) > maxDice {
		return "", fmt.Errorf("the dice have %d bytes, and %d are the most: throw dice and type what they show, such as 4 1 6 6 2", len(text), maxDice)
	}
	n := 0
	for _, r := range text {
		if unicode.IsSpace(r) {
			continue
		}
		n++
		if r < '1' || r > '6' {
			return "", fmt.Errorf("die %d shows %q, and a die shows 1 to 6: mend what was typed", n, r)
		}
	}
	if n < minDice {
		return "", fmt.Errorf("%d dice are too few: throw %d or more (%d are the least that is taken): %s", n, EnoughDice, minDice, WhyDice)
	}
	return strings.Join(strings.Fields(text), " "), nil
}

// CountDice returns how many dice there are in what CheckDice returned.
func CountDice(dice string) int { return len(dice) - strings.Count(dice, " ") }
