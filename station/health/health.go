// Package health holds what is wrong with a station as named conditions, for those who have to mend it.
//
// What goes wrong with a canister tells which one was moved. From seal to reveal such conditions are frozen: see Set.
package health

import (
	"fmt"
	"slices"
)

// Severity says how much a condition stops.
type Severity int

// The severities, least first.
const (
	Notice  Severity = iota + 1 // works as it should; somebody will want to know
	Warning                     // works, with less than it should have
	Fault                       // something does not work; sessions go on where they can
	Stop                        // no session may run
)

var severities = [...]string{Notice: "notice", Warning: "warning", Fault: "fault", Stop: "stop"}

// String returns the word for the severity.
func (s Severity) String() string {
	if s < Notice || s > Stop {
		return fmt.Sprintf("severity %d", int(s))
	}
	return severities[s]
}

// MarshalText writes the word for the severity.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word for a severity.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severities[:], string(text))
	if i < int(Notice) {
		return fmt.Errorf("%q is no severity: one of notice, warning, fault, stop is expected", text)
	}
	*s = Severity(i)
	return nil
}

// Code names a kind of condition for programs and manuals; it never changes its meaning.
type Code string

// The codes.
const (
	DeviceAbsent      Code = "device-absent"       // a line, chip, port or board is not there; it is tried again
	SessionsLimited   Code = "sessions-limited"    // some sessions cannot be held, as devices that they need are absent
	LineAlone         Code = "line-alone"          // edges of an input are lost without the kernel's count of them
	DeviceFault       Code = "device-fault"        // it is there and does not obey
	ButtonStuck       Code = "button-stuck"        // a button is held longer than a hand holds it
	EmergencyStop     Code = "emergency-stop"      // the emergency stop is pressed
	EdgesLost         Code = "edges-lost"          // the kernel or a board dropped edges of a source
	SourceSilent      Code = "source-silent"       // a source says nothing, past its declared lateness
	SimulationLate    Code = "simulation-late"     // a virtual station gets its commands after their instants
	ClockUnset        Code = "clock-unset"         // nobody knows the time of day; order and durations are sound
	ClockHoldover     Code = "clock-holdover"      // the clock was long not synchronised; it may be seconds off
	ClockStepped      Code = "clock-stepped"       // UTC stepped in the session that is under way
	ClockNotKept      Code = "clock-not-kept"      // no clock would know the time after a power cut
	JournalFull       Code = "journal-full"        // the disk is full; the running run is finished from the ballast
	JournalCheck      Code = "journal-check"       // the check after an unclean stop is under way
	JournalAway       Code = "journal-away"        // the journal cannot be opened or read now; it is tried again
	JournalQuarantine Code = "journal-quarantined" // a damaged part was put aside
	JournalDamaged    Code = "journal-damaged"     // records are not what was written, each for itself
	NamesLost         Code = "names-lost"          // names of people and dogs are gone, and no copy had them
	EpochEnded        Code = "epoch-ended"         // a tail was lost or a copy restored: a new epoch began
	BrokerAway        Code = "broker-away"         // records wait for the connection; nothing is lost
	BrokerLogin       Code = "broker-login"        // the broker takes neither this name nor this password
	BrokerSecret      Code = "broker-secret"       // a file of the broker's password, certificates or key cannot be read
	BrokerUntrusted   Code = "broker-untrusted"    // broker and station do not trust each other's certificates
	BrokerForeign     Code = "broker-foreign"      // what listens there does not speak MQTT as it should
	BrokerDenied      Code = "broker-denied"       // the broker denies the station a topic
	BrokerSize        Code = "broker-size"         // the broker ends the connection at a message of some size
	BrokerUndelivered Code = "broker-undelivered"  // the broker acknowledges records and does not deliver them
	BrokerSharedID    Code = "broker-shared-id"    // another client seems to use the station's client id
	ReportHeld        Code = "report-held"         // the station's own disk holds up what it would report
	Rival             Code = "rival"               // somebody else speaks for this station at the broker
	MetricsAway       Code = "metrics-away"        // the metrics cannot be served; nothing else is held up
	BoardWarm         Code = "board-warm"          // the machine is warmer than it should be
	BoardHot          Code = "board-hot"           // it is so hot that it slows down
	UnderVoltage      Code = "under-voltage"       // its supply is too low
	JournalReadOnly   Code = "journal-read-only"   // the journal's file system takes no writes
	KeyOpen           Code = "key-open"            // others than its owner may read the station's key
	BoardLine         Code = "board-line"          // much of what passes on a board's line goes wrong
	BoardTime         Code = "board-time"          // the instants of a board's edges are uncertain
	BoardClock        Code = "board-clock"         // a board's clock is off by more than one that is well, or not steady
	BoardStarted      Code = "board-started"       // a board started by itself, for want of power or of a program that goes on
	AidsMissing       Code = "aids-missing"        // fewer aids were counted back than went out
	SpaceLow          Code = "space-low"           // there is room for a few hours of running sessions
)

