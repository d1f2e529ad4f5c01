package folder_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"scentpost/station/folder"
)

// claimedIn is the environment variable under which this test's binary, run again as another account, claims a folder.
const claimedIn = "SCENTPOST_CLAIMED_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(claimedIn); dir != "" {
		f := folder.Folder(dir)
		fmt.Println("trouble:", f.Trouble(station))
		c, err := folder.Claim(f, station, "scentpostd")
		fmt.Println("claimed:", err)
		if err == nil {
			_ = c.Close()
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestAsAnOrdinaryAccount: the folder is made where the account may make one, and where it may not the command that makes it is
// said, before and at the start alike.
func TestAsAnOrdinaryAccount(t *testing.T) {
	const nobody = 65534
	if os.Geteuid() != 0 {
		t.Skip("only root can be another account")
	}
	base, err := os.MkdirTemp("", "folder-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	program := filepath.Join(base, "program")
	in, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(program, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"": 0o755, "closed": 0o700, "shared": 0o777 | fs.ModeSticky, "roots": 0o755, "own": 0o700} {
		if err := os.MkdirAll(filepath.Join(base, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(base, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(base, "own"), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, want string }{
		{"own", ""},
		{"shared/a/b", ""},
		{"shared/east", ""},
		{"shared", "is one that everybody shares: name a folder in it as `data`, such as "},
		{"roots/east", "may not write in " + filepath.Join(base, "roots") + ": sudo install -d -m 700 -o nobody " + filepath.Join(base, "roots/east")},
		{"roots", "belongs to the account root, and this is nobody"},
		{"closed/east", "may not reach the folder " + filepath.Join(base, "closed/east") + ": sudo install -d -m 700 -o nobody "},
	} {
		cmd := exec.Command(program)
		cmd.Env = []string{claimedIn + "=" + filepath.Join(base, c.dir)}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		said, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", c.dir, err, said)
		}
		trouble, claimed, _ := strings.Cut(string(said), "claimed: ")
		if c.want == "" && string(said) != "trouble: <nil>\nclaimed: <nil>\n" || c.want != "" && (!strings.Contains(trouble, c.want) || !strings.Contains(claimed, strings.SplitN(c.want, ": sudo", 2)[0]) && !strings.Contains(claimed, ": sudo install -d")) {
			t.Errorf("%s: %s, want %q", c.dir, said, c.want)
		}
	}
	if info, err := os.Stat(filepath.Join(base, "shared")); err != nil || info.Mode().Perm() != 0o777 || info.Mode()&fs.ModeSticky == 0 {
		t.Errorf("the shared folder is now %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Join(base, "shared/east")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the station's folder in it: %v, %v", info, err)
	}
}
