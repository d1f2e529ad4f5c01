package record

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// Limits bound what a bundle may take when it is read, whatever its zip says of itself.
type Limits struct {
	Zip    int64 // bytes of the zip
	Member int64 // bytes of one member, unpacked
	Total  int64 // bytes of all members, unpacked
}

// DefaultLimits hold a session of half a million records.
func DefaultLimits() Limits { return Limits{Zip: 512 << 20, Member: 384 << 20, Total: 512 << 20} }

// dosDate1980 is 1 January 1980, the earliest day that a zip can say: a bundle's bytes do not tell when it was made.
const dosDate1980 = 1<<5 | 1

// ReadZip unpacks a bundle, stored or deflated. Members that no bundle has, members that are there twice, and a
// zip that unpacks to more than the limits are refused; the error names the member.
func ReadZip(data []byte, limits Limits) ([]Member, error) {
	if int64(len(data)) > limits.Zip {
		return nil, &Fault{Seq: -1, What: fmt.Sprintf("the bundle has %d bytes, more than %d", len(data), limits.Zip)}
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, &Fault{Seq: -1, What: "not a zip that can be read: " + err.Error()}
	}
	if len(z.File) > 2*len(memberOrder) {
		return nil, &Fault{Seq: -1, What: fmt.Sprintf("the zip has %d members, a bundle has at most %d", len(z.File), len(memberOrder))}
	}
	for i, f := range z.File {
		switch {
		case !slices.Contains(memberOrder, f.Name):
			return nil, memberFault(printable(f.Name), "no bundle has this member")
		case slices.ContainsFunc(z.File[:i], func(other *zip.File) bool { return other.Name == f.Name }):
			return nil, memberFault(f.Name, "is there twice")
		}
	}
	if odd := oddZip(data); odd != "" {
		return nil, &Fault{Seq: -1, What: "the zip can be read in two ways: " + odd}
	}
	left := limits.Total
	members := make([]Member, 0, len(z.File))
	for _, f := range z.File {
		content, err := readMember(data, f, min(left, limits.Member))
		if err != nil {
			return nil, err
		}
		left -= int64(len(content))
		members = append(members, Member{f.Name, content})
	}
	slices.SortFunc(members, func(a, b Member) int {
		return slices.Index(memberOrder, a.Name) - slices.Index(memberOrder, b.Name)
	})
	return members, nil
}

// readMember unpacks one member of at most limit bytes. A stored one is not copied.
func readMember(data []byte, f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, memberFault(f.Name, fmt.Sprintf("unpacks to more than the %d bytes that are left for it", limit))
	}
	if f.Method == zip.Store && f.CompressedSize64 == f.UncompressedSize64 && f.Flags&1 == 0 {
		from, err := f.DataOffset()
		size := int64(f.UncompressedSize64)
		if err != nil || from < 0 || from > int64(len(data))-size {
			return nil, memberFault(f.Name, "cannot be read from the zip: it lies outside")
		}
		content := data[from : from+size : from+size]
		if crc32.ChecksumIEEE(content) != f.CRC32 {
			return nil, memberFault(f.Name, "was changed: its bytes do not fit the zip's checksum")
		}
		return content, nil
	}
	packed, err := f.OpenRaw()
	if err != nil || f.Method != zip.Deflate {
		return nil, memberFault(f.Name, "cannot be read from the zip: it is neither stored nor deflated")
	}
	return inflate(f, packed, limit)
}

// inflate unpacks a deflated member. What the deflated stream leaves of the member's bytes could hide another file from those who
// go by the directory.
func inflate(f *zip.File, packed io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(packed)
	if err != nil {
		return nil, memberFault(f.Name, "cannot be read from the zip: "+err.Error())
	}
	in := bytes.NewReader(raw) // an io.ByteReader: no byte is read beyond the stream's end
	content, err := io.ReadAll(io.LimitReader(flate.NewReader(in), limit+1))
	switch {
	case err != nil:
		return nil, memberFault(f.Name, "cannot be read from the zip: "+err.Error())
	case int64(len(content)) > limit:
		return nil, memberFault(f.Name, fmt.Sprintf("unpacks to more than the %d bytes that are left for it", limit))
	case in.Len() > 0:
		return nil, memberFault(f.Name, "holds bytes after its deflated content: another file may be hidden there")
	case uint64(len(content)) != f.UncompressedSize64 || crc32.ChecksumIEEE(content) != f.CRC32:
		return nil, memberFault(f.Name, "was changed: its bytes do not fit the zip's checksum")
	}
	return content, nil
}

// printable keeps a hostile name from writing to a terminal.
func printable(name string) string {
	quoted := fmt.Sprintf("%.60q", name)
	return quoted[1 : len(quoted)-1]
}
