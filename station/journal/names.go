package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scentpost/station/durable"
	"scentpost/station/event"
)

// Names lie twice, in station.db and in names.json beside it, and each is made whole from the other. A record that nobody can
// be put to is evidence of less, and a person without a name must be taken for anybody. An erasure takes a name out of both
// while the daemon is stopped.

// names are those of people and dogs, by reference. Each proves itself: its reference is a hash of it.
type names map[string]Identity

// add takes those that prove themselves, and returns how many were not there.
func (n names) add(ids []Identity) (added int) {
	for _, id := range ids {
		if _, known := n[id.Ref]; known || id.Check() != nil {
			continue
		}
		n[id.Ref] = id
		added++
	}
	return added
}

// list returns them in order of reference.
func (n names) list() []Identity {
	out := make([]Identity, 0, len(n))
	for _, id := range n {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b Identity) int { return strings.Compare(a.Ref, b.Ref) })
	return out
}

// rollFile is the name of the second copy in a journal's folder.
const rollFile = "names.json"

// roll is the content of the second copy.
type roll struct {
	Draft int        `json:"draft"`
	Names []Identity `json:"names"`
}

// readRoll reads the second copy: the names that prove themselves, none where it is not there. The error is ErrDamaged where
// it is not what was written.
func readRoll(dir string) (ids []Identity, err error) {
	text, err := os.ReadFile(filepath.Join(dir, rollFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the second copy of the names: %w", err)
	}
	var r roll
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%w: the second copy of the names: %w", ErrDamaged, err)
	}
	for _, id := range r.Names {
		if err := id.Check(); err != nil {
			return r.Names, fmt.Errorf("%w: the second copy of the names: %w", ErrDamaged, err)
		}
	}
	return r.Names, nil
}

// writeRoll writes the second copy.
func (d *desk) writeRoll() error {
	text, err := json.MarshalIndent(roll{Draft: event.Draft, Names: d.names.list()}, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.Replace(filepath.Join(d.dir, rollFile), append(text, '\n')); err != nil {
		d.behind = true
		return fmt.Errorf("writing the second copy of the names: %w", err)
	}
	d.behind = false
	return nil
}

// catchUp writes the second copy again where it could not be written before.
func (d *desk) catchUp() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.behind {
		return nil
	}
	return d.writeRoll()
}

// reunite makes each copy whole from the other and from databases that were put aside, and says what it found; had tells
// whether the database was there and sound, and was whether the journal held records before.
func (d *desk) reunite(had, was bool) error {
	inTable, err := d.table()
	if err != nil {
		return err
	}
	second, rollErr := readRoll(d.dir)
	if rollErr != nil && !errors.Is(rollErr, ErrDamaged) {
		return rollErr
	}
	d.names = names{}
	sound := d.names.add(inTable)
	back := d.names.add(second)
	taken, aside := d.fromAside()
	back += taken
	if len(d.names) > sound {
		if err := d.insert(d.names.list()); err != nil {
			return err
		}
	}
	kept := names{}
	kept.add(second)
	if d.behind = rollErr != nil || len(kept) < len(d.names); d.behind {
		_ = d.writeRoll() // a disk without room has it later: see catchUp
	}
	lostTable := !had && was
	d.found = namesFound(lostTable, sound < len(inTable), rollErr != nil, back, len(d.names), aside)
	d.lost = (lostTable || sound < len(inTable)) && back == 0
	return nil
}

// namesFound says for people what became of the names, "" when nothing did.
func namesFound(lostTable, spoilt, rollSpoilt bool, back, all int, aside []string) string {
	var say []string
	if lostTable {
		say = append(say, "station.db was gone or damaged")
	}
	if spoilt {
		say = append(say, "names in station.db are not what was written")
	}
	if rollSpoilt {
		say = append(say, rollFile+" was damaged")
	}
	if len(aside) > 0 {
		say = append(say, "put aside: "+strings.Join(aside, ", "))
	}
	if len(say) == 0 {
		return ""
	}
	return fmt.Sprintf("%s; %d names came back, %d are known", strings.Join(say, "; "), back, all)
}

// Parts of the names of databases that were put aside.
const (
	asDamaged = ".damaged-"
	asTaken   = ".taken-back-"
)

// fromAside takes back the names of databases that were put aside and turn out whole, and lists those that do not.
func (d *desk) fromAside() (back int, aside []string) {
	found, _ := filepath.Glob(filepath.Join(d.dir, deskFile+asDamaged+"*"))
	for _, path := range found {
		if strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm") {
			continue
		}
		ids, whole := namesIn(path)
		back += d.names.add(ids)
		if !whole {
			aside = append(aside, filepath.Base(path))
			continue
		}
		to := strings.Replace(path, asDamaged, asTaken, 1)
		if durable.Rename(path, free(to)) != nil {
			aside = append(aside, filepath.Base(path))
		}
	}
	return back, aside
}

// namesIn returns the names that can be read in a database of the desk, and whether all of it can.
func namesIn(path string) (ids []Identity, whole bool) {
	db, err := openToRead(path, 1)
	if err != nil {
		return nil, false
	}
	defer db.Close()
	ids, err = tableOf(db)
	return ids, err == nil && sound(db, path) == nil
}
