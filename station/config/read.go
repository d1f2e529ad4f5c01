package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"scentpost/station/event"
	"scentpost/station/names"
	"scentpost/station/strict"
	"scentpost/station/templates"
	"scentpost/station/uplink/address"
)

// The limits of a configuration.
const (
	maxPositions = 64   // a carousel has 17; a bound for a slip of the finger
	maxDevices   = 1024 // lines of a station that one board can serve
	maxPeople    = 500
	maxSocket    = 107 // bytes of a Unix socket's path; the kernel's sun_path has 108 with its end
	maxUID       = 1<<32 - 2
	maxBudget    = 1_000_000
)

// file is the shape of a station.yaml.
type file struct {
	Site    string `yaml:"site"`
	Station string `yaml:"station"`
	Data    string `yaml:"data"`
	Socket  string `yaml:"socket"`
	Driver  struct {
		Type      string            `yaml:"type"`
		Socket    string            `yaml:"socket"`
		Lines     map[string]Wiring `yaml:"lines"`
		Simulated bool              `yaml:"simulated"`
	} `yaml:"driver"`
	Broker struct {
		URL          string `yaml:"url"`
		ClientID     string `yaml:"client_id"`
		User         string `yaml:"user"`
		PasswordFile string `yaml:"password_file"`
		CAFile       string `yaml:"ca_file"`
		CertFile     string `yaml:"cert_file"`
		KeyFile      string `yaml:"key_file"`
	} `yaml:"broker"`
	People []struct {
		Name  string   `yaml:"name"`
		Roles []string `yaml:"roles"`
		UID   *int     `yaml:"uid"`
	} `yaml:"people"`
	Authorities []string `yaml:"authorities"`
	Positions   int      `yaml:"positions"`
	Timing      timing   `yaml:"timing"`
	Clock       clock    `yaml:"clock"`
	Metrics     metrics  `yaml:"metrics"`
	Devices     []device `yaml:"devices"`
}

type timing struct {
	Lead       time.Duration `yaml:"lead"`
	Travel     time.Duration `yaml:"travel"`
	Close      time.Duration `yaml:"close"`
	Grid       time.Duration `yaml:"grid"`
	Withdraw   time.Duration `yaml:"withdraw"`
	LongPress  time.Duration `yaml:"long_press"`
	Open       time.Duration `yaml:"open"`
	EdgeBudget int           `yaml:"edge_budget"`
}

type device struct {
	Name      string                 `yaml:"name"`
	Type      string                 `yaml:"type"`
	Position  int                    `yaml:"position"`
	Canister  string                 `yaml:"canister"`
	Bus       string                 `yaml:"bus"`
	Port      string                 `yaml:"port"`
	ID        string                 `yaml:"id"`
	Line      string                 `yaml:"line"`
	Lines     map[string]string      `yaml:"lines"`
	Interrupt string                 `yaml:"interrupt"`
	Settings  map[string]strict.Node `yaml:",rest"`
}

// defaults are the numbers of a station that says nothing: a shutter takes up to 800 ms, and a handler 3 s to
// notice that a wrong call was entered.
var defaults = timing{
	Lead: 2 * time.Second, Travel: 1500 * time.Millisecond, Close: 1500 * time.Millisecond, Grid: time.Second,
	Withdraw: 3 * time.Second, LongPress: time.Second, Open: 4 * time.Minute, EdgeBudget: 2000,
}

// reader is one reading of a file.
type reader struct {
	doc   *strict.Document
	dir   string // the folder that relative paths are taken from, "" where they stay as they are
	file  file
	types []templates.Type
	out   Config
}

// Read returns the checked configuration that src holds, whose devices are of some types, of a file without a folder: relative
// paths stay as they are. The error is a *strict.Problems with everything that is wrong; name stands before each place in it.
func Read(name string, src []byte, types []templates.Type) (Config, error) {
	return ReadIn("", name, src, types)
}

