package firmware

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// sources are what the build hash covers, and the Makefile whose flags it covers.
//
//go:embed core/*.c core/*.h m328p/*.c m328p/*.h Makefile
var sources embed.FS

// Built is a build of the firmware.
type Built struct {
	Version [3]byte
	Build   [8]byte // the first 8 bytes of the SHA-256 over sources and compiler flags, as the Makefile makes it
}

// Of returns what `make firmware` builds of these sources for a rate of the line. The error says what of the sources
// could not be read, which a test keeps from happening.
func Of(baud int) (Built, error) {
	var b Built
	sum := sha256.New()
	for _, folder := range []string{"core", "m328p"} {
		names, err := fs.Glob(sources, folder+"/*")
		if err != nil {
			return b, err
		}
		slices.Sort(names)
		for _, name := range names {
			text, err := sources.ReadFile(name)
			if err != nil {
				return b, err
			}
			_, _ = sum.Write(text) // it never fails
		}
	}
	flags, err := flagsOf(baud)
	if err != nil {
		return b, err
	}
	fmt.Fprintln(sum, flags)
	copy(b.Build[:], sum.Sum(nil))
	b.Version, err = version()
	return b, err
}

// flagsOf are the compiler flags as the Makefile hashes them.
func flagsOf(baud int) (string, error) {
	text, err := sources.ReadFile("Makefile")
	if err != nil {
		return "", err
	}
	whole := regexp.MustCompile(`\s*\\\n\s*`).ReplaceAllString(string(text), " ")
	value := func(name string) string {
		found := regexp.MustCompile(`(?m)^` + name + ` := (.*)$`).FindStringSubmatch(whole)
		if found == nil {
			err = fmt.Errorf("the firmware's Makefile has no %s", name)
			return ""
		}
		return found[1]
	}
	flags := strings.ReplaceAll(value("AVR_FLAGS"), "$(WARNINGS)", value("WARNINGS"))
	return fmt.Sprintf("%s -DBAUD=%d", flags, baud), err
}

func version() (v [3]byte, err error) {
	text, err := sources.ReadFile("core/version.h")
	if err != nil {
		return v, err
	}
	_, line, _ := strings.Cut(string(text), "#define FIRMWARE_VERSION ")
	if _, err := fmt.Sscanf(line, "%d, %d, %d", &v[0], &v[1], &v[2]); err != nil {
		return v, fmt.Errorf("core/version.h: %w: three numbers are expected", err)
	}
	return v, nil
}
