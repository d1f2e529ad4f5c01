package brokertest

import (
	"runtime"
	"strings"
	"testing"
)

// verdict is a test that only remembers how it ended.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Helper()           {}
func (v *verdict) Skip(args ...any)  { v.said = "skip: " + args[0].(string); runtime.Goexit() }
func (v *verdict) Fatal(args ...any) { v.said = "fail: " + args[0].(string); runtime.Goexit() }

// Without mosquitto a test says what to install; in CI that is a failure.
func TestNoMosquitto(t *testing.T) {
	for ci, want := range map[string]string{"": "skip", "true": "fail"} {
		t.Setenv("CI", ci)
		v, done := &verdict{}, make(chan struct{})
		go func() {
			defer close(done)
			find(v, []string{"/nonexistent/mosquitto"})
		}()
		<-done
		if !strings.HasPrefix(v.said, want) || !strings.Contains(v.said, "apt-get install mosquitto") {
			t.Errorf("CI=%q: %q, want %s and what to install", ci, v.said, want)
		}
	}
}
