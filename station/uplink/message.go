package uplink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Topics are the names that one station reports under. Make them with NewTopics.
type Topics struct {
	// Status says online or offline; retained, and the will of each connection.
	Status string
	// Info says what the station is (versions, public key, devices); retained.
	Info string
	// State is the blind-safe state and the size that has left the station; retained, and read back at each connect.
	State string
	// Journal carries batches of public lines, exactly as stored.
	Journal string
	// Fence is written and read by the station alone: its return tells that the retained state, had there been one,
	// would have come. A broker's access list must allow the station both.
	Fence string
}

// maxTopicWord bounds a site's or station's name in a topic, in bytes; MQTT itself allows 65,535 for the whole topic.
const maxTopicWord = 128

// NewTopics returns the topics of a station. An empty or overlong name, and one with a character that MQTT gives a
// meaning (/ + # and controls), is refused.
func NewTopics(site, station string) (Topics, error) {
	for _, word := range []struct{ field, value string }{{"site", site}, {"station", station}} {
		if err := checkTopicWord(word.value); err != nil {
			return Topics{}, fmt.Errorf("uplink: %s %q cannot stand in an MQTT topic: %w", word.field, word.value, err)
		}
	}
	prefix := "scentpost/v1/" + site + "/" + station + "/"
	return Topics{
		Status: prefix + "status", Info: prefix + "info", State: prefix + "state",
		Journal: prefix + "journal", Fence: prefix + "fence",
	}, nil
}

func checkTopicWord(word string) error {
	switch {
	case word == "":
		return fmt.Errorf("it is empty: give it a name")
	case len(word) > maxTopicWord:
		return fmt.Errorf("it has %d bytes, at most %d are allowed", len(word), maxTopicWord)
	case strings.ContainsAny(word, "/+#"):
		return fmt.Errorf("leave out / + and #")
	case strings.ContainsFunc(word, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '�' }):
		return fmt.Errorf("leave out control characters and what is not UTF-8")
	}
	return nil
}

// Departed is how much of a log may have left the station: the first Size records of Epoch. It is a bound from
// above: a journal that is behind it has lost its tail or was restored, and may never send under that epoch again.
type Departed struct {
	// Epoch is the log's random identity; empty when nothing has left yet.
	Epoch string `json:"epoch"`
	// Size is a number of records.
	Size int64 `json:"size,string"`
}

// Behind tells whether the journal of epoch, with size records, is behind what has departed. past are the epochs
// known to have ended for ever: whatever departed under them ends nothing more. An unknown epoch means that this
// journal was restored from before that epoch began, or that another station bears the same name.
func (d Departed) Behind(epoch string, size int64, past []string) bool {
	switch {
	case d.Epoch == "":
		return false
	case d.Epoch == epoch:
		return d.Size > size
	}
	for _, ended := range past {
		if ended == d.Epoch {
			return false
		}
	}
	return true
}

// appendState appends the retained state message: what has departed, and the blind-safe state as it was given.
func appendState(dst []byte, departed Departed, state []byte) []byte {
	dst = append(dst, `{"epoch":`...)
	dst = append(dst, jsonString(departed.Epoch)...)
	dst = append(dst, `,"size":"`...)
	dst = strconv.AppendInt(dst, departed.Size, 10)
	dst = append(dst, `","state":`...)
	if len(state) == 0 {
		state = []byte("null")
	}
	dst = append(dst, state...)
	return append(dst, '}')
}

func jsonString(s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // cannot happen: a string always marshals
	}
	return quoted
}

// maxState bounds a retained state message that is read back, in bytes: ours stay far below.
const maxState = 1 << 20

// ParseState reads the retained state message of a station: what it says has departed. Anything else than such a
// message (of this version) is an error.
func ParseState(payload []byte) (Departed, error) {
	var message struct {
		Departed
		State json.RawMessage `json:"state"`
	}
	if len(payload) > maxState {
		return Departed{}, fmt.Errorf("uplink: retained state has %d bytes, at most %d are read", len(payload), maxState)
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&message); err != nil {
		return Departed{}, fmt.Errorf("uplink: retained state is not one of ours: %w", err)
	}
	if dec.More() || message.Epoch == "" || message.Size < 0 || message.State == nil {
		return Departed{}, fmt.Errorf(`uplink: retained state is not one of ours: want {"epoch","size","state"}`)
	}
	return message.Departed, nil
}

// appendStatus appends the birth (online) or the will. A will can overtake the birth of a newer connection: who
// reads both believes the higher session.
func appendStatus(dst []byte, online bool, session int64) []byte {
	dst = append(dst, `{"online":`...)
	dst = strconv.AppendBool(dst, online)
	dst = append(dst, `,"session":"`...)
	dst = strconv.AppendInt(dst, session, 10)
	return append(dst, `"}`...)
}
