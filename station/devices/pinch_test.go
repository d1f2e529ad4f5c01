package devices

import (
	"slices"
	"strings"
	"testing"

	"scentpost/configs"
	"scentpost/station/catalog"
	"scentpost/station/config"
)

// TestAConfigurationWithoutPinchProtectionIsRefused: what moves near a nose says what keeps it from being hurt.
func TestAConfigurationWithoutPinchProtectionIsRefused(t *testing.T) {
	file, src, err := configs.Files{}.Read(configs.Stations, "virtual-two")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Read(file, src, catalog.Types())
	if err != nil || !slices.Equal(cfg.Pinch(), []string{"out-of-reach"}) {
		t.Fatalf("declares %q, %v", cfg.Pinch(), err)
	}
	mixed := strings.Replace(string(src), "pinch: out-of-reach", "pinch: guard", 1)
	if cfg, err = config.Read(file, []byte(mixed), catalog.Types()); err != nil || !slices.Equal(cfg.Pinch(), []string{"guard", "out-of-reach"}) {
		t.Errorf("declares %q, %v", cfg.Pinch(), err)
	}
	silent := strings.Replace(string(src), ", pinch: out-of-reach", "", 1)
	const says = "devices[1].pinch: is missing: a shutter must say it (known: guard, low-force, out-of-reach, soft-edge)"
	if _, err = config.Read(file, []byte(silent), catalog.Types()); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want %s", err, says)
	}
}
