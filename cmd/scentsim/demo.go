package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"scentpost/cmd/internal/program"
	"scentpost/cmd/internal/words"
	"scentpost/configs"
	"scentpost/simulator/broker"
	"scentpost/simulator/yard"
	"scentpost/station/catalog"
	"scentpost/station/config"
	"scentpost/station/control"
	"scentpost/station/journal"
	"scentpost/station/trial"
	"scentpost/station/uplink"
	"scentpost/station/verify"
)

// What the demonstration runs, and what it leaves behind.
const (
	demoStation = "virtual-six"
	demoPlan    = "lineup-six"
	demoBundle  = "scentpost-demo.zip"
	demoKey     = "station-key.txt"
)

// demoCmd runs a double-blind session from plan to verified record.
type demoCmd struct {
	Seed uint64 `default:"1" help:"The seed of everything; the same one gives the same bundle."`
	Out  string `default:"demo" help:"The folder for the bundle." placeholder:"DIR"`
}

// demo is one demonstration.
type demo struct {
	out    io.Writer
	yard   *yard.Yard
	broker *broker.Broker
	lost   error // the first message that the broker did not take
}

// Run runs the demonstration. Its answer is no when the record does not verify.
func (c demoCmd) Run(out program.Streams) error {
	b, err := broker.Start()
	if err != nil {
		return fmt.Errorf("start the embedded broker: %w", err)
	}
	d := &demo{out: out.Out, broker: b}
	defer b.Close()
	if err := d.build(c.Seed); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "SIMULATED: six positions with four canisters each, a dog, a handler; broker on %s; seed %d\n", b.Address(), c.Seed)
	took, err := d.session()
	if err != nil {
		return err
	}
	bundle, err := d.keep(c.Out)
	if err != nil {
		return err
	}
	if err := d.report(); err != nil {
		return err
	}
	if err := d.delivered(); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "time: %s of the station's in %s of ours\n", time.Duration(d.yard.World.Mono()).Round(time.Second), took.Round(time.Millisecond))
	fmt.Fprintf(d.out, "bundle: %s\n", filepath.Join(c.Out, demoBundle))
	return d.verify(bundle)
}

// build builds the station with everything that it comes with.
func (d *demo) build(seed uint64) error {
	file, src, err := configs.Files{}.Read(configs.Stations, demoStation)
	if err != nil {
		return err
	}
	cfg, err := config.Read(file, src, catalog.Types())
	if err != nil {
		return err
	}
	d.yard, err = yard.New(yard.Options{Seed: seed, Secrets: seed, Config: cfg, Store: journal.NewMemory(),
		Publish: func(_ int64, p uplink.Publish) {
			if err := d.broker.Publish(p.Topic, p.Payload, p.QoS, p.Retain); err != nil && d.lost == nil {
				d.lost = fmt.Errorf("publish on %s: %w", p.Topic, err)
			}
		},
	})
	return err
}

// session runs the session and shows how far it is. It returns how long that took.
func (d *demo) session() (time.Duration, error) {
	file, plan, err := configs.Files{}.Read(configs.Plans, demoPlan)
	if err != nil {
		return 0, err
	}
	_, rule, err := configs.Files{}.Read(configs.Rules, "uk-short-odour")
	if err != nil {
		return 0, err
	}
	began := time.Now()
	ended := 0
	defer d.yard.Host.Watch(func(s trial.Snapshot) {
		if state := s.View.Run.State; s.View.Run.Index > ended && (state == trial.Locked || state == trial.Voided) {
			ended = s.View.Run.Index
			status := d.yard.Control.Status(s, control.Person{})
			fmt.Fprintln(d.out, words.Progress(&status))
		}
	})()
	if err := d.yard.Prepare(filepath.Base(file), plan, rule); err != nil {
		return 0, err
	}
	if err := d.yard.Conduct(); err != nil {
		return 0, err
	}
	d.yard.World.RunFor(time.Minute) // the last messages leave
	return time.Since(began), nil
}

// keep writes the bundle and the station's key.
func (d *demo) keep(dir string) ([]byte, error) {
	_, bundle, err := d.yard.Archive.Bundle("", true)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, program.Usage(fmt.Errorf("make the folder of the bundle: %w", err))
	}
	if err := os.WriteFile(filepath.Join(dir, demoBundle), bundle, 0o644); err != nil {
		return nil, program.Usage(fmt.Errorf("keep the bundle: %w", err))
	}
	return bundle, os.WriteFile(filepath.Join(dir, demoKey), []byte(d.yard.Key()+"\n"), 0o644)
}

// delivered tells whether the broker's subscriber got the whole log in order.
func (d *demo) delivered() error {
	if d.lost != nil {
		return d.lost
	}
	size := d.yard.Store.Size()
	stored, err := d.yard.Store.Lines(0, int(size), 1<<30)
	if err != nil {
		return err
	}
	got := d.broker.Lines()
	if len(got) != len(stored) {
		return fmt.Errorf("the subscriber got %d of %d records", len(got), len(stored))
	}
	for i, line := range stored {
		if !bytes.Equal(line.Bytes, got[i]) {
			return fmt.Errorf("record %d reached the subscriber changed", i)
		}
	}
	fmt.Fprintf(d.out, "broker: all %d records of the log, in order (the first one begins the log and is no part of the session)\n", len(got))
	return nil
}

// errNotVerified is the answer no.
var errNotVerified = errors.New("the record does not verify")

// verify has the bundle verified as a stranger would, but with the station's key.
func (d *demo) verify(bundle []byte) error {
	report := verify.Verify(bundle, verify.Options{Keys: []string{d.yard.Key()}})
	word := "verified"
	if !report.Consistent {
		word = "NOT VERIFIED"
	}
	fmt.Fprintf(d.out, "verifier: %s: %d records, signer %s, seed %s, witness %s, engine and score %s, simulated %t\n",
		word, report.Records, report.Signer, report.Seed, report.Witness, report.Replay, report.Simulated)
	for _, p := range report.Problems {
		fmt.Fprintf(d.out, "  %s\n", p.Error())
	}
	if !report.Consistent {
		return errNotVerified
	}
	return nil
}
