package record

import (
	"encoding/hex"
	"reflect"

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
	MemberCheckpoints = "checkpoints.json"
	MemberIdentities  = "identities.json" // the one that may be absent
	MemberReport      = "report.json"
)

var memberOrder = []string{MemberManifest, MemberLog, MemberEpoch, MemberKey, MemberRecords,
	MemberCheckpoints, MemberIdentities, MemberReport}

// Bundle is one session as it leaves the station: its records, and hashes in place of all other records of the log up to its
// last one, which tie them to signed checkpoints.
type Bundle struct {
	Log     Log
	Session string
	// Gaps are the records of the log that are not the session's: those before its first record, and those between its records.
	Gaps []Gap
	// Epoch is the line of record 0, and EpochProof shows (tlog.ProveRecord) that it is in the log of To records.
	Epoch      []byte
	EpochProof tlog.RecordProof
	// Key is the text of the verifier key that signs the checkpoints.
	Key string
	// Lines are the public lines of the session, without newlines.
	Lines [][]byte
	// Checkpoints are those of the session, in order; the last one covers the last line.
	Checkpoints []Checkpoint
	// Identities are the names behind references, nil when they were left out.
	Identities []Identity
	// Report is what the lines say in short. Write makes it itself; a reader must make it again and compare.
	Report history.Session
}

// Gap stands for the records [From, To) of a log by the roots of the fewest complete subtrees that hold them, in their order.
type Gap struct {
	From, To int64
	Nodes    []tlog.Hash
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
		To         int64    `json:"to,string"`
		Gaps       []gap    `json:"gaps"`
		EpochProof []string `json:"epoch_proof"`
	}
	gap struct {
		From  int64    `json:"from,string"`
		To    int64    `json:"to,string"`
		Nodes []string `json:"nodes"`
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

// To returns the number of records of the log up to the bundle's end.
func (b Bundle) To() int64 {
	to := int64(len(b.Lines))
	for _, g := range b.Gaps {
		to += g.To - g.From
	}
	return to
}

// Places returns the seq of each line.
func (b Bundle) Places() []int64 {
	places := make([]int64, 0, len(b.Lines))
	at, gaps := int64(0), b.Gaps
	for range b.Lines {
		for ; len(gaps) > 0 && gaps[0].From == at; gaps = gaps[1:] {
			at = gaps[0].To
		}
		places = append(places, at)
		at++
	}
	return places
}

func hexList(hashes []tlog.Hash) []string {
	out := make([]string, len(hashes))
	for i, h := range hashes {
		out[i] = hex.EncodeToString(h[:])
	}
	return out
}
