package ci_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// archive is a fake of Debian's with four stock kernels. What becomes of each is in the body of fakeMake and fakeQEMU.
const (
	gone     = "6.12.118+deb12" // in the lists, no longer in the archive
	unbuilt  = "6.12.117+deb12" // its gpio-sim does not build
	unbooted = "6.12.9+deb12"   // no guest comes up with it
	good     = "6.1.0-48"
)

// What stands in for the archive and for what builds and boots. A package is made when it is downloaded.
const (
	fakeCache = `case $* in
pkgnames*) printf 'linux-image-%s-amd64\n' amd64 KERNELS 6.13.0-cloud 6.13.0-rt; echo linux-image-amd64; echo linux-image-6.13.0-amd64-unsigned ;;
*linux-kbuild-6.1.0-48*) exit 1 ;;
show*) printf 'Package: some\nVersion: 1:%s\nVersion: 0\n' "${2#linux-image-}" ;;
esac`
	fakeGet = `case " $* " in
*" update "*) UPDATE ;;
*" download "*)
  for package in "${@:3}"; do
    name=${package%%=*}
    case $name in *GONE*) echo "E: 404  Not Found: $package" >&2; exit 100 ;; esac
    release=$(sed -E 's/^linux-[a-z]+-//; s/-(amd64|common)$//' <<<"$name")
    root=$(mktemp -d)
    mkdir -p "$root/DEBIAN" "$root/boot" "$root/lib/modules/kernel" "$root/usr/src/linux-headers-$release-amd64"
    printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: none\nDescription: none\n' "${name//+/p}" >"$root/DEBIAN/control"
    case $name in
    linux-image-*)
      echo "kernel of $release" >"$root/boot/vmlinuz-$release-amd64"
      for module in configfs i2c-dev i2c-stub; do echo "$module of $release" | xz >"$root/lib/modules/kernel/$module.ko.xz"; done ;;
    linux-headers-*-amd64) echo "# $release" >"$root/usr/src/linux-headers-$release-amd64/Makefile" ;;
    linux-source-*)
      source=$root/$name
      mkdir -p "$source/drivers/gpio" "$source/kernel/irq"
      echo '#include "gpiolib.h"' >"$source/drivers/gpio/gpio-sim.c"
      touch "$source/drivers/gpio/gpiolib.h" "$source/drivers/gpio/gpio-other.c"
      echo 'irq_to_desc(irq)' >"$source/kernel/irq/irq_sim.c"
      tar -cJf "$root/usr/src/$name.tar.xz" -C "$root" "$name"
      rm -rf "$source" ;;
    esac
    dpkg-deb --build "$root" "$name.deb"
  done ;;
esac`
	fakeMake = `headers=$2 module=${3#M=}
case $headers in *UNBUILT*) echo "gpio-sim.c:1:10: fatal error: gone.h: No such file" >&2; exit 2 ;; esac
[ -e "$module/gpiolib.h" ] || { echo "gpio-sim.c:1:10: fatal error: gpiolib.h: No such file" >&2; exit 2; }
[ ! -e "$module/gpio-other.c" ] && grep -q irq_data_to_desc "$module/irq_sim.c" && echo gpio-sim >"$module/scent-sim.ko"`
	fakeQEMU = `for argument in "$@"; do
  case $argument in */vmlinuz) grep -q 'UNBOOTED' "$argument" && { echo 'Kernel panic - not syncing'; exit 0; } ;; esac
done
printf 'RESULT PASS guest\r\n'`
)

