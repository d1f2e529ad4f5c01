package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Read unpacks and parses a bundle. With no faults, writing what it returns gives the same members again.
func Read(data []byte, limits Limits) (Bundle, []Fault) {
	members, err := ReadZip(data, limits)
	if err != nil {
		return Bundle{}, []Fault{*err.(*Fault)}
	}
	return Parse(members)
}

// Parse reads the members of a bundle, as ReadZip gives them. It checks the form alone: every member known, there,
// listed in the manifest with its size and hash, and written in the one usual way. It goes on after a fault, so
// that a changed record can still be named; what could not be read is left zero.
func Parse(members []Member) (Bundle, []Fault) {
	p := parser{members: map[string][]byte{}}
	for _, m := range members {
		if _, twice := p.members[m.Name]; twice {
			p.fault(m.Name, "is there twice")
		}
		if !slices.Contains(memberOrder, m.Name) {
			p.fault(printable(m.Name), "no bundle has this member")
		}
		p.members[m.Name] = m.Data
	}
	p.manifest(members)
	p.extent()
	p.one(MemberEpoch, &p.bundle.Epoch)
	var key []byte
	p.one(MemberKey, &key)
	p.bundle.Key = string(key)
	p.bundle.Lines = p.lines(MemberRecords)
	var checkpoints checkpointList
	p.json(MemberCheckpoints, checkpointShape, &checkpoints)
	p.bundle.Checkpoints = checkpoints.Checkpoints
	p.identities()
	p.json(MemberReport, reportShape, &p.bundle.Report)
	return p.bundle, p.faults
}

// maxSize is the largest log: no station writes as much, and sums with it do not overflow.
const maxSize = 1 << 52

type parser struct {
	members map[string][]byte
	bundle  Bundle
	faults  []Fault
}

func (p *parser) fault(member, format string, args ...any) {
	p.faults = append(p.faults, Fault{Member: member, Seq: -1, What: fmt.Sprintf(format, args...)})
}

// manifest holds every member against its size and hash in the list.
func (p *parser) manifest(members []Member) {
	var list manifest
	if !p.json(MemberManifest, manifestShape, &list) {
		return
	}
	if list.Format != BundleFormat {
		p.fault(MemberManifest, "the format is %.60q, this verifier reads %q", list.Format, BundleFormat)
	}
	last := 0
	for _, l := range list.Members {
		place := slices.Index(memberOrder, l.Name)
		if place <= last {
			p.fault(MemberManifest, "lists %.60q, which no bundle has there", l.Name)
			continue
		}
		last = place
		data, ok := p.members[l.Name]
		sum := sha256.Sum256(data)
		switch {
		case !ok:
			p.fault(l.Name, "is listed in %s and missing from the bundle", MemberManifest)
		case l.Size != int64(len(data)) || l.SHA256 != hex.EncodeToString(sum[:]):
			p.fault(l.Name, "has other bytes than %s says (SHA-256)", MemberManifest)
		}
	}
	for _, m := range members {
		if m.Name != MemberManifest && !slices.ContainsFunc(list.Members, func(l listed) bool { return l.Name == m.Name }) {
			p.fault(printable(m.Name), "is not listed in %s", MemberManifest)
		}
	}
}

// data returns a member's bytes without the newline that each must end with.
func (p *parser) data(name string) ([]byte, bool) {
	data, ok := p.members[name]
	if !ok {
		p.fault(name, "is missing")
		return nil, false
	}
	if len(data) == 0 || data[len(data)-1] != '\n' {
		p.fault(name, "does not end with a newline")
		return data, false
	}
	return data[:len(data)-1], true
}

// json reads a member of one JSON object, which must be written as we would write it.
func (p *parser) json(name string, sh *shape, into any) bool {
	data, ok := p.data(name)
	if !ok {
		return false
	}
	s := scanner{src: data}
	if err := s.value(sh, reflect.ValueOf(into).Elem()); err != nil {
		p.fault(name, "%v", err)
		return false
	}
	again, err := sh.appendBody(make([]byte, 0, len(data)), into)
	if err != nil || s.pos != len(data) || !bytes.Equal(again, data) {
		p.fault(name, "byte %d: not as a station writes it", firstDifference(again, data))
		return false
	}
	return true
}

func (p *parser) extent() {
	var e extent
	if !p.json(MemberLog, extentShape, &e) {
		return
	}
	b := &p.bundle
	b.Log, b.Session = Log{e.Site, e.Station, e.Epoch}, e.Session
	if err := b.Log.Check(); err != nil {
		p.fault(MemberLog, "%v", err)
	}
	if !IsName(e.Session) {
		p.fault(MemberLog, "%v", badName("session", e.Session))
	}
	b.EpochProof = p.hashes("epoch_proof", e.EpochProof)
	p.gaps(&e)
}

// gaps reads which records of the log are not the session's. Where their places cannot be, no gap is kept.
func (p *parser) gaps(e *extent) {
	b, end := &p.bundle, int64(0) // of the gap before
	if len(e.Gaps) == 0 || e.Gaps[0].From != 0 || e.To > maxSize {
		p.fault(MemberLog, "to %d: a session begins after record 0, and records before it are a gap", e.To)
		return
	}
	rest := e.To
	for i, g := range e.Gaps {
		if g.To <= g.From || g.To >= e.To || (i > 0 && g.From <= end) {
			p.fault(MemberLog, "gaps[%d] from %d to %d: a gap has a record, and records of the session stand between two and after the last", i, g.From, g.To)
			b.Gaps = nil
			return
		}
		end = g.To
		rest -= g.To - g.From
		b.Gaps = append(b.Gaps, Gap{g.From, g.To, p.hashes(fmt.Sprintf("gaps[%d].nodes", i), g.Nodes)})
	}
	n := int64(bytes.Count(p.members[MemberRecords], newline))
	if n != rest {
		p.fault(MemberRecords, "holds %d records, %s says %d", n, MemberLog, rest)
	}
	if n < rest {
		place := n
		for _, g := range b.Gaps {
			if g.From <= place {
				place += g.To - g.From
			}
		}
		p.faults = append(p.faults, Fault{MemberRecords, place, "is missing"})
	}
}

func (p *parser) hashes(what string, list []string) []tlog.Hash {
	out := make([]tlog.Hash, 0, len(list))
	for i, text := range list {
		h, err := ParseHex32(text)
		if err != nil {
			p.fault(MemberLog, "%s[%d]: %v", what, i, err)
		}
		out = append(out, h)
	}
	return out
}

// lines splits a member into its lines.
func (p *parser) lines(name string) [][]byte {
	data, ok := p.data(name)
	if !ok && len(data) == 0 {
		return nil
	}
	return bytes.Split(data, []byte{'\n'})
}

// one reads a member that is one line.
func (p *parser) one(name string, into *[]byte) {
	lines := p.lines(name)
	if len(lines) != 1 || len(lines[0]) == 0 {
		p.fault(name, "should be one line")
		return
	}
	*into = lines[0]
}

func (p *parser) identities() {
	if _, ok := p.members[MemberIdentities]; !ok {
		return // taken out on purpose: names are separable
	}
	var list identityList
	p.json(MemberIdentities, identityShape, &list)
	p.bundle.Identities = append([]Identity{}, list.Identities...)
	for i, id := range list.Identities {
		if err := id.Check(); err != nil {
			p.fault(MemberIdentities, "%v", err)
		}
		if i > 0 && strings.Compare(list.Identities[i-1].Ref, id.Ref) >= 0 {
			p.fault(MemberIdentities, "%s is not in order, or there twice", id.Ref)
		}
	}
}
