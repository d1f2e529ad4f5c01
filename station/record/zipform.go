package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// A zip says twice what lies in it: in a header before each member, and in the directory at its end. Programs differ in which of
// the two they believe. So the two are read here and held against each other, which archive/zip does not do.

// The parts of a zip, without what varies (APPNOTE.TXT, 4.3), and what may vary in them.
const (
	zipLocal     = 30 // a member's own header
	zipCentral   = 46 // its entry in the directory
	zipEnd       = 22 // the end of the directory
	zipFlags     = 0x080e
	zipSizesLate = 0x0008 // the sizes stand in a descriptor after the member
	zipStored    = 0
	zipDeflated  = 8
	zipVersion   = 20 // of the format, that a reader needs: what came later is not for bundles
)

// plainFile tells whether the directory has a member for a file like others: made on a system whose attributes are known, and
// readable by its owner.
func plainFile(system byte, internal uint16, attributes uint32) bool {
	mode, dos := attributes>>16, uint16(attributes)
	unix := mode == 0 || mode&0xf000 == 0x8000 && mode&0o7000 == 0 && mode&0o400 != 0
	return slices.Contains([]byte{0, 3, 10, 11, 19}, system) && // FAT, Unix, NTFS, MVS as Windows writes it, macOS
		internal <= 1 && unix && slices.Contains([]uint16{0, 0x20, 0x80, 0x8000, 0x8020}, dos)
}

// zipEntry is what header or directory say of a member.
type zipEntry struct {
	flags, method      uint16
	when               uint32
	crc, packed, plain uint32
	name, extra        []byte
	at                 int64 // where its header begins
}

// oddZip returns how a zip is packed otherwise than one way only, "" when header and directory say the same of every member, and
// each byte of the zip is a part of one of them.
func oddZip(data []byte) string {
	entries, directory, odd := zipDirectory(data)
	if odd != "" {
		return odd
	}
	slices.SortStableFunc(entries, func(a, b zipEntry) int { return int(min(max(a.at-b.at, -1), 1)) })
	at := int64(0)
	for _, e := range entries {
		if e.at != at {
			return "bytes stand before or between its members, or two of them share bytes"
		}
		if at, odd = e.follow(data, directory); odd != "" {
			return fmt.Sprintf("%s: %s", printable(string(e.name)), odd)
		}
	}
	if at != directory {
		return "bytes stand between its members and their directory"
	}
	return ""
}

// zipDirectory reads the directory, and where it begins.
func zipDirectory(data []byte) (entries []zipEntry, begins int64, odd string) {
	le := binary.LittleEndian
	if len(data) < zipEnd || !bytes.HasPrefix(data[len(data)-zipEnd:], []byte("PK\x05\x06")) {
		return nil, 0, "bytes stand after its end, a comment for one"
	}
	end := data[len(data)-zipEnd:]
	count, size := int(le.Uint16(end[10:])), int64(le.Uint32(end[12:]))
	begins = int64(le.Uint32(end[16:]))
	if le.Uint32(end[4:]) != 0 || int(le.Uint16(end[8:])) != count || le.Uint16(end[20:]) != 0 || begins+size != int64(len(data))-zipEnd {
		return nil, 0, "its directory does not end where the zip does"
	}
	rest := data[begins : begins+size]
	for range count {
		if len(rest) < zipCentral || !bytes.HasPrefix(rest, []byte("PK\x01\x02")) {
			return nil, 0, "its directory has fewer members than it says"
		}
		name, extra := int(le.Uint16(rest[28:])), int(le.Uint16(rest[30:]))
		e := zipEntry{
			flags: le.Uint16(rest[8:]), method: le.Uint16(rest[10:]), when: le.Uint32(rest[12:]),
			crc: le.Uint32(rest[16:]), packed: le.Uint32(rest[20:]), plain: le.Uint32(rest[24:]), at: int64(le.Uint32(rest[42:])),
		}
		comment, disk := le.Uint16(rest[32:]), le.Uint16(rest[34:])
		switch {
		case len(rest) < zipCentral+name+extra:
			return nil, 0, "its directory ends within a member"
		case comment != 0 || disk != 0 || !plainFile(rest[5], le.Uint16(rest[36:]), le.Uint32(rest[38:])):
			return nil, 0, "a member has a comment, or is no plain file"
		case rest[4] > 63 || le.Uint16(rest[6:]) > zipVersion:
			return nil, 0, "a member needs a later version of the format than a bundle does"
		}
		e.name, e.extra = rest[zipCentral:zipCentral+name], rest[zipCentral+name:zipCentral+name+extra]
		entries, rest = append(entries, e), rest[zipCentral+name+extra:]
	}
	if len(rest) > 0 {
		return nil, 0, "its directory has more than its members"
	}
	return entries, begins, ""
}

