package folder

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"scentpost/station/durable"
	"scentpost/station/holder"
	"scentpost/station/record"
)

const (
	// folderMode lets the owner alone enter.
	folderMode = 0o700
	// aside stands in the name of a file that another one took the place of.
	aside = "replaced"
)

func (f Folder) binding() string     { return f.in("station.json") }
func (f Folder) lock() string        { return f.in("lock") }
func (f Folder) restoredKey() string { return filepath.Join(f.Journal(), RestoredKey) }

// RestoredKey is the private key's name in the folder of a restored journal. It comes into its place with the journal, in one
// step, and from there into its own.
const RestoredKey = "station.key"

// Claimed is a folder that this program holds.
type Claimed struct {
	Folder
	// Private is the station's private key (note form).
	Private string
	// Notes say what a person should hear: a key that was lost, one that was put aside.
	Notes []string

	is   Binding
	held io.Closer
}

// Claim takes a folder for a station until it is closed; as is told to others who try. Nothing is written before it is clear
// that the folder is the station's. The error is a *Refused for one that is not, holder.ErrHeld for one that another program
// has; any other is one of the disk, which may pass.
func Claim(f Folder, of Name, as string) (c *Claimed, err error) {
	if err := f.fit(false); err != nil {
		return nil, err
	}
	if _, err := f.judged(of); err != nil {
		return nil, err
	}
	if c, err = hold(f, as+" of "+of.String()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c, err = nil, errors.Join(err, c.Close())
		}
	}()
	put, err := AdoptKey(f)
	if put != "" {
		c.Notes = append(c.Notes, "the restored journal brought its key; the one before was put aside as "+put)
	}
	if err != nil {
		return c, err
	}
	verdict, err := f.judged(of) // again: another program may have had it until now
	if err != nil {
		return c, err
	}
	return c, c.settle(of, verdict)
}

// judged looks at the folder, and says how a station begins there.
func (f Folder) judged(of Name) (Verdict, error) {
	seen, err := Look(f)
	if err != nil {
		return Verdict{}, err
	}
	return Judge(f, of, seen)
}

// hold makes the folder if need be, and takes its lock.
func hold(f Folder, as string) (*Claimed, error) {
	err := os.MkdirAll(string(f), folderMode)
	if errors.Is(err, fs.ErrPermission) {
		return nil, noRights(f.remedy(), "the account %s may not make the folder %s", account(os.Geteuid()), f)
	}
	if err != nil {
		return nil, fmt.Errorf("make the station's folder: %w", err)
	}
	held, err := holder.Take(f.lock(), as)
	if errors.Is(err, holder.ErrHeld) {
		return nil, fmt.Errorf("the station's folder %s: %w: stop that one first, or name another folder as `data`", f, err)
	}
	if err != nil {
		return nil, fmt.Errorf("the station's folder %s: %w", f, err)
	}
	c := &Claimed{Folder: f, held: held}
	if err := Give(f.lock(), string(f)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Enter takes the folder of a station that is stopped until free is called, to put a journal or a key there. Root may do so
// for the folder's owner, and gives what it makes to that one (see Give). The errors are those of Claim.
func Enter(f Folder, of Name, as string) (free func() error, err error) {
	if err := f.fit(true); err != nil {
		return nil, err
	}
	seen, err := Look(f)
	if err != nil {
		return nil, err
	}
	for _, check := range []func(Folder, Name, Seen) *Refused{checkName, checkOthers} {
		if refused := check(f, of, seen); refused != nil {
			return nil, refused
		}
	}
	c, err := hold(f, as+" of "+of.String())
	if err != nil {
		return nil, err
	}
	return c.Close, nil
}

// settle reads or makes the key, and writes down what belongs together.
func (c *Claimed) settle(of Name, v Verdict) (err error) {
	made := v.Bind.Key == ""
	if made {
		if v.Lost {
			c.Notes = append(c.Notes, "the station's key is lost: it signs with a new one from now on, which whoever trusts the station has to be given")
		}
		if v.Bind.Key, err = c.makeKey(of); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(c.Key())
	if err != nil {
		return fmt.Errorf("read the station's key: %w", err)
	}
	c.Private = record.KeyText(text)
	if err := c.bind(v.Bind); err != nil && made {
		return err
	} else if err != nil { // as on a full disk: the journal says whose it is, too, and the next start tries again
		c.Notes = append(c.Notes, err.Error())
	}
	return nil
}

// makeKey makes a key, and returns its verifier key. A file that is no key goes aside.
func (c *Claimed) makeKey(of Name) (verifier string, err error) {
	name := of.Station
	if of.Simulated {
		name = record.SimulatedPrefix + name
	}
	private, verifier, err := record.NewKey(rand.Reader, name)
	if err != nil {
		return "", fmt.Errorf("make the station's key: %w", err)
	}
	path := c.Key()
	if _, err := os.Lstat(path); err == nil {
		put, err := PutAside(path)
		if err != nil {
			return "", fmt.Errorf("put aside what is no key: %w", err)
		}
		c.Notes = append(c.Notes, "what was in its place is no key, and is now "+put)
	}
	if err := durable.Replace(path, []byte(private+"\n")); err != nil {
		return "", fmt.Errorf("keep the station's key: %w", err)
	}
	return verifier, nil
}

// bind writes down what belongs together, when it is not there already.
func (c *Claimed) bind(b Binding) error {
	if now, err := c.bound(); err == nil && now != nil && *now == b {
		c.is = b
		return nil
	}
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.Replace(c.binding(), append(text, '\n')); err != nil {
		return fmt.Errorf("write down whose the folder is: %w", err)
	}
	c.is = b
	return Give(c.binding(), string(c.Folder))
}

// Begun notes the first epoch of the journal, so that another one is told from it.
func (c *Claimed) Begun(first string) error {
	b := c.is
	b.Journal = first
	return c.bind(b)
}

// Close lets the folder go.
func (c *Claimed) Close() error { return c.held.Close() }

// Rename binds a folder to another name of its station, and returns the one before. unfinished is called while no daemon
// can have the folder; it returns the session that has not ended, which is a reason to refuse, since no epoch goes on with
// it. The next start begins an epoch that says so.
func Rename(f Folder, to Name, unfinished func() (session string, err error)) (was Name, err error) {
	if err := f.fit(true); err != nil {
		return was, err
	}
	seen, err := Look(f)
	switch {
	case err != nil:
		return was, err
	case seen.Bound == nil:
		return was, refuse("start scentpostd with the old name once, and name that folder as `data`", "the folder %s does not say whose it is", f)
	}
	was = seen.Bound.Name()
	if was == to {
		return was, refuse("nothing is to do", "the folder %s is that of station %s already", f, to)
	}
	if was.Simulated != to.Simulated {
		return was, checkName(f, to, seen)
	}
	c, err := hold(f, "scentpost station rename")
	if err != nil {
		return was, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	v, err := f.judged(was)
	if err != nil {
		return was, err
	}
	session, err := unfinished()
	if err != nil {
		return was, err
	}
	if session != "" {
		return was, refuse("start scentpostd with the old name, and end and close it", "session %s of station %s has not ended", session, was)
	}
	v.Bind.Site, v.Bind.Station = to.Site, to.Station
	if v.Bind.Key == "" { // lost: the next start makes one
		v.Bind.Key = seen.Bound.Key
	}
	return was, c.bind(v.Bind)
}
