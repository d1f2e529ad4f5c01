package record

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"iter"
	"slices"

	"scentpost/station/history"
)

// Lines gives the public lines of a session from the first to the last, each without its newline and good until the next one.
// It can be asked several times and gives the same lines each time. An error ends it.
type Lines = iter.Seq2[[]byte, error]

// linesOf gives lines that are in memory.
func linesOf(lines [][]byte) Lines {
	return func(yield func([]byte, error) bool) {
		for _, line := range lines {
			if !yield(line, nil) {
				return
			}
		}
	}
}

// Outgoing is a bundle that is ready to be written. Its lines are read again while it is written, so that it takes no more
// memory for a long session, but for its report, which has a few words on each run.
type Outgoing struct{ members []outgoing }

// outgoing is a member whose size and sums are known before it is written.
type outgoing struct {
	name  string
	sums  sums
	write func(w io.Writer) error
}

// Write writes a bundle that is in memory as a zip. See Prepare.
func Write(w io.Writer, b Bundle) error {
	out, err := Prepare(b, linesOf(b.Lines))
	if err != nil {
		return err
	}
	return out.Write(w)
}

// Members returns the files of a bundle that is in memory, in their order.
func (b Bundle) Members() ([]Member, error) {
	out, err := Prepare(b, linesOf(b.Lines))
	if err != nil {
		return nil, err
	}
	var members []Member
	for _, m := range out.members {
		var data bytes.Buffer
		if err := m.write(&data); err != nil {
			return nil, err
		}
		members = append(members, Member{m.name, data.Bytes()})
	}
	return members, nil
}

// Prepare reads the lines of a bundle once; Lines and Report of b are not looked at. It refuses what Read would refuse
// for its form. Whether the bundle is true is for package verify.
func Prepare(b Bundle, lines Lines) (*Outgoing, error) {
	records := newSummer()
	var of history.Session
	count := int64(0)
	for line, err := range lines {
		if err != nil {
			return nil, err
		}
		if !oneLine(line) {
			return nil, fmt.Errorf("%s: an empty line, or one with a newline in it", MemberRecords)
		}
		r, err := Decode(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of the session: %w", count, err)
		}
		of.Take(&r.Event)
		records.line(line)
		count++
	}
	if count == 0 {
		return nil, errors.New(MemberRecords + ": a session has at least one record")
	}
	var made maker
	made.json(MemberLog, extentShape, extentOf(b, count))
	made.line(MemberEpoch, b.Epoch)
	made.line(MemberKey, []byte(b.Key))
	made.stream(MemberRecords, records.sums(), lines)
	made.json(MemberCheckpoints, checkpointShape, &checkpointList{b.Checkpoints})
	if b.Identities != nil {
		sorted := slices.Clone(b.Identities)
		slices.SortFunc(sorted, func(x, y Identity) int { return bytes.Compare([]byte(x.Ref), []byte(y.Ref)) })
		made.json(MemberIdentities, identityShape, &identityList{sorted})
	}
	made.json(MemberReport, reportShape, &of)
	if made.err != nil {
		return nil, made.err
	}
	head, err := manifestOf(made.members)
	if err != nil {
		return nil, err
	}
	return &Outgoing{slices.Insert(made.members, 0, head)}, nil
}

// extentOf says which log and session a bundle of count lines is of, and which other records its hashes stand for.
func extentOf(b Bundle, count int64) *extent {
	e := extent{
		Site: b.Log.Site, Station: b.Log.Station, Epoch: b.Log.Epoch, Session: b.Session,
		To: count, EpochProof: hexList(b.EpochProof),
	}
	for _, g := range b.Gaps {
		e.To += g.To - g.From
		e.Gaps = append(e.Gaps, gap{g.From, g.To, hexList(g.Nodes)})
	}
	return &e
}

// Write writes the bundle as a zip. The same bundle gives the same bytes everywhere. After an error what was written is no
// bundle.
func (o *Outgoing) Write(w io.Writer) error { return writeZip(w, o.members) }

