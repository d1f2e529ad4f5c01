package virtual

import "testing"

// BenchmarkEdge is the wire's share of an edge's way: written by the station, read by the client.
func BenchmarkEdge(b *testing.B) {
	m := Message{Kind: Edge, Line: "beam-1", Level: true, Mono: 123_456_789_012, Bound: 1000, Source: "front", Seq: 1}
	var text []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if text, err = Append(text[:0], m); err == nil {
			_, err = Parse(text)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
