package package_test

import (
	"archive/tar"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// debsVariable names the folder that the packages were built into.
const debsVariable = "SCENTPOST_DEBS"

// architecture is one that a package is built for.
type architecture struct {
	name     string // Debian's
	machine  elf.Machine
	settings map[string]string // of Go's build
	// emulator runs its programs on this machine; a Pi Zero's processor is the least for armhf.
	emulator []string
}

var architectures = []architecture{
	{"amd64", elf.EM_X86_64, map[string]string{"GOARCH": "amd64", "GOAMD64": "v1"}, nil},
	{"arm64", elf.EM_AARCH64, map[string]string{"GOARCH": "arm64", "GOARM64": "v8.0"}, []string{"qemu-aarch64-static", "-cpu", "cortex-a53"}},
	{"armhf", elf.EM_ARM, map[string]string{"GOARCH": "arm", "GOARM": "6"}, []string{"qemu-arm-static", "-cpu", "arm1176"}},
}

// programs are the package's.
var programs = []string{"scentpostd", "scentpost", "scentsim"}

// deb is a built package.
type deb struct {
	architecture
	file    string
	version string
	files   map[string]*tar.Header // by path
	text    map[string][]byte
}

// read are the packages that were read already.
var read []deb

// debs returns the packages that were built, and skips the test where none were.
func debs(t *testing.T) []deb {
	t.Helper()
	if read != nil {
		return read
	}
	dir := os.Getenv(debsVariable)
	if dir == "" {
		t.Skip("needs the packages that `make test-deb` builds")
	}
	var all []deb
	for _, a := range architectures {
		found, err := filepath.Glob(filepath.Join(dir, "scentpost_*_"+a.name+".deb"))
		if err != nil || len(found) != 1 {
			t.Fatalf("packages for %s in %s: %q, want one (%v)", a.name, dir, found, err)
		}
		d := deb{architecture: a, file: found[0]}
		d.version = strings.TrimSpace(string(dpkgDeb(t, "--field", d.file, "Version")))
		d.files, d.text = unpack(t, dpkgDeb(t, "--fsys-tarfile", d.file))
		all = append(all, d)
	}
	read = all
	return all
}

func dpkgDeb(t *testing.T, args ...string) []byte {
	t.Helper()
	var wrong bytes.Buffer
	c := exec.Command("dpkg-deb", args...)
	c.Stderr = &wrong
	out, err := c.Output()
	if err != nil {
		t.Fatalf("dpkg-deb %s: %v\n%s", args, err, &wrong)
	}
	return out
}

// unpack returns what is in an archive, by path.
func unpack(t *testing.T, archive []byte) (files map[string]*tar.Header, text map[string][]byte) {
	t.Helper()
	files, text = map[string]*tar.Header{}, map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, text
		}
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimSuffix(strings.TrimPrefix(h.Name, "."), "/")
		files[path] = h
		if text[path], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// shipped are the files of the project that lie in the package as they are.
func shipped(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{
		"/usr/lib/systemd/system/scentpostd.service":       "../systemd/scentpostd.service",
		"/usr/lib/sysusers.d/scentpost.conf":               "sysusers.conf",
		"/usr/lib/udev/rules.d/99-scentpost-devices.rules": "udev.rules",
		"/usr/share/doc/scentpost/copyright":               "copyright",
		"/usr/share/doc/scentpost/README.md":               "../../README.md",
		"/usr/share/doc/scentpost/CHANGELOG.md":            "../../CHANGELOG.md",
	}
	for _, kind := range []string{"stations", "plans", "rules", "devices"} {
		examples, err := filepath.Glob("../" + kind + "/*.yaml")
		if err != nil || len(examples) == 0 {
			t.Fatalf("no examples of %s (%v)", kind, err)
		}
		for _, file := range examples {
			all["/usr/share/doc/scentpost/examples/"+kind+"/"+filepath.Base(file)] = file
		}
	}
	return all
}

// TestContents: each package holds these files and no others, of root, with these modes.
func TestContents(t *testing.T) {
	files := shipped(t)
	want := slices.Collect(maps.Keys(files))
	want = append(want, "/etc/scentpost", "/usr/share/doc/scentpost/licences")
	for _, p := range programs {
		want = append(want, "/usr/bin/"+p)
	}
	for _, d := range debs(t) {
		for path, h := range d.files {
			mode := fs.FileMode(0o644)
			switch {
			case h.Typeflag == tar.TypeDir:
				mode = 0o755
			case strings.HasPrefix(path, "/usr/bin/"):
				mode = 0o755
			}
			if h.Uid != 0 || h.Gid != 0 || h.Uname != "root" || h.Gname != "root" || h.FileInfo().Mode().Perm() != mode {
				t.Errorf("%s: %s is %s:%s, %o; root:root, %o wanted", d.name, path, h.Uname, h.Gname, h.Mode, mode)
			}
			if h.Typeflag != tar.TypeDir && !slices.Contains(want, path) {
				t.Errorf("%s: %s is in the package; nobody expects it", d.name, path)
			}
		}
		for _, path := range want {
			if d.files[path] == nil {
				t.Errorf("%s: %s is missing", d.name, path)
			}
		}
		for path, file := range files {
			text, err := os.ReadFile(file)
			if strings.HasPrefix(file, "../stations/") {
				text = installed(text)
			}
			if err != nil || !bytes.Equal(text, d.text[path]) {
				t.Errorf("%s: %s is not %s (%v)", d.name, path, file, err)
			}
		}
	}
}

// inTree is a path of an example station in the tree.
var inTree = regexp.MustCompile(`\.\./\.\./build/[^/]+/(\S+)`)

// installed returns an example station with the paths that the unit lets the daemon write to.
func installed(station []byte) []byte {
	var out []byte
	for line := range bytes.Lines(station) {
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			line = inTree.ReplaceAll(line, []byte("/run/scentpost/$1"))
			line = bytes.ReplaceAll(line, []byte("/run/scentpost/journal"), []byte("/var/lib/scentpost/journal"))
		}
		out = append(out, line...)
	}
	return out
}

