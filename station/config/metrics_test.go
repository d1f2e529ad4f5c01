package config_test

import (
	"strings"
	"testing"

	"scentpost/station/config"
)

// served is a good station whose metrics are served at an address.
func served(address string) []byte {
	return []byte(strings.Replace(good+operated, "positions: 1\n", "positions: 1\nmetrics: {listen: "+address+"}\n", 1))
}

func TestWhereMetricsAreServed(t *testing.T) {
	for address, warned := range map[string]bool{
		"127.0.0.1:9464": false, "127.9.0.255:1": false, `"[::1]:65535"`: false, "localhost:9464": false,
		"0.0.0.0:9464": true, "10.0.0.7:9464": true, `"[::]:9464"`: true, `"[fe80::1]:9464"`: true, `"[::ffff:127.0.0.1]:9464"`: true,
	} {
		got, err := config.Read("f", served(address), types)
		if err != nil || got.Metrics.Listen != strings.Trim(address, `"`) {
			t.Errorf("%s: %+v, %v", address, got.Metrics, err)
			continue
		}
		if (len(got.Warnings) > 0) != warned || warned && (got.Warnings[0].Field != "metrics.listen" || got.Warnings[0].Line != 11) {
			t.Errorf("%s: warned of %+v", address, got.Warnings)
		}
	}
	if got, err := config.Read("f", []byte(good), types); err != nil || got.Metrics.Listen != "" {
		t.Errorf("without the key: %+v, %v", got.Metrics, err)
	}
}

func TestProblemsOfMetrics(t *testing.T) {
	const hint = " (127.0.0.1:9464 is for this machine alone)"
	for in, want := range map[string]string{
		`":9464"`:            `f:11:19: metrics.listen: ":9464" is not the address of a machine with a port` + hint,
		"9464":               `f:11:19: metrics.listen: text is expected, not a whole number (put it in quotes if it is meant as text: "9464")`,
		"127.0.0.1":          `f:11:19: metrics.listen: "127.0.0.1" is not the address of a machine with a port` + hint,
		"127.0.0.256:9464":   `f:11:19: metrics.listen: "127.0.0.256:9464" is not the address of a machine with a port` + hint,
		"127.0.0.01:9464":    `f:11:19: metrics.listen: "127.0.0.01:9464" is not the address of a machine with a port` + hint,
		`"[::::]:9464"`:      `f:11:19: metrics.listen: "[::::]:9464" is not the address of a machine with a port` + hint,
		`"[1:2:3]:9464"`:     `f:11:19: metrics.listen: "[1:2:3]:9464" is not the address of a machine with a port` + hint,
		"127.1:9464":         `f:11:19: metrics.listen: "127.1:9464" is not the address of a machine with a port` + hint,
		"[:9464":             "f",
		"hub.example:9464":   `f:11:19: metrics.listen: "hub.example:9464" is not the address of a machine with a port` + hint,
		"tcp://0.0.0.0:9464": `f:11:19: metrics.listen: "tcp://0.0.0.0:9464" is not the address of a machine with a port` + hint,
		"127.0.0.1:0":        `f:11:19: metrics.listen: a port from 1 to 65535 is expected` + hint,
		"127.0.0.1:65536":    `f:11:19: metrics.listen: a port from 1 to 65535 is expected` + hint,
		`""`:                 `f:11:19: metrics.listen: is missing` + hint,
		"[a]":                `f:11:19: metrics.listen: text is expected, not a list`,
	} {
		_, err := config.Read("f", served(in), types)
		if err == nil || want != "f" && err.Error() != want {
			t.Errorf("%s: got %v\nwant %s", in, err, want)
		}
	}
	for in, want := range map[string]string{
		"metrics: {}":                     "f:11:1: metrics.listen: is missing" + hint,
		"metrics: {lissten: 127.0.0.1:1}": `f:11:11: metrics.lissten: unknown key (did you mean "listen"?)`,
	} {
		_, err := config.Read("f", []byte(strings.Replace(good, "positions: 1\n", "positions: 1\n"+in+"\n", 1)), types)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v\nwant %s", in, err, want)
		}
	}
}
