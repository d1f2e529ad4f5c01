package journal

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzNoteHead(f *testing.F) {
	f.Add([]byte("scentpost/x\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\nsignature"))
	f.Add([]byte("a\n-1\n\n\n"))
	f.Add([]byte("\n\n\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if size, _, ok := noteHead(text); ok && size < 0 {
			t.Errorf("size %d", size)
		}
	})
}

// FuzzDeparted: whatever lies in the file, it is taken whole or refused, and what was taken can be written again.
func FuzzDeparted(f *testing.F) {
	f.Add([]byte(`{"version":1,"epoch":"e1","size":"7","root":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","starts":"3"}`))
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "departed")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		d, found, err := loadDeparted(path)
		if !found || err != nil {
			return
		}
		if err := d.started(d.Load().Epoch, d.Load().Starts); err != nil {
			t.Fatal(err)
		}
		again, _, err := loadDeparted(path)
		if err != nil || again.Load() != d.Load() {
			t.Errorf("%+v, then %+v (%v)", d.Load(), again.Load(), err)
		}
	})
}

// FuzzMeta: no id that could leave the folder comes out of the list of epochs.
func FuzzMeta(f *testing.F) {
	f.Add([]byte(`{"version":1,"epochs":[{"id":"e1","why":"first","prev_size":0}]}`))
	f.Add([]byte(`{"version":1,"epochs":[{"id":"../../e"}]}`))
	f.Add([]byte(`{"version":1,"epochs":[{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(metaPath(dir), text, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := loadMeta(dir)
		if err != nil {
			return
		}
		for _, id := range m.ids() {
			if filepath.Dir(epochPath(dir, id)) != dir {
				t.Errorf("epoch %q leaves the folder", id)
			}
		}
	})
}
