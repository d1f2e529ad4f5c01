package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/station/archive"
	"scentpost/station/control"
	"scentpost/station/history"
	"scentpost/station/journal"
	"scentpost/station/record"
)

// recordCmd takes sessions out of the journal.
type recordCmd struct {
	Export recordExport `cmd:"" help:"Write the bundle of a session that has ended."`
	List   recordList   `cmd:"" help:"List the sessions of the journal."`
	Repack recordRepack `cmd:"" help:"Pack a bundle as a station does, which somebody unpacked and packed again."`
}

type recordRepack struct {
	Bundle string `arg:"" help:"The bundle, a zip."`
	Out    string `short:"o" required:"" help:"The file to write." placeholder:"FILE"`
}

// Run packs the members of a bundle again as they are; whether they are true is for verify.
func (c recordRepack) Run(out io.Writer) error {
	limits := record.DefaultLimits()
	data, err := readFile(c.Bundle, limits.Zip)
	if err != nil {
		return usage(err)
	}
	members, _, err := record.Repack(data, limits)
	if err != nil {
		return no(fmt.Errorf("%s: %w", c.Bundle, err))
	}
	var packed bytes.Buffer
	if err := record.WriteZip(&packed, members); err != nil {
		return no(err)
	}
	if err := createNew("the bundle", c.Out, packed.Bytes(), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, c.Out)
	return err
}

// folderFlag names a journal that is read without a daemon.
type folderFlag struct {
	Journal string `help:"A journal's folder, to be read without the daemon: one that was put aside or replaced, a copy, or that of a card from another machine. Nothing in it is changed." placeholder:"FOLDER"`
}

// answer gives a request to the daemon, or answers it from the folder where one is named.
func (f folderFlag) answer(d daemon, r control.Request) (control.Response, error) {
	if f.Journal == "" {
		return d.ask(r)
	}
	response, err := f.read(r)
	if err != nil {
		return response, no(unreadable(err))
	}
	return response, nil
}

// read answers a list or an export from the folder. Names come with it: whoever may read the folder may read them.
func (f folderFlag) read(r control.Request) (out control.Response, err error) {
	logs, err := journal.Read(f.Journal)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	a := archive.New(logs)
	if out.List, err = a.Sessions(); err != nil {
		return out, err
	}
	out.OK = true
	if r.Command == "list" {
		out.PutAside, err = a.PutAside()
		return out, err
	}
	damage, err := a.Damage(r.Session)
	if err != nil {
		return out, err
	}
	if len(damage.Missing) > 0 {
		out.Damage = &damage
	}
	if out.Name, out.Bundle, err = a.Export(r.Session, true); out.Damage != nil {
		err = nil // what could be read is told of
	}
	for _, s := range out.List {
		if r.Session == "" || s.ID == r.Session {
			out.Unfinished, out.Simulated = s.State == history.Unfinished, s.Simulated
		}
	}
	return out, err
}

// recordList is sessionList, of any journal.
type recordList struct {
	sessionList
	folderFlag
}

// Run lists the sessions.
func (c recordList) Run(out io.Writer) error {
	response, err := c.answer(c.daemon, control.Request{Command: "list"})
	if err != nil {
		return err
	}
	return c.print(out, response)
}

type recordExport struct {
	daemon
	folderFlag
	Session string `arg:"" optional:"" help:"The session; the last one when not given."`
	Out     string `short:"o" help:"The file to write, by default the bundle's own name in this folder." placeholder:"FILE"`
}

// Run writes a bundle to a new file.
func (c recordExport) Run(s program.Streams) error {
	response, err := c.answer(c.daemon, control.Request{Command: "export", Session: c.Session})
	if err != nil {
		return err
	}
	name := c.Out
	if name == "" {
		name = filepath.Base(response.Name)
	}
	if response.Damage != nil {
		return c.damaged(s, name, response)
	}
	if err := createNew("the bundle", name, response.Bundle, 0o644); err != nil {
		return err
	}
	if response.Simulated && !c.JSON {
		fmt.Fprintln(s.Err, words.Simulated) // what is on standard output is the name of the file
	}
	if response.Unfinished {
		fmt.Fprintln(s.Err, "scentpost: the session has not ended: this bundle holds it as far as it is signed; export it again after the reveal")
	}
	if c.JSON {
		return printJSON(s.Out, map[string]string{"bundle": name})
	}
	_, err = fmt.Fprintln(s.Out, name)
	return err
}

// damaged writes what can be read of a session that is damaged: the bundle up to the damage, and beside it the lines after it.
func (c recordExport) damaged(s program.Streams, name string, response control.Response) error {
	d := response.Damage
	if len(response.Bundle) == 0 && c.Out == "" {
		name = "scentpost-" + filepath.Base(d.Session) + ".zip"
	}
	rest := strings.TrimSuffix(name, ".zip") + ".rest.jsonl"
	written := map[string]string{"rest": rest}
	if err := createNew("the records after the damage", rest, d.Rest, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "scentpost: session %s is damaged: the journal has lost record %s\n", d.Session, d.Text())
	if len(response.Bundle) > 0 {
		if err := createNew("the bundle", name, response.Bundle, 0o644); err != nil {
			return err
		}
		written["bundle"] = name
		fmt.Fprintf(s.Err, "scentpost: the bundle holds it as far as it is signed before that, and can be verified; %s has the records after it as they are stored\n", rest)
	} else {
		fmt.Fprintf(s.Err, "scentpost: nothing before that is signed, so there is no bundle; %s has the records after it as they are stored\n", rest)
	}
	if c.JSON {
		return printJSON(s.Out, written)
	}
	for _, file := range []string{written["bundle"], rest} {
		if file != "" {
			fmt.Fprintln(s.Out, file)
		}
	}
	return nil
}

func printSessions(out io.Writer, list []history.Listed) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "SESSION\tEPOCH\tOPENED\tPLAN\tMODE\tSEALED\tRUNS\tHOW\tAIDS\tUTC")
	for _, s := range list {
		sealed := "no"
		if s.Sealed {
			sealed = "yes"
		}
		utc := s.Clock.Text(func(string) string { return "a named person" })
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.ID, s.Epoch, s.Opened, s.Plan, s.Mode, sealed, s.Armed, endText(s), aidsText(s.Line), utc)
	}
}

// endText says how a session ended.
func endText(s history.Listed) string {
	switch {
	case s.Fault != "":
		return "cannot be read to its end: " + s.Fault
	case s.EpochEnded != "":
		return "aborted: its epoch ended (" + s.EpochEnded + ")"
	case s.How == "":
		return "in progress"
	}
	return string(s.How)
}

// aidsText says how many aids came back.
func aidsText(l history.Line) string {
	count, counted := l.Aids()
	if !counted {
		return "not counted"
	}
	return count.Text()
}

// printAside lists the journals that this version cannot read.
func printAside(out io.Writer, list []history.Aside) {
	for _, a := range list {
		sessions := "sessions not counted"
		if a.Sessions >= 0 {
			sessions = many(int64(a.Sessions), "session")
		}
		if a.Unfinished != "" {
			sessions += " (" + a.Unfinished + " had not ended)"
		}
		fmt.Fprintf(out, "put aside: draft %d, %s, %s: only the version that wrote it can list and export them\n", a.Draft, sessions, a.Folder)
	}
}