// TestControl: what dpkg is told of each package, and the scripts that it runs.
func TestControl(t *testing.T) {
	for _, d := range debs(t) {
		for field, want := range map[string]string{"Package": "scentpost", "Architecture": d.name, "Depends": "systemd"} {
			if got := strings.TrimSpace(string(dpkgDeb(t, "--field", d.file, field))); got != want {
				t.Errorf("%s: %s is %q, want %q", d.name, field, got, want)
			}
		}
		files, text := unpack(t, dpkgDeb(t, "--ctrl-tarfile", d.file))
		for _, script := range []string{"preinst", "postinst", "prerm", "postrm"} {
			source, err := os.ReadFile(script)
			if err != nil || !bytes.Equal(source, text["/"+script]) && !bytes.Equal(source, text[script]) {
				t.Errorf("%s: the package's %s is another one (%v); it has %q", d.name, script, err, slices.Sorted(maps.Keys(files)))
			}
		}
		// No conffile: the station's configuration is the user's, and no upgrade asks about it.
		if conffiles := strings.TrimSpace(string(text["/conffiles"]) + string(text["conffiles"])); conffiles != "" {
			t.Errorf("%s: conffiles are %q", d.name, conffiles)
		}
	}
}

// TestLicences: the package holds the licence of each module that its programs are linked with.
func TestLicences(t *testing.T) {
	for _, d := range debs(t) {
		licences := string(d.text["/usr/share/doc/scentpost/licences"])
		for _, p := range programs {
			info, err := buildinfo.Read(bytes.NewReader(d.text["/usr/bin/"+p]))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range info.Deps {
				if !strings.Contains(licences, "\n==== "+m.Path+"\n") {
					t.Errorf("%s: %s is linked with %s, whose licence is not there", d.name, p, m.Path)
				}
			}
		}
		if !strings.Contains(licences, "\n==== Go\n") || strings.Count(licences, "Copyright") < strings.Count(licences, "\n==== ") {
			t.Errorf("%s: the licences say %d times Copyright", d.name, strings.Count(licences, "Copyright"))
		}
	}
}

// TestProgramsAreStatic: each program is for its package's machine and needs no library of it.
func TestProgramsAreStatic(t *testing.T) {
	for _, d := range debs(t) {
		for _, p := range programs {
			program := bytes.NewReader(d.text["/usr/bin/"+p])
			file, err := elf.NewFile(program)
			if err != nil {
				t.Fatalf("%s: %s: %v", d.name, p, err)
			}
			libraries, _ := file.ImportedLibraries() // an error where there is no dynamic section
			interpreted := slices.ContainsFunc(file.Progs, func(s *elf.Prog) bool { return s.Type == elf.PT_INTERP })
			if file.Machine != d.machine || interpreted || len(libraries) > 0 {
				t.Errorf("%s: %s is for %v, with an interpreter: %v, needs %q", d.name, p, file.Machine, interpreted, libraries)
			}
			info, err := buildinfo.Read(program)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, s := range info.Settings {
				got[s.Key] = s.Value
			}
			want := maps.Clone(d.settings)
			want["CGO_ENABLED"], want["-trimpath"], want["GOOS"] = "0", "true", "linux"
			for key, value := range want {
				if got[key] != value {
					t.Errorf("%s: %s was built with %s=%s, want %s", d.name, p, key, got[key], value)
				}
			}
		}
	}
}

// TestSecondBuildIsTheSame builds a package once more: of a copy in another folder, with another umask and time zone.
func TestSecondBuildIsTheSame(t *testing.T) {
	first := debs(t)[0]
	nfpm, err := filepath.Abs("../../build/tools/nfpm")
	if err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(t.TempDir(), "elsewhere")
	copyTree(t, "../..", tree)
	// In a shell, for the umask. The copy is no repository: what git says is handed on.
	c := exec.Command("sh", "-c", `umask 077; exec .ci/deb "$0" "$1" amd64`, nfpm, filepath.Join(tree, "out"))
	c.Dir = tree
	c.Env = append(os.Environ(), "DEB_VERSION="+first.version, "TZ=Pacific/Auckland", "LC_ALL=C.UTF-8",
		"SOURCE_DATE_EPOCH="+commitTime(t))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	again, err := os.ReadFile(filepath.Join(tree, "out", filepath.Base(first.file)))
	if err != nil {
		t.Fatal(err)
	}
	if was, err := os.ReadFile(first.file); err != nil || !bytes.Equal(was, again) {
		t.Errorf("two builds of %s differ (%v): see with diffoscope %s and another", filepath.Base(first.file), err, first.file)
	}
}

// commitTime is the time that the packages' files have.
func commitTime(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
	if err != nil {
		return "0" // as .ci/deb has it where there is no repository
	}
	return strings.TrimSpace(string(out))
}

// copyTree copies the project without what was made and without its history.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case name == "build" || name == ".git":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		state, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, state.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}
