package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/station/blind"
	"scentpost/station/record"
)

type keyAnswer struct {
	Key     string `required:"" help:"The file of the authority's private key." placeholder:"FILE"`
	Station string `help:"The file of the station's verifier key: a request that it did not sign is refused." placeholder:"FILE"`
	Log     string `help:"The file that keeps which requests were answered, by default the key's with .answers behind." placeholder:"FILE"`
	Request string `arg:"" help:"The station's request, as 'session request' writes it."`
	JSON    bool   `help:"Print JSON."`
}

// answered is one line of the file of answers.
type answered struct {
	At      time.Time `json:"at"`
	Station string    `json:"station"` // the key that signed the request: "<name>+<key id>"
	Request string    `json:"request"` // SHA-256 of its text
}

// Run signs a station's request. The same request has the same answer, however often it is asked for. Each request of a station
// is a draw that it began: the authority is told how many there were, since who has many draws may choose.
func (c keyAnswer) Run(s program.Streams) error {
	text, station, err := c.request()
	if err != nil {
		return usage(fmt.Errorf("%s: %w", c.Request, err))
	}
	private, err := readFile(c.Key, maxKeyFile)
	if err != nil {
		return usage(err)
	}
	answer, err := blind.Answer(record.KeyText(private), text)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", c.Key, err))
	}
	log := c.Log
	if log == "" {
		log = c.Key + ".answers"
	}
	sum := sha256.Sum256([]byte(text))
	count, again, err := count(log, answered{time.Now().UTC(), station, hex.EncodeToString(sum[:])})
	if err != nil {
		return no(fmt.Errorf("%s: %w: nothing was answered, since nobody would know of it", log, err))
	}
	if c.JSON {
		return printJSON(s.Out, map[string]any{"answer": answer, "station": station, "requests": count, "again": again, "signature_checked": c.Station != ""})
	}
	if c.Station == "" {
		fmt.Fprintln(s.Err, "STATION NOT CHECKED: anybody can write such a request; give the station's key with --station")
	}
	if again {
		fmt.Fprintf(s.Err, "scentpost: this request was answered before, with the same answer\n")
	}
	fmt.Fprintf(s.Err, "scentpost: the key %s has asked for %s\n", station, plural(count, "draw"))
	_, err = fmt.Fprintln(s.Out, answer)
	return err
}

// request reads the request and says which key signed it.
func (c keyAnswer) request() (text, station string, err error) {
	note, err := readFile(c.Request, maxKeyFile)
	if err != nil {
		return "", "", err
	}
	if text, station, err = record.ReadNote(note); err != nil {
		return "", "", fmt.Errorf("the request %w", err)
	}
	if !blind.IsRequest(text) {
		return "", "", errors.New("this is no request of a station: want what `scentpost session request` writes")
	}
	if c.Station == "" {
		return text, station, nil
	}
	key, err := readVerifier(c.Station)
	if err != nil {
		return "", "", err
	}
	if _, err := record.VerifyNote(note, key); err != nil {
		return "", "", fmt.Errorf("the request %w", err)
	}
	return text, station, nil
}

// count notes an answer durably, if it is a new one, and returns how many requests its station has made, and whether this one
// was answered before.
func count(log string, a answered) (requests int, again bool, err error) {
	seen := map[string]bool{}
	old, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, false, cannotRead(log, err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(old), "\n"), "\n") {
		if line == "" {
			continue
		}
		var was answered
		if err := json.Unmarshal([]byte(line), &was); err != nil || was.Request == "" {
			return 0, false, fmt.Errorf("line %d is no answer: mend or move the file", i+1)
		}
		if was.Station == a.Station {
			seen[was.Request] = true
		}
	}
	if seen[a.Request] {
		return len(seen), true, nil
	}
	line, err := json.Marshal(a)
	if err != nil {
		return 0, false, err
	}
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, false, err
	}
	_, err = f.Write(append(line, '\n'))
	return len(seen) + 1, false, errors.Join(err, f.Sync(), f.Close())
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
