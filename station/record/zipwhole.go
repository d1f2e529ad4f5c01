package record

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"slices"
)

// The sizes of a zip's parts, without what varies (APPNOTE.TXT, 4.3).
const (
	zipLocal      = 30 // a member's own header
	zipEnd        = 22 // the end of the directory, without a comment
	zipDescriptor = 24 // the longest that may stand behind a member whose sizes were not known at its head
)

// whole tells whether a zip is its members and their directory, and nothing else. A reader that goes by the members' own
// headers instead of by the directory would find other files in what lies before, between or behind them.
func whole(data []byte, files []*zip.File) bool {
	if len(data) < zipEnd || !bytes.HasPrefix(data[len(data)-zipEnd:], []byte("PK\x05\x06")) {
		return false // something is behind the end, a comment for one
	}
	type part struct{ from, to int64 }
	parts := make([]part, 0, len(files)+1)
	for _, f := range files {
		from, err := f.DataOffset()
		if err != nil || from < 0 || f.CompressedSize64 > uint64(len(data)) {
			return false
		}
		parts = append(parts, part{from, from + int64(f.CompressedSize64)})
	}
	slices.SortFunc(parts, func(a, b part) int { return int(min(max(a.from-b.from, -1), 1)) })
	at := int64(0)
	for i, p := range parts {
		slack := int64(0)
		if i > 0 {
			slack = zipDescriptor
		}
		head := at
		for head <= at+slack && !headed(data, head, p.from) {
			head++
		}
		if head > at+slack || p.to > int64(len(data)) {
			return false
		}
		at = p.to
	}
	directory := int64(binary.LittleEndian.Uint32(data[len(data)-zipEnd+16:]))
	size := int64(binary.LittleEndian.Uint32(data[len(data)-zipEnd+12:]))
	return directory >= at && directory <= at+zipDescriptor && directory+size == int64(len(data))-zipEnd
}

// headed tells whether a member's header begins at an offset and its bytes at another.
func headed(data []byte, head, content int64) bool {
	if head+zipLocal > int64(len(data)) || !bytes.HasPrefix(data[head:], []byte("PK\x03\x04")) {
		return false
	}
	name, extra := binary.LittleEndian.Uint16(data[head+26:]), binary.LittleEndian.Uint16(data[head+28:])
	return head+zipLocal+int64(name)+int64(extra) == content
}
