package folder_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scentpost/station/folder"
)

const (
	east = folder.Folder("/data/east")
	key1 = "east+11111111+AQ"
	key2 = "east+22222222+AQ"
)

// TestJudge has a row for each way in which name, key and journal may or may not belong together.
func TestJudge(t *testing.T) {
	name := folder.Name{Site: "demo", Station: "east"}
	west := folder.Name{Site: "demo", Station: "west"}
	played := folder.Name{Site: "demo", Station: "east", Simulated: true}
	bound := &folder.Binding{Site: "demo", Station: "east", Key: key1, Journal: "e1"}
	own := &folder.Log{First: "e1"}
	foreign := func(of folder.Name, key string) *folder.Log {
		return &folder.Log{First: "x1", Read: true, Of: of, Key: key}
	}
	restored := func(l *folder.Log) *folder.Log { l.Restored = true; return l }
	for _, c := range []struct {
		what string
		seen folder.Seen
		want string // the journal and the key that are bound, "lost" for one that is to be made in the place of another; or a part of the refusal
	}{
		{"nothing is there", folder.Seen{}, " "},
		{"other files", folder.Seen{Others: []string{"film.mp4", "notes"}}, "the folder /data/east is not a station's: it holds film.mp4, notes: name a folder for this station alone as `data`, such as /data/east/east"},
		{"the folder of a journal", folder.Seen{Others: []string{"epoch-1.db", "meta.json"}}, "/data/east is the folder of a journal"},
		{"a key alone", folder.Seen{Key: key1, Others: []string{"notes"}}, " " + key1},
		{"the same as before", folder.Seen{Bound: bound, Key: key1, Log: own}, "e1 " + key1},
		{"files that somebody put there since", folder.Seen{Bound: bound, Key: key1, Log: own, Others: []string{"notes"}}, "e1 " + key1},
		{"the journal cannot be read now", folder.Seen{Bound: bound, Key: key1}, "e1 " + key1},
		{"bound before its first epoch", folder.Seen{Bound: &folder.Binding{Site: "demo", Station: "east", Key: key1}, Key: key1, Log: foreign(name, key1)}, "x1 " + key1},
		{"the binding is lost", folder.Seen{Key: key1, Log: foreign(name, key1)}, "x1 " + key1},
		{"the binding is lost, and the journal is of another station", folder.Seen{Key: key1, Log: foreign(west, key1)}, "the journal in /data/east/journal is that of station demo/west"},
		{"the binding is lost, and the key is another", folder.Seen{Key: key2, Log: foreign(name, key1)}, "/data/east/station.key is the key " + key2 + ", and the station's is " + key1},
		{"the folder of another station", folder.Seen{Bound: &folder.Binding{Site: "demo", Station: "west", Key: key1, Journal: "e1"}, Key: key1, Log: own}, "or, if this station has a new name, `scentpost station rename CONFIG`"},
		{"another site", folder.Seen{Bound: &folder.Binding{Site: "else", Station: "east"}}, "that of station else/east, the configuration is that of demo/east"},
		{"the folder of a simulation", folder.Seen{Bound: &folder.Binding{Site: "demo", Station: "east", Simulated: true}}, "what is simulated and what is not are never one record"},
		{"the key is lost", folder.Seen{Bound: bound, Log: own}, "e1 lost"},
		{"the key is damaged", folder.Seen{Bound: bound, BadKey: true, Log: own}, "e1 lost"},
		{"the key and the binding are lost", folder.Seen{Log: foreign(name, key1)}, "x1 lost"},
		{"all but the binding is lost", folder.Seen{Bound: bound}, "e1 lost"},
		{"a key that is none, and nothing else", folder.Seen{BadKey: true}, " lost"},
		{"another key", folder.Seen{Bound: bound, Key: key2, Log: own}, "if that one is lost, move this file away"},
		{"the key of a simulation", folder.Seen{Bound: bound, Key: "SIMULATED/" + key1, Log: own}, "is the key SIMULATED/"},
		{"renamed, and not started since", folder.Seen{Bound: bound, Key: key1, Log: &folder.Log{First: "e1", Read: true, Of: west, Key: key1}}, "e1 " + key1},
		{"another journal of our own", folder.Seen{Bound: bound, Key: key1, Log: foreign(name, key1)}, "x1 " + key1},
		{"the journal of another station of our name", folder.Seen{Bound: bound, Key: key1, Log: foreign(name, key2)}, "that of another station of the same name: the key " + key2 + " signed it"},
		{"the journal of another station", folder.Seen{Bound: bound, Key: key1, Log: foreign(west, key2)}, "the journal in /data/east/journal is that of station demo/west"},
		{"the journal of our simulation", folder.Seen{Bound: bound, Key: key1, Log: foreign(played, key1)}, "is that of station demo/east (simulated)"},
		{"restored without its key", folder.Seen{Bound: bound, Key: key1, Log: restored(foreign(name, key2))}, "x1 " + key1},
		{"restored with its key", folder.Seen{Bound: bound, Key: key2, Adopted: true, Log: restored(foreign(name, key2))}, "x1 " + key2},
		{"restored with its key, which is in its place", folder.Seen{Bound: bound, Key: key2, Log: restored(foreign(name, key2))}, "x1 " + key2},
		{"restored onto a machine without anything", folder.Seen{Log: restored(foreign(name, key1))}, "x1 lost"},
		{"restored is another station's", folder.Seen{Bound: bound, Key: key1, Log: restored(foreign(west, key1))}, "is that of station demo/west"},
	} {
		v, err := folder.Judge(east, name, c.seen)
		got := v.Bind.Journal + " " + v.Bind.Key
		if v.Lost {
			got = v.Bind.Journal + " lost"
		}
		if err != nil {
			if got = err.Error(); !errors.As(err, new(*folder.Refused)) {
				t.Errorf("%s: %v is no refusal", c.what, err)
			}
		}
		if err == nil && got != c.want || err != nil && !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// TestJudgingIsSettled: what is bound once is taken at the next start, and by no station of another name.
func TestJudgingIsSettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []folder.Name{{Site: "s", Station: "a"}, {Site: "s", Station: "b"}, {Site: "t", Station: "a"}, {Site: "s", Station: "a", Simulated: true}}
		of := rapid.SampledFrom(names).Draw(t, "name")
		keys := []string{"", "k1", "k2", "SIMULATED/k1"}
		seen := folder.Seen{Key: rapid.SampledFrom(keys).Draw(t, "key"), BadKey: rapid.Bool().Draw(t, "bad"), Adopted: rapid.Bool().Draw(t, "adopted")}
		if rapid.Bool().Draw(t, "bound") {
			was := rapid.SampledFrom(names).Draw(t, "bound name")
			seen.Bound = &folder.Binding{Site: was.Site, Station: was.Station, Simulated: was.Simulated, Key: rapid.SampledFrom(keys).Draw(t, "bound key"),
				Journal: rapid.SampledFrom([]string{"", "e1", "e2"}).Draw(t, "bound journal")}
		}
		if rapid.Bool().Draw(t, "journal") {
			seen.Log = &folder.Log{First: rapid.SampledFrom([]string{"e1", "e2"}).Draw(t, "first"), Read: true, Restored: rapid.Bool().Draw(t, "restored"),
				Of: rapid.SampledFrom(names).Draw(t, "of"), Key: rapid.SampledFrom(keys[1:]).Draw(t, "signed by")}
		}
		v, err := folder.Judge(east, of, seen)
		if err != nil {
			return
		}
		next := seen
		next.Bound, next.Adopted, next.BadKey = &v.Bind, false, false
		if next.Key = v.Bind.Key; next.Key == "" {
			next.Key = "new"
			if of.Simulated {
				next.Key = "SIMULATED/new"
			}
			next.Bound.Key = next.Key
		}
		if next.Log != nil {
			next.Log.Restored = false
		}
		again, err := folder.Judge(east, of, next)
		if err != nil || again.Bind != *next.Bound || again.Lost {
			t.Fatalf("%+v, then %+v: %v", *next.Bound, again, err)
		}
		for _, other := range names {
			if _, err := folder.Judge(east, other, next); (err == nil) != (other == of) {
				t.Fatalf("the folder of %s, asked for by %s: %v", of, other, err)
			}
		}
	})
}
