package config_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/station/config"
	"scentpost/station/event"
	"scentpost/station/strict"
	"scentpost/station/templates"
)

// types are device types as a catalogue gives them.
var types = []templates.Type{
	kind("beam", templates.Beam, "line", duration("settle", 0, time.Second, "20ms")),
	kind("button", templates.Button, "line", word(templates.SettingRole, "", "alert", "all clear", "start", "abort", "e-stop")),
	kind("shutter", templates.Canister, "drive> opened closed",
		duration(templates.SettingTravel, time.Millisecond, time.Minute, "800ms"), duration(templates.SettingLongest, time.Second, time.Hour, "5m0s")),
	kind("light", templates.Light, "line>"),
	kind("fan", templates.Purge, "line>"),
	kind("buzzer", templates.Sound, "line>"),
	onI2C(kind("bme280", templates.Environment, ""), "0x76", "0x77"),
}

// kind is a type with lines, outputs with a > behind their role, and settings.
func kind(name string, class templates.Class, lines string, settings ...templates.Setting) templates.Type {
	t := templates.Template{Name: name, Class: class, Settings: settings}
	for _, role := range strings.Fields(lines) {
		role, output := strings.CutSuffix(role, ">")
		t.Lines = append(t.Lines, templates.Line{Role: role, Output: output})
	}
	return templates.Type{Template: t}
}

// onI2C is a type on an I2C bus, at one of some addresses.
func onI2C(t templates.Type, addresses ...string) templates.Type {
	t.Addresses = addresses
	t.Settings = append(t.Settings, word(templates.SettingAddress, addresses[0], addresses...))
	return t
}

// carrying is a type that carries lines for other devices.
func carrying(t templates.Type, c templates.Carries) templates.Type {
	t.Carries = &c
	return t
}

func duration(name string, least, most time.Duration, byDefault string) templates.Setting {
	return templates.Setting{Name: name, Min: least, Max: most, Default: byDefault}
}

func word(name, byDefault string, choices ...string) templates.Setting {
	return templates.Setting{Name: name, Choices: choices, Default: byDefault}
}

// good is a station without problems; line 1 is the site.
const good = `site: prishtina
station: yard-2
data: journal
socket: /run/scentpost.sock
driver: {type: virtual, socket: station.sock}
broker: {url: "tls://hub.example:8883", user: yard, password_file: broker.pw}
people:
  - {name: Ana Berisha, roles: [handler], uid: 1001}
  - {name: Љиљана, roles: [assessor, admin]}
positions: 1
timing: {lead: 3s, open: 90s}
devices:
  - {name: beam-1, type: beam, position: 1, line: beam1}
  - {name: canister-1a, type: shutter, position: 1, canister: "1A", lines: {drive: c1a.drive, opened: c1a.opened, closed: c1a.closed}, travel: 900ms}
  - {name: button-e-stop, type: button, role: e-stop, lines: {line: button.estop}}
  - {name: ready, type: light, line: light.ready}
`

// operated is what a session needs besides to go on without a keyboard.
const operated = `  - {name: button-alert, type: button, role: alert, line: button.alert}
  - {name: button-start, type: button, role: start, line: button.start}
  - {name: button-abort, type: button, role: abort, line: button.abort}
  - {name: ack, type: light, line: light.ack}
`

func TestGoodStation(t *testing.T) {
	c, err := config.Read("station.yaml", []byte(good+operated), types)
	if err != nil || len(c.Warnings) > 0 {
		t.Fatal(err, c.Warnings)
	}
	if c.Hash() != sha256.Sum256([]byte(good+operated)) {
		t.Error("the hash is not that of the exact bytes")
	}
	want := event.Settings{LeadMS: 3000, TravelMS: 1500, CloseMS: 1500, GridMS: 1000, WithdrawMS: 3000, LongPress: 1000, EdgeBudget: 2000, OpenMS: 90_000}
	if c.Settings() != want {
		t.Errorf("settings %+v, want %+v", c.Settings(), want)
	}
	if c.Clock.Floor != 100*time.Millisecond {
		t.Errorf("floor %s", c.Clock.Floor)
	}
	if !c.Simulated() || c.Broker.ClientID != "prishtina.yard-2" {
		t.Errorf("simulated %v, client %q", c.Simulated(), c.Broker.ClientID)
	}
	if got := fmt.Sprint(c.People); got != "[{Ana Berisha [handler] 1001} {Љиљана [assessor admin] -1}]" {
		t.Errorf("people %s", got)
	}
	if got := c.Of(templates.Canister)[0]; got.Name != "canister-1a" || got.Type.Name != "shutter" || got.Position != 1 || got.Canister != "1A" ||
		fmt.Sprint(got.Lines, got.Values) != "map[closed:c1a.closed drive:c1a.drive opened:c1a.opened] {map[longest:5m0s travel:900ms] map[]}" {
		t.Errorf("canister %+v", got)
	}
	if got := c.Of(templates.Button)[0]; got.Lines["line"] != "button.estop" || got.Values.Choices["role"] != "e-stop" {
		t.Errorf("button %+v", got)
	}
	if c.Data != "journal" || c.Driver.Socket != "station.sock" {
		t.Errorf("of a file without a folder: data %q, socket %q", c.Data, c.Driver.Socket)
	}
	in, err := config.ReadIn("/etc/scentpost", "station.yaml", []byte(good+operated), types)
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{in.Data, in.Socket, in.Driver.Socket, in.Broker.PasswordFile}; fmt.Sprint(got) !=
		"[/etc/scentpost/journal /run/scentpost.sock /etc/scentpost/station.sock /etc/scentpost/broker.pw]" {
		t.Errorf("paths %q", got)
	}
}

