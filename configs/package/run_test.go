package package_test

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgramsRun starts the programs of each package on its machine, or on an emulated one.
func TestProgramsRun(t *testing.T) {
	for _, d := range debs(t) {
		t.Run(d.name, func(t *testing.T) {
			dir := t.TempDir()
			station := filepath.Join(dir, "station.yaml")
			for _, p := range programs {
				file := filepath.Join(dir, p)
				if err := os.WriteFile(file, d.text["/usr/bin/"+p], 0o700); err != nil {
					t.Fatal(err)
				}
				if out, code := emulate(t, d.architecture, file, "version"); code != 0 || out != p+" "+d.version+"\n" {
					t.Errorf("%s version: exit %d, %q; the package's version is %s", p, code, out, d.version)
				}
			}
			daemon := filepath.Join(dir, "scentpostd")
			for path, text := range d.text {
				if !strings.HasPrefix(path, "/usr/share/doc/scentpost/examples/stations/") || d.files[path].Typeflag == tar.TypeDir {
					continue
				}
				// As a user does: an example is the station's configuration, wherever it lies.
				if err := os.WriteFile(station, text, 0o600); err != nil {
					t.Fatal(err)
				}
				if out, code := emulate(t, d.architecture, daemon, "check", station); code != 0 || !strings.Contains(out, ": fine") {
					t.Errorf("check of %s: exit %d, %s", path, code, out)
				}
			}
			if err := os.WriteFile(station, []byte("site: \"\"\npositions: 1\npositons: 2\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, code := emulate(t, d.architecture, daemon, "check", station); code != 2 || !strings.Contains(out, "station.yaml:3:1") {
				t.Errorf("check of a wrong configuration: exit %d, %s", code, out)
			}
		})
	}
}

// emulate runs a program of an architecture, and returns all that it said and its exit code, -1 for a signal.
func emulate(t *testing.T, a architecture, program string, args ...string) (said string, code int) {
	t.Helper()
	command := append(a.emulator, program)
	if _, err := exec.LookPath(command[0]); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: apt-get install qemu-user-static", command[0])
		}
		t.Skipf("NOT RUN for %s: %s is missing: apt-get install qemu-user-static", a.name, command[0])
	}
	command = append(command, args...)
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	exit := new(exec.ExitError)
	switch {
	case errors.As(err, &exit):
		return string(out), exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}
	return string(out), 0
}

// TestARMv7IsCaught: the emulated Pi Zero, as TestProgramsRun asks for it, refuses an instruction of ARMv7. The
// emulator's default processor has it: a program for that one would seem to be fine.
func TestARMv7IsCaught(t *testing.T) {
	zero := architectures[2]
	newest := zero
	newest.emulator = zero.emulator[:1]
	for _, c := range []struct {
		what string
		code []uint32
		of   architecture
		exit int
	}{
		{"ARMv6 on a Pi Zero", []uint32{movR0Zero, movR7Exit, svc}, zero, 0},
		{"ARMv7 on a Pi Zero", []uint32{movwR0Zero, movR7Exit, svc}, zero, -1},
		{"ARMv7 on the emulator's default", []uint32{movwR0Zero, movR7Exit, svc}, newest, 0},
	} {
		program := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(program, arm(t, c.code), 0o700); err != nil {
			t.Fatal(err)
		}
		if out, code := emulate(t, c.of, program); code != c.exit {
			t.Errorf("%s: exit %d, want %d: %s", c.what, code, c.exit, out)
		}
	}
}

// Instructions of ARM.
const (
	movR0Zero  = 0xe3a00000               // mov r0, #0
	movwR0Zero = 0xe3000000               // movw r0, #0, from ARMv7 on
	movR7Exit  = 0xe3a07000 | syscallExit // mov r7, #1
	svc        = 0xef000000               // svc 0

	syscallExit = 1
)

// arm returns the smallest program for Linux on ARM, of these instructions.
func arm(t *testing.T, code []uint32) []byte {
	t.Helper()
	const base, headers = 0x10000, 52 + 32 // of the two headers below
	size := uint32(headers + 4*len(code))
	var b bytes.Buffer
	b.WriteString("\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, part := range []any{
		// Executable, ARM; where it begins, one program header right behind; ABI 5, hard float.
		[]uint16{2, 40}, []uint32{1, base + headers, 52, 0, 0x05000400}, []uint16{52, 32, 1, 0, 0, 0},
		// Load all of the file, readable and executable.
		[]uint32{1, 0, base, base, size, size, 5, 0x1000},
		code,
	} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}
