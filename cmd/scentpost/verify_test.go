package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"scentpost/cmd/internal/program"
	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/record"
	"scentpost/station/trial"
	"scentpost/station/verify"
)

// scentpost runs the program and returns its exit code and what it wrote.
func scentpost(args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = run(args, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// verifiable writes a bundle of a session with three records, the station's verifier key and its checkpoint into a
// new folder.
func verifiable(t *testing.T, keyName string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	log := record.Log{Site: "site", Station: "line-1", Epoch: "e1"}
	private, key, err := record.NewKey(bytes.NewReader(make([]byte, 32)), keyName)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := record.NewSigner(log, private)
	if err != nil {
		t.Fatal(err)
	}
	simulated := signer.Simulated()
	var tree record.Tree
	var chain record.Chain
	stored := []tlog.Hash{}
	b := record.Bundle{Log: log, Session: "s-1", Key: key}
	_, load, _ := blind.Load(blind.Binding{Station: log.Station, Epoch: log.Epoch, SetUp: "0123456789abcdef"}, nil, nil, [32]byte{}, [32]byte{})
	hash := sha256.Sum256(nil)
	for seq, e := range []event.Event{
		{Type: event.EpochBegan, Body: &event.Epoch{Draft: event.Draft, Site: "site", Why: "first", Key: key, Simulated: simulated}},
		{Type: event.SessionOpened, Session: "s-1", Body: &event.Opening{Name: "p", PlanHash: hex.EncodeToString(hash[:]), Draft: event.Draft, Laws: trial.Laws(), Simulated: simulated}},
		{Type: event.Noted, Session: "s-1", Body: &event.Why{Reason: "rain"}},
		{Type: event.SessionLoaded, Session: "s-1", Body: load},
	} {
		e.At.Quality = event.Synced
		r := record.Record{Site: "site", Station: "line-1", Epoch: "e1", Seq: int64(seq), Event: e}
		if event.IsSealed(e.Type) {
			r.Sealed = [32]byte{1}
		}
		chain.Link(&r)
		line, err := record.Encode(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		stored = tree.AppendLeaf(stored, record.LeafHash(line))
		chain.Add(&r, record.LeafHash(line))
		b.Epoch = append(b.Epoch, line[:len(line)*(1-min(seq, 1))]...)
		if seq > 0 {
			b.Lines = append(b.Lines, line)
		}
	}
	note, err := signer.Checkpoint(tree.Size(), tree.Root())
	if err != nil {
		t.Fatal(err)
	}
	b.Checkpoints = []record.Checkpoint{{Size: tree.Size(), Why: "load", Note: string(note)}}
	b, err = record.Assemble(b, tlog.HashReaderFunc(func(ids []int64) (out []tlog.Hash, _ error) {
		for _, id := range ids {
			out = append(out, stored[id])
		}
		return out, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	var zip bytes.Buffer
	if err := record.Write(&zip, b); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "bundle.zip", zip.String())
	put(t, dir, "station.pub", key+"\n")
	put(t, dir, "station.key", private+"\n")
	put(t, dir, "paper", string(note))
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVerifySaysFirstThatTheSignerIsNotChecked(t *testing.T) {
	t.Chdir(verifiable(t, "line-1"))
	code, out, errs := scentpost("verify", "bundle.zip")
	if code != program.ExitUnfinished || !strings.HasPrefix(out, "SIGNER NOT CHECKED") || errs != "" {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	if !strings.Contains(out, "SESSION NOT ENDED") {
		t.Errorf("an unfinished session is not called so:\n%s", out)
	}
	code, out, _ = scentpost("verify", "bundle.zip", "--key", "station.pub")
	if code != program.ExitUnfinished || strings.Contains(out, "SIGNER NOT CHECKED") || strings.Contains(out, "SIMULATED") {
		t.Errorf("%d\n%s", code, out)
	}
}

// TestVerifyOfAnotherDraftSaysOneSentence and no verdict, as text and as JSON alike.
func TestVerifyOfAnotherDraftSaysOneSentence(t *testing.T) {
	t.Chdir(t.TempDir())
	var z bytes.Buffer
	err := record.WriteZip(&z, []record.Member{{Name: record.MemberEpoch, Data: fmt.Appendf(nil, `{"type":"scentpost.epoch.began","data":{"draft":%d}}`, event.Draft+1)}})
	if err != nil {
		t.Fatal(err)
	}
	put(t, ".", "later.zip", z.String())
	want := fmt.Sprintf("scentpost: later.zip: made under draft %d, this program reads draft %d: use the version that wrote it\n", event.Draft+1, event.Draft)
	for _, args := range [][]string{{"verify", "later.zip"}, {"verify", "--json", "later.zip"}} {
		if code, out, errs := scentpost(args...); code != program.ExitDraft || out != "" || errs != want {
			t.Errorf("%q: exit %d, %q, %q; want %q", args, code, out, errs, want)
		}
	}
}

func TestVerifyMarksWhatIsSimulated(t *testing.T) {
	t.Chdir(verifiable(t, record.SimulatedPrefix+"line-1"))
	code, out, _ := scentpost("verify", "bundle.zip", "--key", "station.pub")
	if code != program.ExitUnfinished || !strings.HasPrefix(out, "SIMULATED") {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestVerifyTakesACheckpointAsFileAndAsText(t *testing.T) {
	t.Chdir(verifiable(t, "line-1"))
	text, err := os.ReadFile("paper")
	if err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{"paper", string(text), strings.TrimSuffix(string(text), "\n")} {
		code, out, errs := scentpost("verify", "bundle.zip", "--json", "--checkpoint", given)
		var r verify.Report
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err, out, errs)
		}
		if code != program.ExitUnfinished || r.Witness != verify.WitnessPaper || !r.Consistent {
			t.Errorf("%q: %d\n%s", given, code, out)
		}
	}
	code, out, _ := scentpost("verify", "bundle.zip", "--checkpoint", strings.Replace(string(text), "\n4\n", "\n3\n", 1))
	if code != program.ExitNo || !strings.Contains(out, "the checkpoint 1 that you gave") {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestVerifySaysNo(t *testing.T) {
	t.Chdir(verifiable(t, "line-1"))
	if code, _, errs := scentpost("key", "new", "other"); code != program.ExitFine {
		t.Fatal(errs)
	}
	if code, out, _ := scentpost("key", "show", "other.key"); code != program.ExitFine {
		t.Fatal(out)
	} else {
		put(t, ".", "other.pub", out)
	}
	code, out, _ := scentpost("verify", "bundle.zip", "--key", "other.pub")
	if code != program.ExitNo || !strings.Contains(out, "no station's key that you gave") || strings.Contains(out, "SIGNER NOT CHECKED") {
		t.Errorf("%d\n%s", code, out)
	}
	data, err := os.ReadFile("bundle.zip")
	if err != nil {
		t.Fatal(err)
	}
	put(t, ".", "changed.zip", strings.Replace(string(data), `"rain"`, `"ruin"`, 1))
	if code, out, _ := scentpost("verify", "changed.zip"); code != program.ExitNo || !strings.Contains(out, "records.jsonl") {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestVerifyRefusesWrongUse(t *testing.T) {
	t.Chdir(verifiable(t, "line-1"))
	put(t, ".", "long", strings.Repeat("x", maxKeyFile+1))
	for _, args := range [][]string{
		{"verify"},
		{"verify", "missing.zip"},
		{"verify", "."},
		{"verify", "bundle.zip", "--key", "missing"},
		{"verify", "bundle.zip", "--key", "station.key"}, // the private one
		{"verify", "bundle.zip", "--key", "long"},
		{"verify", "bundle.zip", "--key", "paper"},
		{"verify", "bundle.zip", "--checkpoint", "missing"},
		{"verify", "bundle.zip", "--what"},
	} {
		if code, out, errs := scentpost(args...); code != program.ExitUsage || out != "" || errs == "" || strings.Contains(errs, "PRIVATE+KEY") {
			t.Errorf("%v: %d\n%s%s", args, code, out, errs)
		}
	}
}

func TestAHostileBundleSteersNoTerminal(t *testing.T) {
	if got := printable("a\x1b[2Jb\u202ec\nd Đ"); strings.ContainsAny(got, "\x1b\n\u202e") || !strings.Contains(got, "Đ") {
		t.Errorf("%q", got)
	}
}

// TestABundleThatAMacPackedAgain is no forgery: exit 5, with the command that mends it, which changes nothing of its members.
func TestABundleThatAMacPackedAgain(t *testing.T) {
	t.Chdir(verifiable(t, "line-1"))
	bundle, err := os.ReadFile("bundle.zip")
	if err != nil {
		t.Fatal(err)
	}
	members, err := record.ReadZip(bundle, record.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, m := range append(members, record.Member{Name: ".DS_Store"}) {
		w, err := z.Create("bundle/" + m.Name)
		if err == nil {
			_, err = w.Write(m.Data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, ".", "mac.zip", packed.String())
	for _, args := range [][]string{{"verify", "mac.zip"}, {"verify", "--json", "mac.zip"}} {
		code, out, errs := scentpost(args...)
		if code != program.ExitPacked || out != "" || !strings.Contains(errs, "mac.zip: packed differently than a station packs a bundle: its members lie in the folder bundle/") {
			t.Errorf("%q: exit %d, %q, %q", args, code, out, errs)
		}
	}
	if code, out, errs := scentpost("record", "repack", "mac.zip", "-o", "again.zip"); code != program.ExitFine || out != "again.zip\n" {
		t.Fatalf("exit %d, %q, %q", code, out, errs)
	}
	before, said, _ := scentpost("verify", "bundle.zip", "--key", "station.pub")
	after, again, _ := scentpost("verify", "again.zip", "--key", "station.pub")
	if before != after || said != again {
		t.Errorf("exit %d and %d, %q and %q", before, after, said, again)
	}
	if code, _, _ := scentpost("record", "repack", "station.pub", "-o", "none.zip"); code != program.ExitNo {
		t.Errorf("what is no zip: exit %d", code)
	}
}

// TestAnOpeningThatNothingBindsIsSaid: a team that was opened after the draw was answered could have been chosen by it.
func TestAnOpeningThatNothingBindsIsSaid(t *testing.T) {
	for _, bound := range []bool{false, true} {
		var out bytes.Buffer
		if err := printReport(&out, verify.Report{Session: "s-1", Seed: string(event.Dice), OpeningBound: bound, Consistent: true}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "NOT BOUND") == bound {
			t.Errorf("bound %t:\n%s", bound, out.String())
		}
	}
}
