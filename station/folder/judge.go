package folder

import (
	"fmt"
	"strings"

	"scentpost/station/record"
)

// Name is what a configuration calls a station.
type Name struct {
	Site, Station string
	Simulated     bool // all that the station does is a simulation
}

// String returns the name as people read it: "demo/east".
func (n Name) String() string {
	if n.Simulated {
		return n.Site + "/" + n.Station + " (simulated)"
	}
	return n.Site + "/" + n.Station
}

// Binding is the content of station.json: what belongs together. Its form is the same in every draft.
type Binding struct {
	Site      string `json:"site"`
	Station   string `json:"station"`
	Simulated bool   `json:"simulated,omitempty"`
	// Key is the verifier key (note form) of the station's key, "" before there is one.
	Key string `json:"key,omitempty"`
	// Journal is the id of the first epoch of the journal, "" before there is one.
	Journal string `json:"journal,omitempty"`
}

// Name is the name that the folder is bound to.
func (b Binding) Name() Name { return Name{b.Site, b.Station, b.Simulated} }

// Log is what a journal says of itself.
type Log struct {
	// First is the id of its first epoch, Restored is set when it was restored and not started since.
	First    string
	Restored bool
	// Of and Key are the name and the verifier key of its newest record's epoch. They are read only where First does not
	// show already that the journal is the folder's own; Read says so.
	Read bool
	Of   Name
	Key  string
}

// Seen is what was read of a folder before anything is written in it.
type Seen struct {
	// Bound is what belongs together, nil when the folder does not say.
	Bound *Binding
	// Key is the verifier key of the private key that is there, "" for none.
	Key string
	// BadKey is set when a key is there that is none.
	BadKey bool
	// Adopted is set when the key came with a restored journal.
	Adopted bool
	// Log is what the journal says of itself, nil when there is none, or none that can be read now.
	Log *Log
	// Others are the names of files that are no station's, as many as a message may hold.
	Others []string
}

// Verdict says how a station begins in its folder.
type Verdict struct {
	// Bind is what belongs together from now on. Its Key is empty when a key is to be made.
	Bind Binding
	// Lost is set when there was a key: what follows is signed by another one.
	Lost bool
}

// Refused says why a folder is not this station's, and what to do.
type Refused struct {
	What, Do string
	// Rights is set when it is the rights or the owner of the folder: the disk that is mounted there later may have others.
	// Without it every start finds the same, until a person acts.
	Rights bool
}

// Error says both.
func (r *Refused) Error() string { return r.What + ": " + r.Do }

func refuse(do, format string, args ...any) *Refused {
	return &Refused{What: fmt.Sprintf(format, args...), Do: do}
}

// noRights refuses a folder for its rights or its owner.
func noRights(do, format string, args ...any) *Refused {
	r := refuse(do, format, args...)
	r.Rights = true
	return r
}

// Judge says how a station begins in a folder, from what was read there. The error is a *Refused for a folder that is
// another station's, or whose parts do not belong together.
func Judge(f Folder, of Name, seen Seen) (Verdict, error) {
	for _, check := range []func(Folder, Name, Seen) *Refused{checkName, checkOthers, checkLog, checkKey} {
		if refused := check(f, of, seen); refused != nil {
			return Verdict{}, refused
		}
	}
	v := Verdict{Bind: Binding{Site: of.Site, Station: of.Station, Simulated: of.Simulated, Key: seen.Key}}
	switch {
	case seen.Log != nil:
		v.Bind.Journal = seen.Log.First
	case seen.Bound != nil:
		v.Bind.Journal = seen.Bound.Journal
	}
	v.Lost = seen.Key == "" && (seen.BadKey || seen.Log != nil || seen.Bound != nil && seen.Bound.Key != "")
	return v, nil
}

// checkName refuses a folder that is bound to another name.
func checkName(f Folder, of Name, seen Seen) *Refused {
	switch {
	case seen.Bound == nil || seen.Bound.Name() == of:
		return nil
	case seen.Bound.Simulated != of.Simulated:
		return refuse("name another folder as `data`: what is simulated and what is not are never one record",
			"the folder %s is that of station %s, the configuration is that of %s", f, seen.Bound.Name(), of)
	}
	return refuse("name another folder as `data`; or, if this station has a new name, `scentpost station rename CONFIG`, with the daemon stopped",
		"the folder %s is that of station %s, the configuration is that of %s", f, seen.Bound.Name(), of)
}

// checkOthers refuses a folder that nothing shows to be a station's, and that is not empty.
func checkOthers(f Folder, of Name, seen Seen) *Refused {
	if seen.Bound != nil || seen.Key != "" || seen.BadKey || seen.Log != nil || len(seen.Others) == 0 {
		return nil
	}
	for _, name := range seen.Others {
		if name == "meta.json" || strings.HasPrefix(name, "epoch-") {
			return refuse("name the folder that it lies in as `data`", "%s is the folder of a journal, and not that of a station", f)
		}
	}
	return refuse(fmt.Sprintf("name a folder for this station alone as `data`, such as %s", f.in(of.Station)),
		"the folder %s is not a station's: it holds %s", f, strings.Join(seen.Others, ", "))
}

// checkLog refuses a journal that is another station's. That of the first epoch that the folder is bound to is its own,
// under whatever names its epochs stand.
func checkLog(f Folder, of Name, seen Seen) *Refused {
	log, bound := seen.Log, seen.Bound
	switch {
	case log == nil || bound != nil && bound.Journal == log.First || !log.Read:
		return nil
	case log.Of != of:
		return refuse("put this station's own journal there, or name another folder as `data`", "the journal in %s is that of station %s, the configuration is that of %s", f.Journal(), log.Of, of)
	case bound == nil || bound.Journal == "" || log.Restored || log.Key == bound.Key || log.Key == seen.Key:
		return nil
	}
	return refuse("put this station's own journal there, or take a backup of the other station with `scentpost station restore`",
		"the journal in %s is that of another station of the same name: the key %s signed it", f.Journal(), log.Key)
}

// checkKey refuses a key that is not the one that the folder is bound to. A key that is lost is no
// reason to refuse, nor is one that was there before a restore, or came with it.
func checkKey(f Folder, of Name, seen Seen) *Refused {
	bound := ""
	switch {
	case seen.Key == "":
		return nil
	case record.IsSimulated(seen.Key) != of.Simulated:
		return refuse("put the station's own key there, or move the file away: the next start makes a key, and begins an epoch that says so",
			"%s is the key %s, and the configuration is that of %s", f.Key(), seen.Key, of)
	case seen.Adopted || seen.Log != nil && seen.Log.Restored:
		return nil
	case seen.Bound != nil:
		bound = seen.Bound.Key
	case seen.Log != nil && seen.Log.Read:
		bound = seen.Log.Key
	}
	if bound == "" || bound == seen.Key {
		return nil
	}
	return refuse("put the station's own key there; if that one is lost, move this file away: the next start makes a key, and begins an epoch that says so",
		"%s is the key %s, and the station's is %s", f.Key(), seen.Key, bound)
}
