package main

import (
	"bufio"
	"bytes"
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

// open opens the folder; end closes it.
func (f folderFlag) open() (a *archive.Archive, end func(), err error) {
	logs, err := journal.Read(f.Journal)
	if err != nil {
		return nil, nil, no(unreadable(err))
	}
	return archive.New(logs), func() { _ = logs.Close() }, nil
}

// list answers a list from the folder.
func (f folderFlag) list() (out control.Response, err error) {
	a, end, err := f.open()
	if err != nil {
		return out, err
	}
	defer end()
	out.OK = true
	if out.List, err = a.Sessions(); err == nil {
		out.PutAside, err = a.PutAside()
	}
	if err != nil {
		return out, no(unreadable(err))
	}
	return out, nil
}

// export gives use an export from the folder. Names come with it: whoever may read the folder may read them.
func (f folderFlag) export(session string, use func(control.Response) error) error {
	a, end, err := f.open()
	if err != nil {
		return err
	}
	defer end()
	list, err := a.Sessions()
	if err != nil {
		return no(unreadable(err))
	}
	e, err := a.Export(session, true)
	if err != nil {
		return no(unreadable(err))
	}
	out := control.Response{OK: true, Name: e.Name, Export: &e}
	if e.Damage.Any() {
		out.Damage = &e.Damage
	}
	for _, s := range list {
		if s.ID == e.Session {
			out.Unfinished, out.Simulated = s.State == history.Unfinished, s.Simulated
		}
	}
	return use(out)
}

// recordList is sessionList, of any journal.
type recordList struct {
	sessionList
	folderFlag
}

// Run lists the sessions.
func (c recordList) Run(out io.Writer) error {
	ask := func() (control.Response, error) { return c.ask(control.Request{Command: "list"}) }
	if c.Journal != "" {
		ask = c.list
	}
	response, err := ask()
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
	keep := func(r control.Response) error { return c.keep(s, r) }
	if c.Journal != "" {
		return c.folderFlag.export(c.Session, keep)
	}
	return c.daemon.export(c.Session, keep)
}

// keep writes the files of an export.
func (c recordExport) keep(s program.Streams, response control.Response) error {
	name := c.Out
	if name == "" {
		name = filepath.Base(response.Name)
	}
	if response.Damage != nil {
		return c.damaged(s, name, response)
	}
	if err := fillNew("the bundle", name, 0o644, response.Export.Bundle); err != nil {
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
	_, err := fmt.Fprintln(s.Out, name)
	return err
}

// damaged writes what can be read of a session that is damaged: the bundle up to the damage, and beside it the lines after it.
func (c recordExport) damaged(s program.Streams, name string, response control.Response) error {
	d, e := response.Damage, response.Export
	if e.Bundle == nil && c.Out == "" {
		name = "scentpost-" + filepath.Base(d.Session) + ".zip"
	}
	rest := strings.TrimSuffix(name, ".zip") + ".rest.jsonl"
	written := map[string]string{"rest": rest}
	fmt.Fprintf(s.Err, "scentpost: session %s is damaged: the journal has lost %s\n", d.Session, d.Text())
	if e.Bundle != nil {
		if err := fillNew("the bundle", name, 0o644, e.Bundle); err != nil {
			return err
		}
		written["bundle"] = name
	}
	if err := fillNew("the records after the damage", rest, 0o644, e.Rest); err != nil {
		return err
	}
	if e.Bundle != nil {
		fmt.Fprintf(s.Err, "scentpost: the bundle holds it as far as it is signed before that, and can be verified; %s has the records after it as they are stored\n", rest)
	} else {
		fmt.Fprintf(s.Err, "scentpost: nothing before that is signed, so there is no bundle; %s has its other records as they are stored\n", rest)
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
	page := bufio.NewWriter(out) // the table writes each cell by itself
	defer page.Flush()
	w := tabwriter.NewWriter(page, 0, 0, 2, ' ', 0)
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
