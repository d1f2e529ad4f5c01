// Pins, and the interrupts of their edges.
#include "events.h"
#include "hal.h"

enum { PORT_B, PORT_C, PORT_D, PORTS };

enum {
	D0 = 0,
	D1 = 1,
	D2 = 2,
	D8 = 8,
	D13 = 13,
	A0 = 14,
};

// The serial line takes D0 and D1. D13 blinks while the boot loader runs, so it must never switch anything; its lamp
// loads it, so a pull-up would not lift it either.
uint8_t hal_abilities(uint8_t pin)
{
	if (pin < D2)
		return 0;
	if (pin == D13)
		return ABLE_INPUT | ABLE_TIMED;
	return ABLE_INPUT | ABLE_OUTPUT | ABLE_PULL_UP | ABLE_TIMED;
}

void hal_name(uint8_t pin, char name[8])
{
	bool analog = pin >= A0;
	uint8_t number = analog ? pin - A0 : pin;
	*name++ = analog ? 'A' : 'D';
	if (number >= 10) {
		*name++ = '1';
		number -= 10;
	}
	*name = '0' + number;
}

// The registers of a port lie in a row: PIN, DDR, PORT.
struct port {
	volatile uint8_t in, direction, latch;
};

// A pin is a bit of a port.
struct place {
	uint8_t port, mask;
};

#define ON(port, bit) {_SFR_MEM_ADDR(PIN##port), 1 << (bit)}
static const struct place places[HAL_PINS] HAL_FLASH = {
	ON(D, 0), ON(D, 1), ON(D, 2), ON(D, 3), ON(D, 4), ON(D, 5), ON(D, 6), ON(D, 7), // D0 to D7
	ON(B, 0), ON(B, 1), ON(B, 2), ON(B, 3), ON(B, 4), ON(B, 5),                     // D8 to D13
	ON(C, 0), ON(C, 1), ON(C, 2), ON(C, 3), ON(C, 4), ON(C, 5),                     // A0 to A5
};

static inline struct port *port_of(uint8_t pin) { return (struct port *)(uint16_t)hal_flash_8(&places[pin].port); }
static inline uint8_t mask_of(uint8_t pin) { return hal_flash_8(&places[pin].mask); }

// index_of is that of a pin's port, in the order of their interrupts.
static inline uint8_t index_of(uint8_t pin) { return pin < D8 ? PORT_D : pin < A0 ? PORT_B : PORT_C; }

// watched_by are the pins of a port that interrupt.
static inline volatile uint8_t *watched_by(uint8_t index) { return &PCMSK0 + index; }

// The levels that were told last. Each belongs to the interrupt of its port.
static uint8_t last[PORTS];

void hal_release(uint8_t pin)
{
	if (hal_abilities(pin) == 0)
		return;
	struct port *port = port_of(pin);
	uint8_t mask = mask_of(pin);
	hal_lock_t before = hal_lock();
	*watched_by(index_of(pin)) &= ~mask;
	port->direction &= ~mask;
	port->latch &= ~mask;
	hal_unlock(before);
}

void hal_input(uint8_t pin, bool pull_up)
{
	struct port *port = port_of(pin);
	uint8_t mask = mask_of(pin);
	hal_lock_t before = hal_lock();
	port->direction &= ~mask;
	if (pull_up)
		port->latch |= mask;
	else
		port->latch &= ~mask;
	hal_unlock(before);
}

void hal_watch(uint8_t pin)
{
	uint8_t mask = mask_of(pin), index = index_of(pin);
	*watched_by(index) |= mask;
	last[index] = (last[index] & ~mask) | (port_of(pin)->in & mask);
}

void hal_drive(uint8_t pin, bool high)
{
	struct port *port = port_of(pin);
	uint8_t mask = mask_of(pin);
	if (high)
		port->latch |= mask;
	else
		port->latch &= ~mask;
	port->direction |= mask;
}

// EDGES bounds how many interrupts of edges a tick may have: each takes some 10 us, and goes before those of the line. Behind
// as many nobody listens for REST ticks, so that what oscillates stops neither the tick nor the line nor the main loop.
enum { EDGES = 48, REST = 16, ALL_PORTS = _BV(PCIE0) | _BV(PCIE1) | _BV(PCIE2) };
static uint8_t left; // of EDGES
static uint8_t deaf; // ticks that are left of REST

void m328p_listen(void)
{
	left = EDGES;
	if (PCICR != 0 || (deaf > 0 && --deaf > 0))
		return;
	// What the levels are now is told by the next PONG: an edge of now would have the wrong stamp.
	PCIFR = ALL_PORTS;
	last[PORT_B] = PINB;
	last[PORT_C] = PINC;
	last[PORT_D] = PIND;
	PCICR = ALL_PORTS;
}

// edges tells of every pin of a port that changed. An interrupt that finds nothing had two edges in it: they were too
// close to tell apart. It is one function for three interrupts, which have to save few registers only to call it.
static __attribute__((noinline)) void edges(uint16_t count, uint8_t index, uint8_t levels, uint8_t watched, uint8_t pin)
{
	m328p_awake();
	if (--left == 0) {
		PCICR = 0;
		deaf = REST;
		events_lose(); // one at least
		return;
	}
	uint8_t changed = (levels ^ last[index]) & watched;
	if (changed == 0) {
		events_glitch();
		return;
	}
	last[index] = levels;
	uint32_t at = m328p_low(count);
	for (; changed != 0; pin++, changed >>= 1, levels >>= 1)
		if (changed & 1)
			events_edge(at, pin, levels & 1);
}

// The count is read first: all that follows is late by as long as it takes.
ISR(PCINT0_vect)
{
	uint16_t count = TCNT1;
	edges(count, PORT_B, PINB, PCMSK0, D8);
}

ISR(PCINT1_vect)
{
	uint16_t count = TCNT1;
	edges(count, PORT_C, PINC, PCMSK1, A0);
}

ISR(PCINT2_vect)
{
	uint16_t count = TCNT1;
	edges(count, PORT_D, PIND, PCMSK2, D0);
}
