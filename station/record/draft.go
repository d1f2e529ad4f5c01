package record

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"scentpost/station/event"
)

// DraftOf returns the draft (event.Draft) under which a bundle was made, as its epoch's first record says; ok is false
// where there is none to read, as in no bundle at all or in a damaged one. Every draft has its number there, so nothing
// else of the bundle is asked: it may have any other form.
func DraftOf(members []Member) (draft int, ok bool) {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Name == MemberEpoch })
	if i < 0 || damaged(members, members[i]) {
		return 0, false
	}
	var first struct {
		Type string `json:"type"`
		Data *struct {
			Draft *int `json:"draft"`
		} `json:"data"`
	}
	if err := json.Unmarshal(members[i].Data, &first); err != nil || first.Type != "scentpost."+string(event.EpochBegan) || first.Data == nil {
		return 0, false
	}
	if first.Data.Draft == nil {
		return event.FirstDraft, true
	}
	return *first.Data.Draft, true
}

// damaged tells whether the manifest lists a member with another hash: what was damaged on the way says no draft.
func damaged(members []Member, m Member) bool {
	i := slices.IndexFunc(members, func(m Member) bool { return m.Name == MemberManifest })
	var list struct {
		Members []listed `json:"members"`
	}
	if i < 0 || json.Unmarshal(members[i].Data, &list) != nil {
		return false
	}
	sum := sha256.Sum256(m.Data)
	return slices.ContainsFunc(list.Members, func(l listed) bool { return l.Name == m.Name && l.SHA256 != hex.EncodeToString(sum[:]) })
}

// PeekZip unpacks the members of a bundle that DraftOf asks for, and does not look at the others: those of another draft
// may be any.
func PeekZip(data []byte, limits Limits) []Member {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil || int64(len(data)) > limits.Zip {
		return nil
	}
	var found []Member
	for _, f := range z.File {
		if f.Name != MemberManifest && f.Name != MemberEpoch || slices.ContainsFunc(found, func(m Member) bool { return m.Name == f.Name }) {
			continue
		}
		content, err := readMember(data, f, MaxLine)
		if err != nil {
			return nil
		}
		found = append(found, Member{f.Name, content})
	}
	return found
}
