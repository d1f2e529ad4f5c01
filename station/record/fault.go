package record

import "fmt"

// Fault is one thing that is wrong with a bundle, with its place.
type Fault struct {
	Member string `json:"member"` // "" for the zip as a whole
	Seq    int64  `json:"seq"`    // the record, -1 when it is none
	What   string `json:"what"`
}

// Error says where and what.
func (f *Fault) Error() string {
	where := f.Member
	if where == "" {
		where = "bundle"
	}
	if f.Seq >= 0 {
		where += fmt.Sprintf(": record %d", f.Seq)
	}
	return where + ": " + f.What
}

func memberFault(member, what string) *Fault { return &Fault{Member: member, Seq: -1, What: what} }
