package firmware

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
)

// TestTheBuildHashIsTheMakefiles: what a program compares a board with is what the Makefile builds into it.
func TestTheBuildHashIsTheMakefiles(t *testing.T) {
	for _, baud := range []int{500_000, 115_200} {
		made := simavrtest.Build(t, baud)
		want, err := os.ReadFile(strings.TrimSuffix(made.ELF, ".elf") + ".build")
		if err != nil {
			t.Fatal(err)
		}
		got, err := Of(baud)
		if err != nil || hex.EncodeToString(got.Build[:]) != strings.TrimSpace(string(want)) {
			t.Errorf("%d baud: %x, the Makefile has %s, %v", baud, got.Build, want, err)
		}
	}
}

// TestABuildDependsOnItsRate, and can be told of on a machine without a compiler.
func TestABuildDependsOnItsRate(t *testing.T) {
	fast, err := Of(500_000)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := Of(115_200)
	if err != nil || fast.Build == slow.Build || fast.Version != slow.Version || fast.Version == [3]byte{} {
		t.Errorf("%+v, %+v, %v", fast, slow, err)
	}
}
