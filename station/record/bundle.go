package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/station/history"
)

// BundleFormat stands in the manifest of every bundle that this code writes.
const BundleFormat = "scentpost/bundle/v1"

// The members of a bundle, in the order in which they are written.
const (
	MemberManifest    = "manifest.json"
	MemberLog         = "log.json"
	MemberEpoch       = "epoch.json"
	MemberKey         = "key.txt"
	MemberRecords     = "records.jsonl"
	MemberLeaves      = "leaves.txt"
	MemberCheckpoints = "checkpoints.json"
	MemberIdentities  = "identities.json" // the one that may be absent
	MemberReport      = "report.json"
)

var memberOrder = []string{MemberManifest, MemberLog, MemberEpoch, MemberKey, MemberRecords, MemberLeaves,
	MemberCheckpoints, MemberIdentities, MemberReport}

// Bundle is one session as it leaves the station: the records [From, From+len(Lines)) of a log with all that ties
// them to signed checkpoints.
type Bundle struct {
	Log     Log
	Session string
	// From is the seq of the first line.
	From int64
	// Frontier are the roots of the complete subtrees of the records before From, largest first (see Frontier).
	Frontier []tlog.Hash
	// Epoch is the line of record 0, and EpochProof shows (tlog.ProveRecord) that it is in the log of
	// From+len(Lines) records.
	Epoch      []byte
	EpochProof tlog.RecordProof
	// Key is the text of the verifier key that signs the checkpoints.
	Key string
	// Lines are the public lines, without newlines, and Leaves their leaf hashes, which Write makes itself.
	Lines  [][]byte
	Leaves []tlog.Hash
	// Checkpoints are those of the session, in order; the last one covers the last line.
	Checkpoints []Checkpoint
	// Identities are the names behind references, nil when they were left out.
	Identities []Identity
	// Report is what the lines say in short. Write makes it itself; a reader must make it again and compare.
	Report history.Session
}

// Checkpoint is a signed note with the reason for which it was made.
type Checkpoint struct {
	Size int64  `json:"size,string"`
	Why  string `json:"why"`
	Note string `json:"note"`
}

// Member is one file of a bundle.
type Member struct {
	Name string
	Data []byte
}

// The JSON members hold these structs, each in one line with a newline behind it, written as a body is.
type (
	manifest struct {
		Format  string   `json:"format"`
		Members []listed `json:"members"`
	}
	listed struct {
		Name   string `json:"name"`
		Size   int64  `json:"size,string"`
		SHA256 string `json:"sha256"`
	}
	extent struct {
		Site       string   `json:"site"`
		Station    string   `json:"station"`
		Epoch      string   `json:"epoch"`
		Session    string   `json:"session"`
		From       int64    `json:"from,string"`
		To         int64    `json:"to,string"`
		Frontier   []string `json:"frontier"`
		EpochProof []string `json:"epoch_proof"`
	}
	checkpointList struct {
		Checkpoints []Checkpoint `json:"checkpoints"`
	}
	identityList struct {
		Identities []Identity `json:"identities"`
	}
)

var (
	manifestShape   = shapeOf(reflect.TypeFor[manifest](), false)
	extentShape     = shapeOf(reflect.TypeFor[extent](), false)
	checkpointShape = shapeOf(reflect.TypeFor[checkpointList](), false)
	identityShape   = shapeOf(reflect.TypeFor[identityList](), false)
	reportShape     = shapeOf(reflect.TypeFor[history.Session](), false)
)

// Write writes the bundle as a zip. The same bundle gives the same bytes everywhere. It refuses what Read would
// refuse for its form; whether it is true is for package verify.
func Write(w io.Writer, b Bundle) error {
	members, err := b.Members()
	if err != nil {
		return err
	}
	return WriteZip(w, members)
}

// Members returns the bundle's files in their order.
func (b Bundle) Members() ([]Member, error) {
	b.Leaves = nil
	for _, line := range b.Lines {
		b.Leaves = append(b.Leaves, LeafHash(line))
	}
	var err error
	if b.Report, err = report(b.Lines); err != nil {
		return nil, err
	}
	var made maker
	made.json(MemberLog, extentShape, &extent{
		Site: b.Log.Site, Station: b.Log.Station, Epoch: b.Log.Epoch, Session: b.Session,
		From: b.From, To: b.To(), Frontier: hexList(b.Frontier), EpochProof: hexList(b.EpochProof),
	})
	made.lines(MemberEpoch, b.Epoch)
	made.lines(MemberKey, []byte(b.Key))
	made.lines(MemberRecords, b.Lines...)
	leaves := make([][]byte, len(b.Leaves))
	for i, leaf := range b.Leaves {
		leaves[i] = hex.AppendEncode(nil, leaf[:])
	}
	made.lines(MemberLeaves, leaves...)
	made.json(MemberCheckpoints, checkpointShape, &checkpointList{b.Checkpoints})
	if b.Identities != nil {
		sorted := slices.Clone(b.Identities)
		slices.SortFunc(sorted, func(x, y Identity) int { return bytes.Compare([]byte(x.Ref), []byte(y.Ref)) })
		made.json(MemberIdentities, identityShape, &identityList{sorted})
	}
	made.json(MemberReport, reportShape, &b.Report)
	if made.err != nil {
		return nil, made.err
	}
	return WithManifest(made.members)
}

// To returns the number of records of the log up to the bundle's end.
func (b Bundle) To() int64 { return b.From + int64(len(b.Lines)) }

// WithManifest puts a manifest before members, in place of one that they may have.
func WithManifest(members []Member) ([]Member, error) {
	list := manifest{Format: BundleFormat}
	kept := []Member{{Name: MemberManifest}}
	for _, m := range members {
		if m.Name == MemberManifest {
			continue
		}
		sum := sha256.Sum256(m.Data)
		list.Members = append(list.Members, listed{m.Name, int64(len(m.Data)), hex.EncodeToString(sum[:])})
		kept = append(kept, m)
	}
	data, err := manifestShape.appendBody(nil, &list)
	if err != nil {
		return nil, fmt.Errorf("%s%w", MemberManifest, err)
	}
	kept[0].Data = append(data, '\n')
	return kept, nil
}

// maker gathers members and keeps the first error.
type maker struct {
	members []Member
	err     error
}

func (m *maker) json(name string, s *shape, body any) {
	data, err := s.appendBody(nil, body)
	if err != nil {
		m.fail(fmt.Errorf("%s%w", name, err))
	}
	m.members = append(m.members, Member{name, append(data, '\n')})
}

func (m *maker) lines(name string, lines ...[]byte) {
	size := 0
	for _, line := range lines {
		size += len(line) + 1
	}
	data := make([]byte, 0, size)
	for _, line := range lines {
		if len(line) == 0 || bytes.IndexByte(line, '\n') >= 0 {
			m.fail(fmt.Errorf("%s: an empty line, or one with a newline in it", name))
		}
		data = append(append(data, line...), '\n')
	}
	if len(lines) == 0 {
		m.fail(errors.New(name + ": a session has at least one record"))
	}
	m.members = append(m.members, Member{name, data})
}

func (m *maker) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

func hexList(hashes []tlog.Hash) []string {
	out := make([]string, len(hashes))
	for i, h := range hashes {
		out[i] = hex.EncodeToString(h[:])
	}
	return out
}