// kernelTree is a machine with a fake archive; update is what its apt-get does for new lists.
func kernelTree(t *testing.T, update string, kernels ...string) tree {
	t.Helper()
	for _, command := range []string{"dpkg-deb", "xz", "tar", "flock"} {
		if _, err := exec.LookPath(command); err != nil {
			t.Skipf("NOT RUN: no fake of Debian's archive without %s", command)
		}
	}
	here := "drivers/linux/kerneltest/"
	tr := newTree(t, ".ci/lists", ".ci/newest", here+"kernel", here+"build-kernel", here+"pack", here+"boot")
	fill := strings.NewReplacer("KERNELS", strings.Join(kernels, " "), "UPDATE", update, "GONE", gone, "UNBUILT", unbuilt, "UNBOOTED", unbooted).Replace
	tr.command("apt-config", `echo here=`+tr.dir+`/none`)
	tr.command("apt-cache", fill(fakeCache))
	tr.command("apt-get", fill(fakeGet))
	tr.command("make", fill(fakeMake))
	tr.command("qemu-system-x86_64", fill(fakeQEMU))
	tr.command("go", `while [ "$1" != -o ]; do shift; done; echo init >"$2"`)
	tr.command("cpio", `cat`)
	tr.command("dpkg", `[ "$1" = --print-architecture ] && echo amd64 && exit; exec `+must(exec.LookPath("dpkg"))+` "$@"`)
	return tr
}

func must(path string, _ error) string { return path }

// TestKernelIsTheNewestThatCanBeMade passes over kernels that cannot be had, built or booted, and says why.
func TestKernelIsTheNewestThatCanBeMade(t *testing.T) {
	tr := kernelTree(t, "true", good, gone, unbooted, unbuilt)
	said, code := tr.run("", "drivers/linux/kerneltest/kernel", "out")
	if code != 0 {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	tr.wantSaid(said,
		"NOTE: kernel "+gone+" 1:"+gone+"-amd64 is passed over: the download of ",
		"NOTE: kernel "+unbuilt+" 1:"+unbuilt+"-amd64 is passed over: gpio-sim does not build: gpio-sim.c:1:10: fatal error: gone.h",
		"NOTE: kernel "+unbooted+" 1:"+unbooted+"-amd64 is passed over: a guest did not boot it and use gpio-sim: Kernel panic")
	if strings.Index(said, gone) > strings.Index(said, unbuilt) || strings.Index(said, unbuilt) > strings.Index(said, unbooted) {
		t.Errorf("the newest is not tried first:\n%s", said)
	}
	for name, want := range map[string]string{
		"release": good, "vmlinuz": "kernel of " + good, "gpio-sim.ko": "gpio-sim", "i2c-stub.ko": "i2c-stub of " + good, "configfs.ko": "configfs of " + good,
	} {
		if got, err := os.ReadFile(filepath.Join(tr.dir, "out", name)); err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	if calls := tr.calls(); !strings.Contains(calls[1]+calls[2], " update") {
		t.Errorf("a kernel was chosen before the lists were refreshed: %q", calls)
	}

	// What is there is not made again.
	if said, code := tr.run("", "drivers/linux/kerneltest/kernel", "out"); code != 0 || len(tr.calls()) != 0 {
		t.Errorf("exit %d, with a kernel that is there:\n%s", code, said)
	}
}

func TestKernelsOfWhichNoneCanBeMade(t *testing.T) {
	for name, c := range map[string]struct {
		kernels []string
		update  string
		code    int
		says    string
	}{
		"none builds":                 {[]string{unbuilt, unbooted}, "true", 1, "none of 2 candidates for the kernel can be used"},
		"one builds not, one is gone": {[]string{gone, unbuilt}, "true", 1, "none of 2 candidates for the kernel can be used"},
		"all are gone":                {[]string{gone}, "true", 3, "NOT RUN: no kernel can be had: 1 tried"},
		"no lists":                    {[]string{good}, noNetwork, 3, "NOT RUN: there is no kernel for the guest: there are no package lists"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := kernelTree(t, c.update, c.kernels...)
			said, code := tr.run("", "drivers/linux/kerneltest/kernel", "out")
			if _, err := os.Stat(filepath.Join(tr.dir, "out/release")); code != c.code || err == nil {
				t.Errorf("exit %d, want %d; the release: %v\n%s", code, c.code, err, said)
			}
			tr.wantSaid(said, c.says)
		})
	}
}
