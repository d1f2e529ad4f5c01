package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"scentpost/station/event"
)

// refBytes is how many bytes of the hash are in a reference: two people of one session never share one.
const refBytes = 16

// tags are those of the hash of a reference, by its prefix.
var tags = map[string]string{event.PersonPrefix: "scentpost/person/v1", event.DogPrefix: "scentpost/dog/v1"}

// Identity is the name behind a reference. It is kept apart from the log: whoever deletes Salt and Name leaves a
// reference that tells nothing, and every hash and signature as it was.
type Identity struct {
	Ref  string `json:"ref"`
	Salt string `json:"salt"` // 32 hexadecimal digits, random, of this person or dog alone
	Name string `json:"name"` // as entered
}

// reference returns the reference of a person or dog: the prefix and the first 16 bytes, in hexadecimal, of the SHA-256 of
// the prefix's tag, salt and name, each after its length as in SealHash.
func reference(prefix string, salt [16]byte, name string) string {
	b := appendPart(nil, tags[prefix])
	b = appendPart(b, salt[:])
	b = appendPart(b, name)
	sum := sha256.Sum256(b)
	return prefix + hex.EncodeToString(sum[:refBytes])
}

// NewPerson names a person. The salt must be random.
func NewPerson(salt [16]byte, name string) Identity { return identity(event.PersonPrefix, salt, name) }

// NewDog names a dog, which is never the person of the same name. The salt must be random.
func NewDog(salt [16]byte, name string) Identity { return identity(event.DogPrefix, salt, name) }

func identity(prefix string, salt [16]byte, name string) Identity {
	return Identity{Ref: reference(prefix, salt, name), Salt: hex.EncodeToString(salt[:]), Name: name}
}

// Dog tells whether the identity is that of a dog.
func (i Identity) Dog() bool { return strings.HasPrefix(i.Ref, event.DogPrefix) }

// Check returns an error when the reference is not that of the name and salt.
func (i Identity) Check() error {
	salt, err := hex.DecodeString(i.Salt)
	if err != nil || len(salt) != 16 || hex.EncodeToString(salt) != i.Salt {
		return fmt.Errorf("%s: the salt is not 32 hexadecimal digits in lower case", i.Ref)
	}
	if i.Name == "" || !utf8.ValidString(i.Name) {
		return fmt.Errorf("%s: the name is empty or not UTF-8", i.Ref)
	}
	prefix := event.PersonPrefix
	if i.Dog() {
		prefix = event.DogPrefix
	}
	if i.Ref != reference(prefix, [16]byte(salt), i.Name) {
		return fmt.Errorf("%s is not the reference of this name and salt", i.Ref)
	}
	return nil
}

// References finds every reference of a person or dog in the lines.
func References(lines [][]byte) map[string]bool {
	used := map[string]bool{}
	for _, line := range lines {
		AddReferences(used, line)
	}
	return used
}

// AddReferences adds to used every reference of a person or dog in a line. In a line a quote within text is escaped, so a
// quoted reference cannot be forged by a plan's text.
func AddReferences(used map[string]bool, line []byte) {
	for prefix := range tags {
		quoted, rest := []byte(`"`+prefix), line
		for {
			at := bytes.Index(rest, quoted)
			if at < 0 {
				break
			}
			rest = rest[at+1:]
			if end := bytes.IndexByte(rest, '"'); end > 0 && !used[string(rest[:end])] {
				used[string(rest[:end])] = true
			}
		}
	}
}
