package frame

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// split returns the frames of a line, and how many pieces were none.
func split(s *Splitter, line []byte) (bodies [][]byte, bad int) {
	s.Write(line, func(b []byte) { bodies = append(bodies, bytes.Clone(b)) }, func(error) { bad++ })
	return bodies, bad
}

func TestFramesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Zeros are what COBS is about.
		sign := rapid.OneOf(rapid.Just(byte(0)), rapid.Byte())
		sent := rapid.SliceOfN(rapid.SliceOfN(sign, MinBody, MaxBody), 1, 5).Draw(t, "bodies")
		var line []byte
		for _, body := range sent {
			before := len(line)
			line = Append(line, body)
			if n := len(line) - before; n > MaxWire {
				t.Fatalf("%d bytes on the wire, want at most %d", n, MaxWire)
			}
			if bytes.Contains(line[before+1:len(line)-1], []byte{0}) {
				t.Fatalf("a zero within %x", line[before:])
			}
		}
		var s Splitter
		var got [][]byte
		for len(line) > 0 {
			n := rapid.IntRange(1, len(line)).Draw(t, "bytes at once")
			more, bad := split(&s, line[:n])
			if bad > 0 {
				t.Fatalf("%d pieces of a sound line are no frames", bad)
			}
			got, line = append(got, more...), line[n:]
		}
		if len(got) != len(sent) {
			t.Fatalf("%d frames of %d", len(got), len(sent))
		}
		for i := range sent {
			if !bytes.Equal(got[i], sent[i]) {
				t.Fatalf("frame %d: %x, sent %x", i, got[i], sent[i])
			}
		}
	})
}

// TestNoFlipIsTaken: one flipped bit anywhere, delimiters included, in a frame or in the one behind it.
func TestNoFlipIsTaken(t *testing.T) {
	bodies := [][]byte{{1, 5, 7, 0}, bytes.Repeat([]byte{0}, MaxBody), bytes.Repeat([]byte{1, 0}, MaxBody/2), bytes.Repeat([]byte{0xFF}, 17)}
	for _, first := range bodies {
		for _, second := range bodies {
			line := Append(Append(nil, first), second)
			for bit := range len(line) * 8 {
				flipped := bytes.Clone(line)
				flipped[bit/8] ^= 1 << (bit % 8)
				var s Splitter
				got, _ := split(&s, append(flipped, 0))
				if len(got) > 2 {
					t.Fatalf("bit %d: %d frames out of two", bit, len(got))
				}
				for _, body := range got {
					if !bytes.Equal(body, first) && !bytes.Equal(body, second) {
						t.Fatalf("bit %d: took %x", bit, body)
					}
				}
			}
		}
	}
}

func TestWhatIsNoFrame(t *testing.T) {
	sound := Append(nil, []byte{1, 6, 7, 0, 1, 0})
	piece := sound[1 : len(sound)-1]
	spoilt := func(i int, c byte) []byte { p := bytes.Clone(piece); p[i] = c; return p }
	for name, c := range map[string]struct {
		piece []byte
		want  error
	}{
		"short":               {piece[:8], ErrLength},
		"long":                {bytes.Repeat([]byte{1}, MaxWire-1), ErrLength},
		"code past the end":   {spoilt(0, 0x40), ErrCOBS},
		"a zero as a code":    {spoilt(0, 0), ErrCOBS},
		"a zero within":       {spoilt(1, 0), ErrCOBS},
		"another body":        {spoilt(1, 2), ErrCRC},
		"the last byte alone": {spoilt(len(piece)-1, piece[len(piece)-1]^1), ErrCRC},
	} {
		if _, err := Unwrap(bytes.Clone(c.piece)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if body, err := Unwrap(bytes.Clone(piece)); err != nil || !bytes.Equal(body, []byte{1, 6, 7, 0, 1, 0}) {
		t.Errorf("the sound one: %x, %v", body, err)
	}
}

func TestNoiseEndsWithADelimiter(t *testing.T) {
	var s Splitter
	body := []byte{1, 2, 3, 4}
	noise := bytes.Repeat([]byte{0x55}, 10*MaxWire)
	got, bad := split(&s, Append(noise, body))
	if len(got) != 1 || bad != 1 || !bytes.Equal(got[0], body) {
		t.Errorf("frames %x and %d bad pieces behind noise, want the frame and 1", got, bad)
	}
	split(&s, []byte{9, 9, 9})
	s.Reset()
	if got, bad := split(&s, Append(nil, body)[1:]); len(got) != 1 || bad != 0 {
		t.Errorf("after Reset: %x, %d bad", got, bad)
	}
}

func TestAppendRefusesOtherLengths(t *testing.T) {
	for _, n := range []int{0, MinBody - 1, MaxBody + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a body of %d bytes was taken", n)
				}
			}()
			Append(nil, make([]byte, n))
		}()
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add(Append(nil, []byte{1, 6, 7, 0, 1, 0}))
	f.Add([]byte{0, 1, 0, 0, 5, 1, 2})
	f.Fuzz(func(t *testing.T, line []byte) {
		var s Splitter
		bodies, _ := split(&s, line)
		for _, body := range bodies {
			if len(body) < MinBody || len(body) > MaxBody {
				t.Fatalf("a body of %d bytes", len(body))
			}
			if wire := Append(nil, body); !bytes.Contains(append([]byte{0}, append(line, 0)...), wire) {
				t.Fatalf("%x was taken and is not in the line as it would be sent", body)
			}
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	body := bytes.Repeat([]byte{1, 2, 0}, MaxBody/3)
	var s Splitter
	wire := make([]byte, 0, MaxWire)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	taken := 0
	for b.Loop() {
		wire = Append(wire[:0], body)
		s.Write(wire, func([]byte) { taken++ }, func(err error) { b.Fatal(err) })
	}
	if taken == 0 {
		b.Fatal("nothing was taken")
	}
}