// writeZip writes the members, stored and not deflated, because a deflater may change with its version.
func writeZip(w io.Writer, members []outgoing) error {
	z := zip.NewWriter(w)
	for _, m := range members {
		head := &zip.FileHeader{
			Name:               m.name,
			Method:             zip.Store,
			CRC32:              m.sums.crc,
			CompressedSize64:   uint64(m.sums.size),
			UncompressedSize64: uint64(m.sums.size),
			//lint:ignore SA1019 CreateRaw takes the date from here alone; Modified would add a field of its own
			ModifiedDate: dosDate1980,
		}
		part, err := z.CreateRaw(head)
		if err == nil {
			err = m.write(part)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", m.name, err)
		}
	}
	return z.Close()
}

// WriteZip writes members that are in memory.
func WriteZip(w io.Writer, members []Member) error {
	out := make([]outgoing, len(members))
	for i, m := range members {
		out[i] = inMemory(m.Name, m.Data)
	}
	return writeZip(w, out)
}

// WithManifest puts a manifest before members, in place of one that they may have.
func WithManifest(members []Member) ([]Member, error) {
	kept := []Member{{Name: MemberManifest}}
	var listed []outgoing
	for _, m := range members {
		if m.Name != MemberManifest {
			kept = append(kept, m)
			listed = append(listed, inMemory(m.Name, m.Data))
		}
	}
	head, err := manifestOf(listed)
	if err != nil {
		return nil, err
	}
	var data bytes.Buffer
	err = head.write(&data)
	kept[0].Data = data.Bytes()
	return kept, err
}

// manifestOf makes the manifest of members.
func manifestOf(members []outgoing) (outgoing, error) {
	list := manifest{Format: BundleFormat}
	for _, m := range members {
		list.Members = append(list.Members, listed{m.name, m.sums.size, hex.EncodeToString(m.sums.sha[:])})
	}
	data, err := manifestShape.appendBody(nil, &list)
	if err != nil {
		return outgoing{}, fmt.Errorf("%s%w", MemberManifest, err)
	}
	return inMemory(MemberManifest, append(data, '\n')), nil
}

func inMemory(name string, data []byte) outgoing {
	return outgoing{name, sums{int64(len(data)), crc32.ChecksumIEEE(data), sha256.Sum256(data)}, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}}
}

// oneLine tells whether a line can stand in a member of lines.
func oneLine(line []byte) bool { return len(line) > 0 && bytes.IndexByte(line, '\n') < 0 }

// maker gathers members and keeps the first error.
type maker struct {
	members []outgoing
	err     error
}

func (m *maker) json(name string, s *shape, body any) {
	data, err := s.appendBody(nil, body)
	if err != nil {
		m.fail(fmt.Errorf("%s%w", name, err))
	}
	m.members = append(m.members, inMemory(name, append(data, '\n')))
}

func (m *maker) line(name string, line []byte) {
	if !oneLine(line) {
		m.fail(fmt.Errorf("%s: an empty line, or one with a newline in it", name))
	}
	m.members = append(m.members, inMemory(name, append(slices.Clone(line), '\n')))
}

// stream adds a member of lines, which are read again whenever it is written; want is what they were at the first reading.
func (m *maker) stream(name string, want sums, lines Lines) {
	m.members = append(m.members, outgoing{name, want, func(w io.Writer) error {
		s := newSummer()
		s.out = bufio.NewWriter(w)
		for line, err := range lines {
			if err != nil {
				return err
			}
			if s.line(line); s.err != nil {
				return s.err
			}
		}
		if err := s.out.Flush(); err != nil {
			return err
		}
		if s.sums() != want {
			return errors.New("its lines are not those of the first reading")
		}
		return nil
	}})
}

func (m *maker) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

// sums are the length of a member in bytes and the sums over it.
type sums struct {
	size int64
	crc  uint32
	sha  [sha256.Size]byte
}

// summer makes the sums of lines, and writes them to out where that is set. It keeps the first error.
type summer struct {
	size int64
	crc  uint32
	sha  hash.Hash
	out  *bufio.Writer
	err  error
}

func newSummer() *summer { return &summer{sha: sha256.New()} }

func (s *summer) sums() sums { return sums{s.size, s.crc, [sha256.Size]byte(s.sha.Sum(nil))} }

// newline ends each line.
var newline = []byte{'\n'}

// line adds a line, with a newline after it.
func (s *summer) line(line []byte) {
	for _, part := range [2][]byte{line, newline} {
		s.size += int64(len(part))
		s.crc = crc32.Update(s.crc, crc32.IEEETable, part)
		s.sha.Write(part)
		if s.out != nil && s.err == nil {
			_, s.err = s.out.Write(part)
		}
	}
}
