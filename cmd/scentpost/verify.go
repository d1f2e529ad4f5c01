package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/station/event"
	"scentpost/station/history"
	"scentpost/station/record"
	"scentpost/station/signs"
	"scentpost/station/verify"
)

// verifyCmd checks a bundle again, offline.
type verifyCmd struct {
	Bundle     string   `arg:"" help:"The bundle, a zip as 'scentpost record export' writes it."`
	Key        []string `help:"A file with the station's verifier key; of several one must have signed." placeholder:"FILE" sep:"none"`
	Authority  []string `help:"A file with the verifier key of the second party; of several one must have answered." placeholder:"FILE" sep:"none"`
	Checkpoint []string `help:"A checkpoint kept elsewhere since it was made: a file, or its text." placeholder:"FILE|TEXT" sep:"none"`
	JSON       bool     `help:"Print JSON."`
}

// Run prints the report. A bundle that is not consistent is the answer no. One of another draft or law gets no report.
func (c verifyCmd) Run(out io.Writer) error {
	limits := record.DefaultLimits()
	bundle, err := readFile(c.Bundle, limits.Zip)
	if err != nil {
		return usage(err)
	}
	o := verify.Options{Limits: limits}
	for _, role := range []struct {
		files []string
		keys  *[]string
	}{{c.Key, &o.Keys}, {c.Authority, &o.Authorities}} {
		for _, name := range role.files {
			key, err := readVerifier(name)
			if err != nil {
				return usage(err)
			}
			*role.keys = append(*role.keys, key)
		}
	}
	for _, given := range c.Checkpoint {
		text, err := readCheckpoint(given)
		if err != nil {
			return usage(err)
		}
		o.Checkpoints = append(o.Checkpoints, text)
	}
	report := verify.Verify(bundle, o)
	if repacked := (*record.Repacked)(nil); errors.As(report.Unjudged, &repacked) {
		return program.Packed(fmt.Errorf("%s: %w", c.Bundle, repacked))
	}
	if report.Unjudged != nil {
		return fmt.Errorf("%s: %w", c.Bundle, report.Unjudged)
	}
	if c.JSON {
		err = printJSON(out, report)
	} else {
		err = printReport(out, report)
	}
	switch {
	case err != nil:
		return err
	case !report.Consistent:
		return no(program.ErrAnswered)
	case !report.Result.Finished():
		return program.Unfinished(program.ErrAnswered)
	}
	return nil
}

// maxKeyFile bounds the files of keys and checkpoints, in bytes.
const maxKeyFile = 8 << 10

// readFile reads a file of at most limit bytes.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, cannotRead(name, err)
	}
	defer f.Close()
	stat, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case stat.IsDir():
		return nil, fmt.Errorf("%s is a folder: name a file in it", name)
	case stat.Size() > limit:
		return nil, fmt.Errorf("%s has %d bytes, more than %d: this is not what was asked for", name, stat.Size(), limit)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, cannotRead(name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes: this is not what was asked for", name, limit)
	}
	return data, nil
}

func readVerifier(name string) (string, error) {
	data, err := readFile(name, maxKeyFile)
	if err != nil {
		return "", err
	}
	key := record.KeyText(data)
	if strings.HasPrefix(key, privatePrefix) {
		return "", fmt.Errorf("%s holds a private key: give the verifier key, which `scentpost key show %s` prints", name, name)
	}
	if _, err := record.ParseVerifier(key); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}

// readCheckpoint takes a file's name or the text itself, which a shell may have robbed of its last newline.
func readCheckpoint(given string) (string, error) {
	text := given
	if !strings.Contains(given, "\n") {
		data, err := readFile(given, maxKeyFile)
		if err != nil {
			return "", fmt.Errorf("checkpoint: %w (a checkpoint given as text has several lines)", err)
		}
		text = strings.TrimPrefix(string(data), signs.ByteOrderMark)
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text, nil
}

// printReport says first what limits all the rest.
func printReport(out io.Writer, r verify.Report) error {
	if r.Consistent && r.Signer == verify.Unknown {
		fmt.Fprintf(out, "SIGNER NOT CHECKED: nobody has said whose key this is; give it with --key\n")
	}
	if r.Simulated {
		fmt.Fprintln(out, "SIMULATED: no dog was tested")
	}
	if r.Consistent && r.Replay != verify.ReplayChecked && r.Result.Verdict.Verdict != "" {
		fmt.Fprintln(out, "REPLAY NOT CHECKED: outcomes and verdict are what the station says they are")
	}
	if r.Consistent && r.SecondParty == verify.Unknown {
		fmt.Fprintln(out, "AUTHORITY NOT CHECKED: who holds the station may have answered its own hash; give the authority's key with --authority")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	row("consistent", "%s", yesNo(r.Consistent))
	problems := func() error {
		for _, p := range r.Problems {
			row("PROBLEM", "%s", p.Error())
		}
		return w.Flush()
	}
	if r.Session == "" { // nothing of it could be read
		return problems()
	}
	row("session", "%s of %s/%s, epoch %s, %d records from %d", r.Session, r.Site, r.Station, r.Epoch, r.Records, r.From)
	row("signer", "%s: %.100q", r.Signer, r.Key)
	row("seed", "%s", seedText(r))
	if r.Seed != "" && !r.OpeningBound {
		row("opening", "NOT BOUND: plan, rule, team and people of this session were not known when the draw was answered")
	}
	row("witness", "%s", witnessText(r))
	row("replay", "%s", r.Replay)
	if r.UTC != "" {
		row("UTC", "of this session: %s", r.UTC)
	}
	if r.Result.Verdict.Verdict != "" {
		verdict := r.Result.Verdict
		if verdict.Rule == "" {
			row("verdict", "%s", verdict.Verdict)
		} else {
			row("verdict", "%s (%s)", verdict.Verdict, verdict.Rule)
		}
		row("figures", "%s", words.Figures(verdict))
	}
	if r.Result.State == history.Unfinished {
		row("state", "SESSION NOT ENDED: what came after the last record is not known")
	} else {
		row("state", "%s, %s", r.Result.State, r.Result.How)
	}
	if count, counted := r.Result.Aids(); counted {
		row("aids", "%s", count.Text())
	}
	return problems()
}

// printable takes out what a hostile bundle could steer a terminal with.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "NO"
}

func seedText(r verify.Report) string {
	switch event.SeedSource(r.Seed) {
	case event.Alone:
		return "draw chosen by the station alone"
	case event.Dice:
		return "station and dice"
	case event.TwoParty:
		return fmt.Sprintf("station and authority (two-party), %s: %.100q", r.SecondParty, r.Authority)
	}
	return "none: the session was not sealed"
}

func witnessText(r verify.Report) string {
	switch {
	case r.Witness == verify.WitnessNone:
		return "none: whoever holds the station's key could have written this record at any time"
	case r.BeforeFirstRun:
		return fmt.Sprintf("%s, before the first run; it holds the records up to %d", r.Witness, r.Witnessed-1)
	}
	return fmt.Sprintf("%s, but not before the first run; it holds the records up to %d", r.Witness, r.Witnessed-1)
}
