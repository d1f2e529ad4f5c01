package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scentpost/cmd/internal/program"
	"scentpost/configs"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/journal"
)

// stopped makes the journal of a station with one session that has ended, and returns its folder.
func stopped(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	folder := filepath.Join(dir, "journal")
	store, err := journal.Open(folder, journal.Options{Departed: filepath.Join(dir, "departed.json"), Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	read := func(kind configs.Kind, name string) (string, []byte) {
		file, src, err := configs.Files{}.Read(kind, name)
		if err != nil {
			t.Fatal(err)
		}
		return file, src
	}
	file, src := read(configs.Stations, "virtual-six")
	cfg, err := config.Read(file, src, catalog.Types())
	if err != nil {
		t.Fatal(err)
	}
	y, err := yard.New(yard.Options{Seed: 1, Secrets: 1, Config: cfg, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	plan, text := read(configs.Plans, "short")
	_, rule := read(configs.Rules, "uk-short-odour")
	if err := y.Prepare(plan, text, rule); err != nil {
		t.Fatal(err)
	}
	if err := y.Conduct(); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestAJournalIsReadWithoutADaemon: listed, exported and verified, whole and with a damaged record.
func TestAJournalIsReadWithoutADaemon(t *testing.T) {
	dir, out := stopped(t), t.TempDir()
	code, list, errs := scentpost("record", "list", "--journal", dir)
	if code != 0 || !strings.Contains(list, "completed") {
		t.Fatalf("%d, %s, %s", code, list, errs)
	}
	bundle := filepath.Join(out, "whole.zip")
	if code, said, errs := scentpost("record", "export", "--journal", dir, "-o", bundle); code != 0 || !strings.Contains(said, bundle) {
		t.Fatalf("%d, %s, %s", code, said, errs)
	}
	if code, said, errs := scentpost("verify", bundle); code != 0 {
		t.Errorf("the bundle: %d, %s, %s", code, said, errs)
	}
	found, err := filepath.Glob(filepath.Join(dir, "epoch-*.db"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(content, []byte(`"type":"scentpost.run.scored"`))
	content[at+10] ^= 1
	if err := os.WriteFile(found[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	bundle = filepath.Join(out, "damaged.zip")
	code, said, errs := scentpost("record", "export", "--journal", dir, "-o", bundle)
	rest := strings.TrimSuffix(bundle, ".zip") + ".rest.jsonl"
	if code != 0 || !strings.Contains(said, rest) || !strings.Contains(errs, "is damaged: the journal has lost record ") {
		t.Fatalf("%d, %s, %s", code, said, errs)
	}
	if text, err := os.ReadFile(rest); err != nil || !bytes.Contains(text, []byte("scentpost.session.scored")) {
		t.Errorf("the records after it: %s, %v", text, err)
	}
	if code, said, errs := scentpost("verify", bundle); code != program.ExitUnfinished || strings.Contains(said, "consistent       NO") {
		t.Errorf("the bundle up to it: %d, %s, %s", code, said, errs)
	}
	if code, _, errs := scentpost("record", "list", "--journal", out); code == 0 || !strings.Contains(errs, "there is no journal in") {
		t.Errorf("no journal: %d, %s", code, errs)
	}
}
