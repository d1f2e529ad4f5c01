package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode/utf8"
)

const (
	tagPerson = "scentpost/person/v1"
	refBytes  = 16 // of the hash: two people of one session never share a reference
)

// RefPrefix begins every reference of a person or dog.
const RefPrefix = "p-"

// Identity is the name behind a reference. It is kept apart from the log: whoever deletes Salt and Name leaves a
// reference that tells nothing, and every hash and signature as it was.
type Identity struct {
	Ref  string `json:"ref"`
	Salt string `json:"salt"` // 32 hexadecimal digits, random, of this person alone
	Name string `json:"name"` // as entered
}

// PersonRef returns the reference of a person or dog: "p-" and the first 16 bytes, in hexadecimal, of the SHA-256 of the
// tag "scentpost/person/v1", salt and name, each after its length as in SealHash.
func PersonRef(salt [16]byte, name string) string {
	b := appendPart(nil, tagPerson)
	b = appendPart(b, salt[:])
	b = appendPart(b, name)
	sum := sha256.Sum256(b)
	return RefPrefix + hex.EncodeToString(sum[:refBytes])
}

// NewIdentity names a person or dog. The salt must be random.
func NewIdentity(salt [16]byte, name string) Identity {
	return Identity{Ref: PersonRef(salt, name), Salt: hex.EncodeToString(salt[:]), Name: name}
}

// Check returns an error when the reference is not that of the name and salt.
func (i Identity) Check() error {
	salt, err := hex.DecodeString(i.Salt)
	if err != nil || len(salt) != 16 || hex.EncodeToString(salt) != i.Salt {
		return fmt.Errorf("%s: the salt is not 32 hexadecimal digits in lower case", i.Ref)
	}
	if i.Name == "" || !utf8.ValidString(i.Name) {
		return fmt.Errorf("%s: the name is empty or not UTF-8", i.Ref)
	}
	if want := PersonRef([16]byte(salt), i.Name); i.Ref != want {
		return fmt.Errorf("%s is not the reference of this name and salt", i.Ref)
	}
	return nil
}

// References finds every reference of a person or dog in the lines. In a line a quote within text is escaped, so a
// quoted reference cannot be forged by a plan's text.
func References(lines [][]byte) map[string]bool {
	quoted := []byte(`"` + RefPrefix)
	used := map[string]bool{}
	for _, line := range lines {
		for {
			at := bytes.Index(line, quoted)
			if at < 0 {
				break
			}
			line = line[at+1:]
			if end := bytes.IndexByte(line, '"'); end > 0 && !used[string(line[:end])] {
				used[string(line[:end])] = true
			}
		}
	}
	return used
}