// TestProblems changes one thing of the good station at a time; each must give exactly the problems stated.
func TestProblems(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "site: p", "sites: p", `1:1: sites: unknown key (did you mean "site"?)`},
		{"bad name", "yard-2", "Yard 2", `2:10: station: "Yard 2" is not a name (small letters, digits and hyphens, at most 64, such as prishtina-2)`},
		{"name in a topic", "yard-2", "a/+/#", `2:10: station: "a/+/#" is not a name (small letters, digits and hyphens, at most 64, such as prishtina-2)`},
		{"empty name", "yard-2", `""`, `2:10: station: is missing (small letters, digits and hyphens, at most 64, such as prishtina-2)`},
		{"name of the wrong type", "yard-2", "[a]", `2:10: station: text is expected, not a list`},
		{"no value", "data: journal", "data:", `3:1: data: has no value; text is expected (give it, or take the key away)`},
		{"a home", "data: journal", "data: ~/data", `3:7: data: "~/data" begins with ~, which only a shell takes for a home (write the whole path, or one from the folder of this file)`},
		{"a home of somebody", "/run/scentpost.sock", "~pi/s", `4:9: socket: "~pi/s" begins with ~, which only a shell takes for a home (write the whole path, or one from the folder of this file)`},
		{"a variable", "data: journal", "data: $HOME/data", `3:7: data: "$HOME/data" has a $, and only a shell puts the value of a variable there (write the whole path, or one from the folder of this file)`},
		{"a variable in braces", "socket: station.sock", "socket: \"/run/${USER}/s\"", `5:33: driver.socket: "/run/${USER}/s" has a $, and only a shell puts the value of a variable there (write the whole path, or one from the folder of this file)`},
		{"socket too long", "/run/scentpost.sock", strings.Repeat("x", 108), `4:9: socket: has 108 bytes, and 107 are the most for a Unix socket (choose a shorter path)`},
		{"unknown driver", "virtual", "virtaul", `5:16: driver.type: "virtaul" is no driver (did you mean "virtual"?)`},
		{"virtual without socket", ", socket: station.sock", "",
			`5:1: driver.socket: is missing (name the Unix socket of the virtual station that scentsim station holds)`},
		{"password in the address", "tls://hub", "tls://me:secret@hub", `6:15: broker.url: holds a user or password (give user, and password_file for the password)`},
		{"no address", "tls://hub.example:8883", "hub.example", `6:15: broker.url: is not the address of a broker (such as tcp://hub.example:1883 or tls://hub.example:8883)`},
		{"a broker over WebSocket", "tls://hub.example:8883", "ws://hub.example:9001/mqtt", `6:15: broker.url: ws:// is MQTT over WebSocket, which a station does not speak (name the broker's port for MQTT over TCP, such as tcp://hub.example:1883 or tls://hub.example:8883)`},
		{"password in the file", "password_file: broker.pw", "password: secret", `6:53: broker.password: unknown key (known: ca_file, cert_file, client_id, key_file, password_file, url, user)`},
		{"a certificate without its key", `tls://hub.example:8883", user: yard, password_file: broker.pw`, `tls://hub.example:8883", user: yard, cert_file: c.pem`, `6:64: broker.cert_file: a certificate and its key belong together (give broker.key_file as well)`},
		{"a file for TLS without TLS", `tls://hub.example:8883", user: yard, password_file: broker.pw`, `tcp://hub.example:1883", user: yard, ca_file: c.pem`, `6:62: broker.ca_file: the broker's address asks for no TLS (write tls:// in broker.url, or leave the file out)`},
		{"password without user", "user: yard, ", "", `6:56: broker.password_file: a password without a user is not sent (give user as well)`},
		{"unknown role", "[handler]", "[handlr]", `8:33: people[0].roles[0]: "handlr" is no role (did you mean "handler"?)`},
		{"role twice", "[handler]", "[handler, handler]", `8:42: people[0].roles[1]: handler is given twice (take one away)`},
		{"no role", "[handler]", "[]", `8:25: people[0].roles: a person without a role may do nothing (known: admin, assessor, authority, handler, loader)`},
		{"same person", "Љиљана", "Ana Berisha", `9:12: people[1].name: "Ana Berisha" is used before, in line 8 (choose another)`},
		{"negative account", "uid: 1001", "uid: -1", `8:48: people[0].uid: -1 is no account of a machine (id -u prints it)`},
		{"authority", "positions: 1\n", "positions: 1\nauthorities: [hub+x]\n", `11:15: authorities[0]: "hub+x" is no verifier key (scentpost key show prints it)`},
		{"no positions", "positions: 1\n", "", `1:1: positions: is missing (how many places the dog is shown)`},
		{"negative position", "position: 1, line", "position: -1, line", `13:42: devices[0].position: a position from 1 to 1 is expected`},
		{"position out of range", "position: 1, line", "position: 2, line", `13:42: devices[0].position: a position from 1 to 1 is expected`},
		{"fraction of a position", "position: 1, line", "position: 1.5, line", `13:42: devices[0].position: a whole number is expected, not "1.5"`},
		{"beam without position", "position: 1, line", "line", `13:6: devices[0].position: is missing: a beam stands at a position (a number from 1 to 1)`},
		{"light with position", "type: light", "type: light, position: 1", `16:42: devices[3].position: a light has no position (take it away)`},
		{"light with canister", "type: light", `type: light, canister: "1A"`, `16:42: devices[3].canister: a light is no canister (take it away)`},
		{"unknown type", "type: shutter", "type: shuter", `14:31: devices[1].type: "shuter" is no type of device (did you mean "shutter"?)`},
		{"no type", "type: light, ", "", `16:6: devices[3].type: is missing (known: beam, bme280, button, buzzer, fan, light, shutter)`},
		{"same name", "name: ready", "name: beam-1", `16:12: devices[3].name: "beam-1" is used before, in line 13 (choose another)`},
		{"same line", "line: light.ready", "line: c1a.drive", `16:38: devices[3].line: "c1a.drive" is taken by devices[1].lines.drive in line 14 (one line serves one device)`},
		{"line missing", ", closed: c1a.closed", "", `14:69: devices[1].lines.closed: is missing (the name of the line, such as c1a.drive)`},
		{"line unknown", "closed: c1a", "close: c1a", `14:115: devices[1].lines.close: unknown key (did you mean "closed"?)`},
		{"line of several", "lines: {drive: c1a.drive, opened: c1a.opened, closed: c1a.closed}", "line: c1a",
			`14:75: devices[1].line: a shutter has several lines: drive, opened, closed (write lines: {...}, each by its role)`},
		{"line misspelt beside one that is there", "drive: c1a", "open: c1a.x, drive: c1a", `14:77: devices[1].lines.open: unknown key (did you mean "opened"?)`},
		{"choice of a number", "role: e-stop", "role: 5", `15:47: devices[2].role: "5" cannot be chosen (known: abort, alert, all clear, e-stop, start)`},
		{"device's name", "name: ready", "name: Ready", `16:12: devices[3].name: "Ready" is not a name (small letters, digits and hyphens, at most 64, such as beam-1)`},
		{"choice misspelt", "role: e-stop", "rol: e-stop", `15:41: devices[2].rol: unknown key (did you mean "role"?)`},
		{"position misspelt", "position: 1, line", "positon: 1, line", `13:32: devices[0].positon: unknown key (did you mean "position"?)`},
		{"line and lines", "lines: {line: button.estop}", "line: a, lines: {line: b}", `15:61: devices[2].line: line and lines are both given (take one of them away)`},
		{"line's name", "line: light.ready", "line: 'a b'", `16:38: devices[3].line: "a b" is not the name of a line (letters, digits and . _ : / -, at most 64, such as c1a.drive)`},
		{"canister elsewhere", `"1A"`, `"2A"`, `14:63: devices[1].canister: 2A does not stand at position 1 (such as 1A)`},
		{"canister's id", `"1A"`, `a1`, `14:63: devices[1].canister: "a1" is not the id of a canister (its position and a letter, such as 1A)`},
		{"canister without id", `canister: "1A", `, ``, `14:6: devices[1].canister: is missing (its position and a letter, such as 1A)`},
		{"unknown setting", "travel: 900ms", "travle: 900ms", `14:136: devices[1].travle: unknown key (did you mean "travel"?)`},
		{"setting without unit", "travel: 900ms", "travel: 900",
			`14:144: devices[1].travel: a duration such as 90s, 1m30s or 500ms is expected, not "900" (with its unit: 900s or 900ms)`},
		{"setting out of range", "travel: 900ms", "travel: 2h", `14:144: devices[1].travel: 2h0m0s is out of range: from 1ms to 1m0s`},
		{"a nanosecond less than nothing", "line: beam1", "line: beam1, settle: -1ns", `13:66: devices[0].settle: -1ns is out of range: from 0s to 1s`},
		{"no choice", "role: e-stop", `role: ""`, `15:47: devices[2].role: "" cannot be chosen (known: abort, alert, all clear, e-stop, start)`},
		{"a choice of another kind", "role: e-stop", `role: [e-stop]`, `15:47: devices[2].role: text is expected, not a list`},
		{"unknown choice", "role: e-stop", "role: estop", `15:47: devices[2].role: "estop" cannot be chosen (did you mean "e-stop"?)`},
		{"choice missing", "role: e-stop, ", "", `15:6: devices[2].role: is missing: a button must say it (known: abort, alert, all clear, e-stop, start)`},
		{"clock without a floor", "positions: 1\n", "positions: 1\nclock: {floor: 0s}\n", `11:16: clock.floor: 0s is out of range: from 1ms to 10s (100ms is usual)`},
		{"clock that hides a step", "positions: 1\n", "positions: 1\nclock: {floor: 1h}\n", `11:16: clock.floor: 1h0m0s is out of range: from 1ms to 10s (100ms is usual)`},
		{"clock misspelt", "positions: 1\n", "positions: 1\nclock: {flor: 1s}\n", `11:9: clock.flor: unknown key (did you mean "floor"?)`},
		{"time out of range", "lead: 3s", "lead: 1ms", `11:16: timing.lead: 1ms is out of range: from 500ms to 10m0s`},
		{"negative time", "lead: 3s", "lead: -3s", `11:16: timing.lead: -3s is out of range: from 500ms to 10m0s`},
		{"fine time", "lead: 3s", "lead: 3s1us", `11:16: timing.lead: 3.000001s is finer than a millisecond`},
		{"no time to search", "open: 90s", "open: 6s", `11:26: timing.open: 6s leaves no time to search: travel, close and withdraw take 6s (make it longer than a run)`},
		{"dead-man in mid-run", "open: 90s", "open: 6m",
			`14:6: devices[1].longest: the canister closes by itself after 5m0s, and timing.open is 6m0s (make this longer, or timing.open shorter)`},
		{"enormous budget", "open: 90s", "edge_budget: 99999999999999999999", `11:33: timing.edge_budget: "99999999999999999999" is too large a number`},
		{"negative budget", "open: 90s", "edge_budget: -5", `11:33: timing.edge_budget: -5 is out of range: from 10 to 1000000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the good station has no %q", c.old)
			}
			_, err := config.Read("f", []byte(strings.Replace(good, c.old, c.new, 1)), types)
			want := "f:" + strings.ReplaceAll(c.want, "|", "\nf:")
			if err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestTwoOfAKind(t *testing.T) {
	more := "  - {name: beam-2, type: beam, position: 1, line: beam2}\n" +
		"  - {name: canister-x, type: shutter, position: 1, canister: 1A, lines: {drive: a, opened: b, closed: c}}\n"
	_, err := config.Read("f", []byte(good+more), types)
	want := `f:17:42: devices[4].position: position 1 has a beam already, in line 13
f:18:62: devices[5].canister: "1A" is used before, in line 14 (choose another)`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no e-stop", "role: e-stop", "role: abort", "devices: no emergency stop"},
		{"no light", "name: ack", "name: acknowledged", "devices: no light is named ack: nobody at the line"},
		{"no start", "role: start", "role: all clear", "devices: no button has the role start: a run is started by command only"},
		{"no alert", "role: alert", "role: all clear", "devices: no button has the role alert"},
		{"no abort", "role: abort", "role: all clear", "devices: no button has the role abort"},
		{"bare position", "positions: 1", "positions: 2", "devices: position 2 has no canister|devices: position 2 has no beam"},
		{"password over a network", "tls://hub.example:8883", "tcp://hub.example:1883", "broker.url: the password goes to another machine unencrypted"},
		{"password on this machine", "tls://hub.example:8883", "tcp://[::1]:1883", ""},
		{"shared account", "roles: [assessor, admin]", "roles: [loader], uid: 1001",
			"people[0].uid: Ana Berisha shares the account 1001|people[1].uid: Љиљана shares the account 1001"},
	} {
		got, err := config.Read("f", []byte(strings.Replace(good+operated, c.old, c.new, 1)), types)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.FieldsFunc(c.want, func(r rune) bool { return r == '|' })
		if len(got.Warnings) != len(want) {
			t.Fatalf("%s: got %+v, want %q", c.name, got.Warnings, want)
		}
		for i, w := range got.Warnings {
			if w.Line == 0 || !strings.HasPrefix(w.Field+": "+w.Message, want[i]) {
				t.Errorf("%s: got %+v, want %q", c.name, w, want[i])
			}
		}
	}
}

func TestSharesAccount(t *testing.T) {
	c := config.Config{People: []config.Person{{Name: "a", UID: 7}, {Name: "b", UID: 7}, {Name: "c", UID: 8}, {Name: "d", UID: -1}, {Name: "e", UID: -1}}}
	for name, want := range map[string]bool{"a": true, "b": true, "c": false, "d": false, "e": false, "nobody": false} {
		if got := c.SharesAccount(name); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// TestBadInput is the table of inputs that no person means: a clear error with its place, no panic, no hang.
func TestBadInput(t *testing.T) {
	many := strings.Repeat("  - {}\n", 2000)
	for _, c := range []struct{ name, src, want string }{
		{"empty", "", "f:1:1: the file is empty"},
		{"binary", "\x7fELF\x02\x01\x01", "f:1:1: control character 0x7F is not text"},
		{"junk", "\xde\xad\xbe\xef", "f:1:2: byte 0xBE is not UTF-8"},
		{"100 MB of junk", strings.Repeat("\xde\xad", 50<<20), "f: has 104857600 bytes, and 1048576 (1 MiB) are the most that is read"},
		{"bomb of aliases", "a: &a [x]\nb: [*a, *a]\n", "f:1:4: an anchor (&) is not allowed here"},
		{"bomb of brackets", "devices: " + strings.Repeat("[", 100_000), "f:1:41: nested deeper than 32"},
		{"a list", "- a\n", "f:1:1: a mapping is expected, not a list"},
		{"many devices", "devices:\n" + many, "devices: 2000 devices, and 1024 are the most"},
		{"many people", "people:\n" + many, "people: 2000 people, and 500 are the most"},
		{"enormous positions", "positions: 1000000000", "positions: a number from 1 to 64 is expected"},
		{"devices is no list", "devices: 3", "devices: a list is expected, not \"3\""},
		{"driver is a word", "driver: virtual", "driver: a mapping is expected, not \"virtual\""},
	} {
		_, err := config.Read("f", []byte(c.src), types)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %.300v, want %s", c.name, err, c.want)
		}
	}
}

// TestSecretsAreNotRepeated: whatever is wrong with an address, what may be a password in it is not shown.
func TestSecretsAreNotRepeated(t *testing.T) {
	for _, url := range []string{"tcp://me:hunter2@hub:1883", "hunter2", "tcp://me:hunter2@:x", "ftp://hunter2:1"} {
		_, err := config.Read("f", []byte(strings.Replace(good, "tls://hub.example:8883", url, 1)), types)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

// FuzzRead: no input panics, an error is a list of placed problems, and what is accepted is sound.
func FuzzRead(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("devices:\n  - {type: shutter, lines: {drive: [x]}, travel: {}}\n  -\n"))
	f.Add([]byte("people: [{name: a, roles: [b, ''], uid: 9999999999}]\nbroker: {}\ntiming: {open: 1h}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := config.Read("f", src, types)
		var p *strict.Problems
		if err != nil {
			if !errors.As(err, &p) || len(p.List) == 0 {
				t.Fatalf("got %v", err)
			}
			return
		}
		lines, ids := map[string]bool{}, map[string]bool{}
		for _, d := range c.Devices {
			for _, l := range d.Lines {
				if lines[l] || l == "" {
					t.Errorf("line %q serves two", l)
				}
				lines[l] = true
			}
			if ids[d.Name] || d.Position > c.Positions || d.Position < 0 || (d.Type.Class == templates.Canister) != (d.Canister != "") {
				t.Errorf("accepted %+v", d)
			}
			ids[d.Name] = true
		}
	})
}