// ReadIn is Read with relative paths taken from dir, the folder of the file. A path is checked as it is then used, so dir
// should be absolute: the length of a Unix socket's path has a limit.
func ReadIn(dir, name string, src []byte, types []templates.Type) (Config, error) {
	doc, err := strict.Parse(name, src)
	if err != nil {
		return Config{}, err
	}
	r := reader{doc: doc, dir: dir, types: types, file: file{Timing: defaults, Clock: clock{Floor: defaultFloor}}}
	doc.Decode(&r.file)
	r.names()
	r.driver()
	r.broker()
	r.people()
	r.authorities()
	r.positions()
	r.timing()
	r.clock()
	r.metrics()
	r.devices()
	r.wiring()
	r.together()
	if err := doc.Err(); err != nil {
		return Config{}, err
	}
	r.out.hash = sha256.Sum256(src)
	return r.out, nil
}

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

const nameHint = "small letters, digits and hyphens, at most 64, such as prishtina-2"

// given notes a problem when a value that must be there is missing, and tells whether it can be looked at: it
// is there and was of the right type.
func (r *reader) given(path, value, hint string) bool {
	if value == "" && (!r.doc.Has(path) || r.isText(path)) {
		r.doc.Missing(path, hint, "is missing")
	}
	return value != ""
}

// isText tells whether the value at path was taken as text, so that nothing has been said of it yet.
func (r *reader) isText(path string) bool { return r.doc.Kind(path) == strict.Text }

func (r *reader) names() {
	f := &r.file
	for _, one := range []struct{ path, value string }{{"site", f.Site}, {"station", f.Station}} {
		if r.given(one.path, one.value, nameHint) && !nameForm.MatchString(one.value) {
			r.doc.Problem(one.path, nameHint, "%s is not a name", strict.Quote(one.value))
		}
	}
	r.given("data", f.Data, "name a folder for this station alone: /var/lib/scentpost where the package's unit starts it, else one that your account may make, such as ./data")
	r.out.Site, r.out.Station, r.out.Data = f.Site, f.Station, r.path("data", f.Data)
	r.out.Socket = r.socket("socket", f.Socket, "name the Unix socket for commands: /run/scentpost/scentpost.sock where the package's unit starts it, else one that your account may make, such as ./scentpost.sock")
}

// path checks a path of the file, and returns it as it is used. Nothing is filled in, as a shell would.
func (r *reader) path(at, value string) string {
	const hint = "write the whole path, or one from the folder of this file"
	switch {
	case strings.HasPrefix(value, "~"):
		r.doc.Problem(at, hint, "%s begins with ~, which only a shell takes for a home", strict.Quote(value))
	case strings.Contains(value, "$"):
		r.doc.Problem(at, hint, "%s has a $, and only a shell puts the value of a variable there", strict.Quote(value))
	}
	if value == "" || r.dir == "" || filepath.IsAbs(value) {
		return value
	}
	return filepath.Join(r.dir, value)
}

// socket checks the path of a Unix socket, and returns it as it is used.
func (r *reader) socket(path, value, hint string) string {
	used := r.path(path, value)
	if r.given(path, value, hint) && len(used) > maxSocket {
		as := ","
		if used != value {
			as = ", taken from the folder of this file,"
		}
		r.doc.Problem(path, "choose a shorter path", "has %d bytes%s and %d are the most for a Unix socket", len(used), as, maxSocket)
	}
	return used
}

func (r *reader) driver() {
	d := r.file.Driver
	if r.given("driver.type", d.Type, strict.DidYouMean("", drivers)) && !slices.Contains(drivers, d.Type) {
		r.doc.Problem("driver.type", strict.DidYouMean(d.Type, drivers), "%s is no driver", strict.Quote(d.Type))
	}
	if d.Type == DriverVirtual {
		d.Socket = r.socket("driver.socket", d.Socket, "name the Unix socket of the virtual station that scentsim station holds")
	}
	if d.Type == DriverVirtual && r.doc.Has("driver.simulated") {
		r.doc.Problem("driver.simulated", "take it away", "a virtual station is always marked as simulated")
	}
	r.out.Driver = Driver{Type: d.Type, Socket: d.Socket, Wiring: d.Lines, Simulated: d.Simulated}
}

// wiring checks how the lines of this machine are wired, when the devices on them are known.
func (r *reader) wiring() {
	const at = "driver.lines"
	d := r.out.Driver
	if d.Type == DriverVirtual && d.Wiring != nil {
		r.doc.Problem(at, "take it away", "only the driver %s has wired lines", DriverLinux)
		return
	}
	used := r.usedLines()
	for _, name := range slices.Sorted(maps.Keys(d.Wiring)) {
		w := d.Wiring[name]
		if !slices.Contains(used, name) {
			r.doc.KeyProblem(at, name, strict.DidYouMean(name, used), "no device is on this line")
		}
		if w.Bias != "" && !slices.Contains(biases, w.Bias) {
			r.doc.KeyProblem(at, name, strict.DidYouMean(w.Bias, biases), "%s is no bias", strict.Quote(w.Bias))
		}
		if w.External != "" && !slices.Contains(externals, w.External) {
			r.doc.KeyProblem(at, name, strict.DidYouMean(w.External, externals), "%s is no external pull", strict.Quote(w.External))
		}
		r.carriedWiring(name, w)
	}
}

// broker checks where to report to. It never repeats the URL, which may hold a password by mistake.
func (r *reader) broker() {
	b := r.file.Broker
	r.out.Broker = Broker{ClientID: b.ClientID, User: b.User, PasswordFile: r.path("broker.password_file", b.PasswordFile),
		CAFile: r.path("broker.ca_file", b.CAFile), CertFile: r.path("broker.cert_file", b.CertFile), KeyFile: r.path("broker.key_file", b.KeyFile)}
	if !r.doc.Has("broker") {
		return
	}
	if r.given("broker.url", b.URL, "such as tcp://hub.example:1883 or tls://hub.example:8883") {
		var err error
		r.out.Broker.Address, err = address.Parse(b.URL)
		if wrong := (*address.Error)(nil); errors.As(err, &wrong) {
			r.doc.Problem("broker.url", wrong.Do, "%s", wrong.What)
		}
	}
	if to := r.out.Broker.Address; b.PasswordFile != "" && to.Given() && !to.TLS && !to.Local() {
		r.warn("broker.url", "write tls:// in broker.url, with broker.ca_file where the certificate is one of your own",
			"the password goes to another machine unencrypted: whoever listens on the way can report as this station")
	}
	if b.PasswordFile != "" && b.User == "" {
		r.doc.Problem("broker.password_file", "give user as well", "a password without a user is not sent")
	}
	if (b.CertFile == "") != (b.KeyFile == "") {
		at, other := "broker.cert_file", "broker.key_file"
		if b.CertFile == "" {
			at, other = other, at
		}
		r.doc.Problem(at, "give "+other+" as well", "a certificate and its key belong together")
	}
	for _, f := range []struct{ at, path string }{{"broker.ca_file", b.CAFile}, {"broker.cert_file", b.CertFile}, {"broker.key_file", b.KeyFile}} {
		if f.path != "" && r.out.Broker.Address.Given() && !r.out.Broker.Address.TLS {
			r.doc.Problem(f.at, "write tls:// in broker.url, or leave the file out", "the broker's address asks for no TLS")
		}
	}
	if b.ClientID == "" {
		r.out.Broker.ClientID = r.file.Site + "." + r.file.Station
	}
}

var roles = []event.Role{event.Handler, event.Assessor, event.Loader, event.Authority, event.Admin}

// people checks who uses the station.
func (r *reader) people() {
	if len(r.file.People) > maxPeople {
		r.doc.Problem("people", "", "%d people, and %d are the most", len(r.file.People), maxPeople)
		return
	}
	seen := map[string]int{}
	for i, p := range r.file.People {
		at := fmt.Sprintf("people[%d]", i)
		if r.given(at+".name", p.Name, "as it is to stand in the papers") {
			r.personName(at+".name", p.Name)
			r.once(seen, p.Name, i, at+".name", "people")
		}
		out := Person{Name: p.Name, UID: -1, Roles: r.roles(at+".roles", p.Roles)}
		if p.UID != nil {
			if out.UID = *p.UID; out.UID < 0 || int64(out.UID) > maxUID {
				r.doc.Problem(at+".uid", "id -u prints it", "%d is no account of a machine", out.UID)
			}
		}
		r.out.People = append(r.out.People, out)
	}
	r.readAlike()
	r.readSpeakers()
	for i, p := range r.out.People {
		if r.out.SharesAccount(p.Name) {
			r.warn(fmt.Sprintf("people[%d].uid", i), "give each person an account of their own",
				"%s shares the account %d with somebody else: a shared account of loader and handler lowers the effective blindness", p.Name, p.UID)
		}
	}
}

func (r *reader) personName(path, name string) {
	switch names.Check(name) {
	case names.TooLong:
		r.doc.Problem(path, "", "has more than %d characters", names.Most)
	case names.Edged:
		r.doc.Problem(path, "take the space away", "begins or ends with a space")
	case names.Unseen:
		r.doc.Problem(path, "write the name on one line, in signs that a reader sees", "has a sign that no reader sees, or more than one line")
	}
}

// readSpeakers warns of people whom a real station does not obey: nobody's account speaks for them.
func (r *reader) readSpeakers() {
	if r.out.Simulated() {
		return
	}
	const hint = "write uid: and the number of each person's account, which `id -u NAME` prints"
	bare := func(p Person) bool { return p.UID < 0 }
	if len(r.out.People) > 1 && !slices.ContainsFunc(r.out.People, func(p Person) bool { return !bare(p) }) {
		r.warn("people", hint, "no person has a uid: a station with real devices obeys nobody then")
		return
	}
	for i, p := range r.out.People {
		if p.Name != "" && bare(p) {
			r.warn(fmt.Sprintf("people[%d]", i), hint, "%s has no uid: a station with real devices obeys no account as %s", strict.Quote(p.Name), p.Name)
		}
	}
}

// readAlike warns of people whom a reader may take for one.
func (r *reader) readAlike() {
	var read []names.Reading
	for i, p := range r.out.People {
		read = append(read, names.Read(p.Name))
		for j, q := range r.out.People[:i] {
			if p.Name == "" || p.Name == q.Name || !read[i].MayBe(read[j]) {
				continue
			}
			line, _ := r.doc.Place(fmt.Sprintf("people[%d].name", j))
			r.warn(fmt.Sprintf("people[%d].name", i), "where it is one person, write the name once, with all roles; where it is another, write the names so that they differ",
				"%s reads like the name in line %d: a blind session that keeps their roles apart is refused", strict.Quote(p.Name), line)
		}
	}
}

// roles checks the roles of a person.
func (r *reader) roles(path string, names []string) []event.Role {
	var known []string
	for _, role := range roles {
		known = append(known, string(role))
	}
	if len(names) == 0 && (!r.doc.Has(path) || r.doc.Kind(path) == strict.Sequence) {
		r.doc.Problem(path, strict.DidYouMean("", known), "a person without a role may do nothing")
	}
	var out []event.Role
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case name == "":
		case !slices.Contains(known, name):
			r.doc.Problem(at, strict.DidYouMean(name, known), "%s is no role", strict.Quote(name))
		case slices.Contains(out, event.Role(name)):
			r.doc.Problem(at, "take one away", "%s is given twice", name)
		default:
			out = append(out, event.Role(name))
		}
	}
	return out
}

func (r *reader) authorities() {
	for i, key := range r.file.Authorities {
		if _, err := note.NewVerifier(key); err != nil && key != "" {
			r.doc.Problem(fmt.Sprintf("authorities[%d]", i), "scentpost key show prints it", "%s is no verifier key", strict.Quote(key))
		}
	}
	r.out.Authorities = r.file.Authorities
}

func (r *reader) positions() {
	n := r.file.Positions
	switch {
	case !r.doc.Has("positions"):
		r.doc.Missing("positions", "how many places the dog is shown", "is missing")
	case r.doc.Kind("positions") == strict.Int && (n < 1 || n > maxPositions):
		r.doc.Problem("positions", "", "a number from 1 to %d is expected", maxPositions)
	}
	r.out.Positions = n
}

// once notes a name that was used before; seen maps names to where they were used first.
func (r *reader) once(seen map[string]int, name string, i int, path, list string) {
	if first, twice := seen[name]; twice {
		line, _ := r.doc.Place(fmt.Sprintf("%s[%d]", list, first))
		r.doc.Problem(path, "choose another", "%s is used before, in line %d", strict.Quote(name), line)
		return
	}
	seen[name] = i
}

// warn keeps what is allowed but seldom meant.
func (r *reader) warn(path, hint, format string, args ...any) {
	line, column := r.doc.Place(path)
	r.out.Warnings = append(r.out.Warnings, strict.Problem{Line: line, Column: column, Field: path,
		Message: fmt.Sprintf(format, args...), Hint: hint})
}
