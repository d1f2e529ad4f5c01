package firmware

import (
	"bytes"
	"debug/elf"
	"math/rand/v2"
	"testing"

	"scentpost/firmware-bridge/firmware/simavr/simavrtest"
	"scentpost/firmware-bridge/message"
)

const (
	ramBegin, ramSize = 0x100, 2048
	flashSize         = 32 * 1024
	// afterPower is what the runner fills memory with: the paint that the stack scratches.
	afterPower = 0xA7
	// dataSpace is where the linker puts RAM among other addresses.
	dataSpace = 0x800000
)

// symbol is the value of a symbol of the linker.
func symbol(t *testing.T, f *elf.File, name string) uint64 {
	t.Helper()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("the firmware has no symbol %s", name)
	return 0
}

// memory is how much the firmware takes without its stack.
type memory struct {
	end, static, flash int
}

func memoryOf(t *testing.T) memory {
	t.Helper()
	file, err := elf.Open(simavrtest.Build(t, 500_000).ELF)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	end := int(symbol(t, file, "_end") - dataSpace)
	flash := symbol(t, file, "_etext") + symbol(t, file, "__data_end") - symbol(t, file, "__data_start")
	return memory{end: end, static: end - ramBegin, flash: int(flash)}
}

// check: static data and the deepest stack take at most 80 % of the RAM.
func (m memory) check(t *testing.T, h *host) {
	t.Helper()
	ram, err := h.chip.Peek(m.end, ramBegin+ramSize-m.end)
	if err != nil {
		t.Fatal(err)
	}
	free := len(ram) - len(bytes.TrimLeft(ram, string([]byte{afterPower})))
	stack := len(ram) - free
	t.Logf("FIGURE flash %d bytes of %d, static data %d, deepest stack %d, of %d bytes of RAM: %d %%",
		m.flash, flashSize, m.static, stack, ramSize, (m.static+stack)*100/ramSize)
	if stack < 40 {
		t.Fatalf("the stack took %d bytes: the paint was not what it was thought to be", stack)
	}
	if (m.static+stack)*100 > ramSize*80 {
		t.Errorf("static data and stack take %d bytes, want at most 80 %% of %d", m.static+stack, ramSize)
	}
	if m.flash > flashSize*80/100 {
		t.Errorf("the firmware takes %d bytes of flash", m.flash)
	}
}

// TestMemory: after everything at once. TestInputsThatOscillate looks at it too.
func TestMemory(t *testing.T) {
	t.Parallel()
	everything := map[string]message.Mode{}
	for i, name := range names {
		if i >= 2 && name != "D13" {
			everything[name] = []message.Mode{message.OutLow, message.OutHigh}[i%2]
		}
	}
	for _, name := range inputs {
		everything[name] = message.PullUp
	}
	h := configured(t, 500_000, pins(500, everything))
	work(h, everything)
	memoryOf(t).check(t, h)
}

// work gives a board everything that it can be asked, at once.
func work(h *host, modes map[string]message.Mode) {
	h.beatEach, h.slice = 20*ms, ms
	chance := rand.New(rand.NewPCG(seed, 4))
	level := pulledUp()
	for round := range 400 {
		now := h.chip.Now()
		for _, name := range inputs {
			level[name] = !level[name]
			h.chip.Pin(now+chance.Uint64N(ms), name, level[name])
		}
		for range 3 {
			name := names[2+chance.IntN(len(names)-2)]
			set := &message.Set{Pin: pin(name), Level: !modes[name].Safe(), At: h.now() + chance.Uint64N(4000), Longest: uint32(1 + chance.IntN(9000))}
			h.sendNumbered(h.number, set)
			h.number++
		}
		h.send(&message.Ping{Cookie: uint32(round)})
		h.send(&message.Describe{Index: byte(round)})
		if round%3 == 0 {
			h.sendNumbered(byte(round), &message.Safe{Pins: 1<<64 - 1, Before: h.number})
		}
		if round%50 == 49 {
			h.beatEach = 0
			h.run(700 * ms) // the heartbeat is lost; what is not held is sent again
			h.open(uint32(round) + 1)
			h.beatEach = 20 * ms
		}
		h.run(4 * ms)
	}
}
