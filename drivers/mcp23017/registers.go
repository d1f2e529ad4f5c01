package mcp23017

import "fmt"

// Addresses are those that the chip can have, by its pins A2, A1 and A0.
const (
	FirstAddress = 0x20
	LastAddress  = 0x27
)

// The registers of port A in the layout with IOCON.BANK = 0; port B's is the next one each (table 3-5).
const (
	regIODIR   = 0x00 // 1: input
	regIPOL    = 0x02
	regGPINTEN = 0x04 // 1: interrupt on change
	regIOCON   = 0x0A
	regGPPU    = 0x0C // 1: pull-up of about 100 kOhm
	regINTF    = 0x0E // with INTCAP and GPIO behind it
	regOLAT    = 0x14

	// bankedIOCON is where IOCON lies in the other layout, where someone may have left the chip. In ours it is
	// GPINTENB, which a 0 does not harm.
	bankedIOCON = 0x05

	// settings are the two ports' interrupts as one (MIRROR) on an open drain (ODR), so that chips can share a line.
	settings = 1<<6 | 1<<2
)

const pins = 16

// OutputOnly are the pins A7 and B7: by the data sheet's edition D of 2022 they may not be used as inputs, since a
// change there while the port is read can corrupt the transfer.
var OutputOnly = map[int]bool{7: true, 15: true}

// Pin is how one line is wired to the chip.
type Pin struct {
	// Number is 0 to 7 for A0 to A7 and 8 to 15 for B0 to B7; see ParsePin.
	Number int
	// ActiveLow: a low voltage means active, as on most relay boards and on buttons to ground.
	ActiveLow bool
	// PullUp asks for the chip's own pull-up on an input. On an output it stands until the output is driven.
	PullUp bool
}

// ParsePin reads the name of a pin as the data sheet shortens it, A0 to A7 and B0 to B7.
func ParsePin(name string) (int, error) {
	if len(name) != 2 || (name[0] != 'A' && name[0] != 'B') || name[1] < '0' || name[1] > '7' {
		return 0, fmt.Errorf("%.8q is no pin of an MCP23017: A0 to A7 or B0 to B7 is expected", name)
	}
	return int(name[0]-'A')*8 + int(name[1]-'0'), nil
}

// both is a value for the two ports as it goes over the wires, port A first.
func both(register byte, value uint16) []byte { return []byte{register, byte(value), byte(value >> 8)} }

// word reads a value of the two ports.
func word(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }
