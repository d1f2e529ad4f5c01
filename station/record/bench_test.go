package record

import (
	"testing"

	"scentpost/station/event"
)

// beamRecord is a small record as thousands of them are written in a session.
func beamRecord() Record {
	return Record{
		Site: "pristina", Station: "line-1", Epoch: "7c1f0a9be3d24c55", Seq: 48213, N: 213, Prev: [32]byte{0xab, 31: 0xcd},
		Event: event.Event{
			Type: event.BeamEntered, Session: "s-5f1c09aa", Run: 7, By: "beam-3",
			At: event.Stamp{Boot: "0d5c1f8e-9d0b-4a57-8f0e-3a1f0f3f7c11", Mono: 918273645546, Bound: 20000,
				UTC: 1795468123123456789, UTCBound: 5000000, Quality: event.Synced},
			Body: &event.Beam{Position: 3},
		},
	}
}

func BenchmarkEncode(b *testing.B) {
	r := beamRecord()
	var line []byte
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if line, err = Encode(line[:0], r); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(line)))
}

func BenchmarkEncodeAndHash(b *testing.B) {
	r := beamRecord()
	var tree Tree
	var line []byte
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if line, err = Encode(line[:0], r); err != nil {
			b.Fatal(err)
		}
		tree.Append(line)
	}
}

func BenchmarkDecode(b *testing.B) {
	line, err := Encode(nil, beamRecord())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(line); err != nil {
			b.Fatal(err)
		}
	}
}