// follow holds the header of a member against its entry in the directory, and returns where the member ends.
func (e zipEntry) follow(data []byte, directory int64) (end int64, odd string) {
	le := binary.LittleEndian
	if e.at+zipLocal > directory || !bytes.HasPrefix(data[e.at:], []byte("PK\x03\x04")) {
		return 0, "its header is not where the directory says"
	}
	head := data[e.at:directory]
	name, extra := int64(le.Uint16(head[26:])), int64(le.Uint16(head[28:]))
	content := zipLocal + name + extra
	end = content + int64(e.packed)
	late := e.flags&zipSizesLate != 0
	crc, packed, plain := le.Uint32(head[14:]), le.Uint32(head[18:]), le.Uint32(head[22:])
	same := crc == e.crc && packed == e.packed && plain == e.plain
	switch {
	case end > int64(len(head)):
		return 0, "it is longer than the zip"
	case le.Uint16(head[4:]) > zipVersion:
		return 0, "its header asks for a later version of the format than a bundle does"
	case !bytes.Equal(head[zipLocal:zipLocal+name], e.name):
		return 0, "its header gives it another name"
	case le.Uint16(head[6:]) != e.flags || le.Uint16(head[8:]) != e.method || le.Uint32(head[10:]) != e.when:
		return 0, "header and directory do not agree on it"
	case e.flags&^zipFlags != 0 || e.method != zipStored && e.method != zipDeflated:
		return 0, "it is packed in a way that not every program reads"
	case e.method == zipStored && (e.packed != e.plain || late):
		return 0, "it is stored, and its length stands elsewhere than at its head"
	case !same && !(late && crc|packed|plain == 0):
		return 0, "header and directory do not agree on its length or sum"
	case !knownExtras(head[zipLocal+name:content], e.extra):
		return 0, "it carries fields that not every program reads alike"
	}
	if late {
		length, ok := e.descriptor(head[end:])
		if !ok {
			return 0, "its descriptor does not say what the directory says"
		}
		end += length
	}
	return e.at + end, ""
}

// descriptor returns the length of the descriptor after a member, with its signature or without; ok is false where it says
// something else than the directory.
func (e zipEntry) descriptor(after []byte) (length int64, ok bool) {
	want := binary.LittleEndian.AppendUint32(nil, e.crc)
	want = binary.LittleEndian.AppendUint32(want, e.packed)
	want = binary.LittleEndian.AppendUint32(want, e.plain)
	if signed := append([]byte("PK\x07\x08"), want...); bytes.HasPrefix(after, signed) {
		return int64(len(signed)), true
	}
	return int64(len(want)), bytes.HasPrefix(after, want)
}

// zipTimes are the extra fields that packers write: times and owners. Of each, this many bytes are the same in header and
// directory, where both have it.
var zipTimes = map[uint16]int{
	0x5455: 5,  // flags and when it was changed
	0x000a: 32, // NTFS: three times
	0x5855: 8,  // Info-ZIP, old: two times
	0x7875: 11, // Info-ZIP: owner and group
}

// knownExtras tells whether the extra fields of header and directory are times and owners, each once, on which both agree.
func knownExtras(local, central []byte) bool {
	own, ok := extrasOf(local)
	listed, ok2 := extrasOf(central)
	if !ok || !ok2 {
		return false
	}
	for id, field := range own {
		other, both := listed[id]
		if n := min(zipTimes[id], len(field), len(other)); both && !bytes.Equal(field[:n], other[:n]) {
			return false
		}
	}
	return true
}

// extrasOf takes extra fields apart; ok is false where one is unknown, there twice or too long.
func extrasOf(extra []byte) (fields map[uint16][]byte, ok bool) {
	fields = map[uint16][]byte{}
	for len(extra) > 0 {
		if len(extra) < 4 {
			return nil, false
		}
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if _, twice := fields[id]; twice || zipTimes[id] == 0 || size > zipTimes[id]+8 || len(extra) < 4+size {
			return nil, false
		}
		fields[id], extra = extra[4:4+size], extra[4+size:]
	}
	return fields, true
}
