//go:build linux

package linux

import "testing"

func TestClock(t *testing.T) {
	c, err := NewClock()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Boot()) != 36 {
		t.Errorf("boot id %q, want a UUID", c.Boot())
	}
	before := c.Mono()
	if after := c.Mono(); before <= 0 || after < before {
		t.Errorf("monotonic clock went from %d to %d", before, after)
	}
	if c.UTC() <= 0 {
		t.Errorf("UTC %d", c.UTC())
	}
	if _, maxError, err := c.Sync(); err == nil && maxError < 0 {
		t.Errorf("maximum error %s", maxError)
	}
}
