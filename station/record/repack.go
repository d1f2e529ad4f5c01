package record

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// mostOdd bounds how many members a packer may have added, such as those that a Mac puts beside each file.
const mostOdd = 64

// Repacked is the error for a bundle that somebody unpacked and packed again: all its members are there, in a folder or beside
// what a packer added. It is no forgery, and is not judged before it is packed as a station packs it.
type Repacked struct {
	Odd    string   // how its headers and its directory differ, "" where they do not
	Folder string   // that the members lie in, "" for none
	Added  []string // the first members that no bundle has
	More   int      // how many there are besides
}

// Error says what is different, and the next step.
func (r *Repacked) Error() string {
	var odd []string
	if r.Odd != "" {
		odd = append(odd, "it can be read in two ways: "+r.Odd)
	}
	if r.Folder != "" {
		odd = append(odd, "its members lie in the folder "+printable(r.Folder))
	}
	if len(r.Added) > 0 {
		text := "it holds " + strings.Join(r.Added, ", ")
		if r.More > 0 {
			text += fmt.Sprintf(" and %d more", r.More)
		}
		odd = append(odd, text+", which no bundle has")
	}
	return "packed differently than a station packs a bundle: " + strings.Join(odd, ", and ") +
		" (scentpost record repack makes a bundle of it, which can be verified)"
}

// mostNamedOdd is how many added members an error names.
const mostNamedOdd = 2

// Repack unpacks a bundle that ReadZip refuses for how somebody packed it again. repacked says what is different, nil when
// nothing is. err is what is wrong beyond that; the members are not looked at.
func Repack(data []byte, limits Limits) (members []Member, repacked *Repacked, err error) {
	if members, err = ReadZip(data, limits); err == nil {
		return members, nil, nil
	}
	z, bad := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if bad != nil || int64(len(data)) > limits.Zip || len(z.File) > len(memberOrder)+mostOdd {
		return nil, nil, err
	}
	repacked = &Repacked{Odd: oddZip(data)}
	found := map[string]*zip.File{}
	for _, f := range z.File {
		folder, name := path.Split(strings.ReplaceAll(f.Name, `\`, "/"))
		switch {
		case added(folder, name):
			if len(repacked.Added) < mostNamedOdd {
				repacked.Added = append(repacked.Added, printable(f.Name))
			} else {
				repacked.More++
			}
		case name == "": // a folder
		case !slices.Contains(memberOrder, name), found[name] != nil, strings.Contains(folder, ".."), len(found) > 0 && folder != repacked.Folder:
			return nil, nil, err
		default:
			found[name], repacked.Folder = f, folder
		}
	}
	if found[MemberManifest] == nil || repacked.Odd == "" && repacked.Folder == "" && len(repacked.Added) == 0 {
		return nil, nil, err
	}
	left := limits.Total
	for _, name := range memberOrder {
		f := found[name]
		if f == nil {
			continue
		}
		content, err := readMember(data, f, min(left, limits.Member))
		if err != nil {
			return nil, nil, err
		}
		left -= int64(len(content))
		members = append(members, Member{name, content})
	}
	return members, repacked, nil
}

// added tells whether a member is one that packers and file managers put beside what they pack.
func added(folder, name string) bool {
	return strings.HasPrefix(folder, "__MACOSX/") || strings.Contains(folder, "/__MACOSX/") || strings.HasPrefix(name, "._") ||
		slices.Contains([]string{".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r"}, name)
}