// kind is what is known of a code before it happens.
type kind struct {
	title    string
	severity Severity
	// device is set where what it is on decides how much of it may be seen from seal to reveal; other codes tell
	// nothing of a canister.
	device bool
	todo   string
}

// kinds is the one table of codes.
var kinds = map[Code]kind{
	DeviceAbsent:      {"A device is absent", Fault, true, "check its cable and power; scentpostd doctor says more; it is tried again by itself"},
	SessionsLimited:   {"Not every session can be held", Fault, true, "mend the devices that are absent, or take a plan that does without them"},
	LineAlone:         {"An input is the only one of its chip", Notice, true, "wire it to the chip that has other inputs; until then two edges in a row that tell one level, and looks at its level, find what is lost"},
	DeviceFault:       {"A device has a fault", Fault, true, "look at the device; scentpostd doctor says more"},
	ButtonStuck:       {"A button is stuck", Fault, false, "let the button go; look for what holds it down"},
	EmergencyStop:     {"The emergency stop is pressed", Stop, false, "see that the place is safe, then release the button"},
	EdgesLost:         {"Edges of an input were lost", Warning, true, "look for a chattering input or a loose contact"},
	SourceSilent:      {"A source says nothing", Fault, true, "runs that nobody called are void: check the cable and power of what it is on, and what else the machine does"},
	SimulationLate:    {"The simulation is late", Warning, false, "start scentsim station with a lower --scale, or end what else the machine does; no device is at fault, and a run that was void by it says so"},
	ClockUnset:        {"The time of day is not known", Warning, false, "connect the station to a network; until then somebody says in each session what the time is: scentpost session date"},
	ClockHoldover:     {"The time of day was long not checked", Warning, false, "connect the station to a network: its clock drifts"},
	ClockStepped:      {"The wall clock stepped in mid-session", Notice, false, "nothing: order and durations do not use it, and the record says where it stepped"},
	ClockNotKept:      {"No clock would survive a power cut", Warning, false, "give the station a clock with a battery (type ds3231), or a new battery; until then it needs a network at every start"},
	JournalFull:       {"The disk is full", Stop, false, "export closed sessions and prune them, or free space on the disk"},
	JournalCheck:      {"The journal is being checked", Stop, false, "wait: sessions begin when it is through"},
	JournalAway:       {"The journal cannot be opened now", Stop, false, "do what the evidence says; nothing is given up, and it is tried again by itself"},
	JournalDamaged:    {"Records of the journal are damaged", Warning, false, "make a backup and export the sessions that scentpost session list shows as damaged, then replace the card or disk; all other records are good"},
	NamesLost:         {"Names of people and dogs were lost", Warning, false, "put station.db or names.json of a copy of the journal's folder back while the station is stopped, or restore a backup; until then records say who by reference alone"},
	JournalQuarantine: {"A damaged part of the journal was put aside", Warning, false, "keep the named file, and replace the card or disk"},
	EpochEnded:        {"A new epoch of the record began", Warning, false, "tell your authority: records before it end where it says"},
	BrokerAway:        {"The broker cannot be reached", Warning, false, "check the network and the broker's address; records wait and are not lost"},
	BrokerLogin:       {"The broker refuses the station's login", Warning, false, "set broker.user and the file of broker.password_file to what the broker knows; records wait and are not lost"},
	BrokerSecret:      {"A file for the login at the broker cannot be read", Warning, false, "put the file where the configuration says, readable for the daemon's account; it is read again at each attempt"},
	BrokerUntrusted:   {"The certificate at the broker is not trusted", Warning, false, "give the authority that signed it as broker.ca_file, and the name in it in broker.url; where the broker asks for a certificate, give broker.cert_file and broker.key_file"},
	BrokerForeign:     {"What answers at the broker's address does not speak MQTT", Warning, false, "check the port and the scheme of broker.url: 1883 is usual for tcp, 8883 for tls; look at what listens there"},
	BrokerDenied:      {"The broker denies the station a topic", Warning, false, "let the station's user read and write the topic in the broker's access list; records wait and are not lost"},
	BrokerSize:        {"The broker ends the connection at a message", Warning, false, "raise the broker's limit to the size that is named (mosquitto: max_packet_size, message_size_limit), or let the station's user write and read the topic that is named; the station sends smaller batches meanwhile"},
	BrokerUndelivered: {"The broker acknowledges records and does not deliver them", Warning, false, "let the station's user write and read the topic that is named, and messages of that size (mosquitto: message_size_limit); it is tried again by itself"},
	BrokerSharedID:    {"Another client seems to use the station's client id", Warning, false, "give each station a broker.client_id of its own, and end what else uses this one"},
	ReportHeld:        {"The station's disk holds up its reports", Fault, false, "look at the disk: space, permissions, faults; it is tried again by itself"},
	Rival:             {"Somebody else speaks for this station", Fault, false, "give each station a name and a key of its own, and end a copy of this one; where reports are held for it, then: scentpost station speak"},
	MetricsAway:       {"The metrics cannot be served", Warning, false, "end what else uses the port (ss -ltnp shows it), or give metrics.listen an address of this machine with a free port from 1024 on and start the daemon again; it is tried again by itself"},
	BoardWarm:         {"The board is warm", Warning, false, "give it shade and air: from 80 °C on a Raspberry Pi slows down"},
	BoardHot:          {"The board is so hot that it slows down", Fault, false, "give it shade and air, and end what else runs on it"},
	UnderVoltage:      {"The supply of the board is too low", Fault, false, "take a stronger supply and a shorter cable; a card may be damaged"},
	JournalReadOnly:   {"The journal's disk takes no writes", Stop, false, "take a copy of the journal, replace the card or disk, and start again"},
	KeyOpen:           {"The station's key is open to others", Warning, false, "give it to its owner alone, by the command that stands here; if a stranger may have read it, move the file away: the next start makes a new key, and begins an epoch that says so"},
	BoardLine:         {"Much goes wrong on a board's line", Warning, true, "take a shorter or shielded cable, and lay it away from motors; where no frame comes at all, set the speed that its firmware was built for (scentpost board info)"},
	BoardTime:         {"The times of a board's edges are uncertain", Warning, true, "where its converter gathers bytes (FTDI: 16 ms), set its latency_timer in /sys/bus/usb-serial/devices to 1; take it off a hub; end what else the machine does"},
	BoardClock:        {"A board's clock is wrong", Warning, true, "keep the board out of heat and cold; where that does not help, take another one, with a crystal if it can be had (scentpost board info says how far it is off)"},
	BoardStarted:      {"A board started by itself", Warning, true, "after a brown-out take a stronger supply and drive no motor from the board; after a watchdog report it with firmware and build (scentpost board info); a new start by its power ends this"},
	AidsMissing:       {"Aids are missing", Fault, false, "look for them, and report them as your authority asks; this is over when all aids of a later session are back"},
	SpaceLow:          {"The disk will be full soon", Warning, false, "export closed sessions and prune them, or free space on the disk"},
}

// Condition is one thing that is wrong, or was.
type Condition struct {
	Code Code `json:"code"`
	// On is what the condition is about ("canister-3b", "broker"), "" for the station as a whole.
	On       string   `json:"on,omitempty"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	// Evidence is what was seen, for those who mend it. It must tell nothing of a placement before the reveal.
	Evidence string `json:"evidence,omitempty"`
	// Todo says what to do.
	Todo string `json:"todo"`
	// Since is when it was first raised, as nanoseconds of UTC at that time.
	Since int64 `json:"since,string"`
	// Until is when it was over, 0 while it holds. Only what was over before it could be told has one.
	Until int64 `json:"until,string,omitempty"`
	// Times is how often it was raised.
	Times int `json:"times"`
}

// Known tells whether a code is in the table.
func Known(code Code) bool { _, ok := kinds[code]; return ok }

// Codes returns all codes, sorted.
func Codes() []Code {
	all := make([]Code, 0, len(kinds))
	for c := range kinds {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}
