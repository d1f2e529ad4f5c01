package blind

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// tagShare begins the hash that makes an authority's share of its signature.
const tagShare = "scentpost/share/v1"

// requestForm begins the request of a station to a second party.
const requestForm = "scentpost/request/v1"

// An answer is the id of the authority's key and its signature, in lower-case hexadecimal.
const (
	keyIDBytes     = 4
	signatureBytes = 64
	answerBytes    = keyIDBytes + signatureBytes
)

// SetUpDigits is how many hexadecimal digits the id of a set-up has.
const SetUpDigits = 16

// AreDigits tells whether a text is n hexadecimal digits in lower case.
func AreDigits(text string, n int) bool {
	return len(text) == n && strings.Trim(text, "0123456789abcdef") == ""
}

// Request is the text that a station asks a second party to sign: which draw it is about, all openings known so far, and the
// hash that commits the station. Each line ends with a newline.
func Request(b Binding, openings []string, stationHash [32]byte) string {
	var text strings.Builder
	line := func(parts ...string) { text.WriteString(strings.Join(parts, " ") + "\n") }
	line(requestForm)
	line("station", b.Station)
	line("epoch", b.Epoch)
	line("set-up", b.SetUp)
	line("plan", hex.EncodeToString(b.PlanHash[:]))
	line("loading", hex.EncodeToString(b.LoadingHash[:]))
	for _, opening := range openings {
		line("opening", opening)
	}
	line("hash", hex.EncodeToString(stationHash[:]))
	return text.String()
}

// IsRequest tells whether a text begins as a request does. An authority signs nothing else with its key.
func IsRequest(text string) bool { return strings.HasPrefix(text, requestForm+"\nstation ") }

// Answer signs a station's request: 136 hexadecimal digits for `session seal --share`. private is the authority's key in note
// form (PRIVATE+KEY+...). A signature of Ed25519 is made without chance (RFC 8032), so that asking twice gives the same share.
func Answer(private, request string) (answer string, err error) {
	if !IsRequest(request) {
		return "", errors.New("this is no request of a station: want what `scentpost session request` writes")
	}
	signer, err := note.NewSigner(strings.TrimSpace(private))
	if err != nil {
		return "", errors.New("this is no private key: want one line as `scentpost key new` writes it")
	}
	signature, err := signer.Sign([]byte(request))
	if err != nil {
		return "", fmt.Errorf("sign the request: %w", err)
	}
	b := binary.BigEndian.AppendUint32(nil, signer.KeyHash())
	return hex.EncodeToString(append(b, signature...)), nil
}

// AuthorityShare checks an authority's signature (128 hexadecimal digits) over a request and returns the share that it makes:
// SHA-256 over the tag "scentpost/share/v1" and the signature, each as a part. key is its verifier key in note form.
func AuthorityShare(key, request, signature string) (share [32]byte, err error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return share, fmt.Errorf("%.120q is no verifier key: want <name>+<id>+<base64>", key)
	}
	raw, err := hex.DecodeString(signature)
	if err != nil || len(raw) != signatureBytes || hex.EncodeToString(raw) != signature {
		return share, fmt.Errorf("the signature is not %d lower-case hexadecimal digits", 2*signatureBytes)
	}
	if !verifier.Verify([]byte(request), raw) {
		return share, fmt.Errorf("the signature is not one of %s over this station's request", verifier.Name())
	}
	return sha256.Sum256(appendPart(appendPart(nil, tagShare), raw)), nil
}

// ParseAnswer takes an authority's answer apart: the verifier key that it names by its id, out of authorities, and the signature
// (128 digits). The signature itself is checked by AuthorityShare.
func ParseAnswer(answer string, authorities []string) (key, signature string, err error) {
	answer = strings.ToLower(strings.TrimSpace(answer))
	raw, err := hex.DecodeString(answer)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("the authority's answer is not hexadecimal: want %d digits, as the authority's program prints them", 2*answerBytes)
	case len(raw) != answerBytes:
		return "", "", fmt.Errorf("the authority's answer has %d digits: want %d, as the authority's program prints them", len(answer), 2*answerBytes)
	}
	id := binary.BigEndian.Uint32(raw)
	for _, known := range authorities {
		if verifier, err := note.NewVerifier(known); err == nil && verifier.KeyHash() == id {
			return known, answer[2*keyIDBytes:], nil
		}
	}
	return "", "", fmt.Errorf("the answer is signed by the key %08x, which is none of this station's %d authorities: add its verifier key to the configuration, or use --dice",
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
