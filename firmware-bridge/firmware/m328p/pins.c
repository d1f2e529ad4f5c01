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

static const uint8_t masks[8] HAL_FLASH = {1, 2, 4, 8, 16, 32, 64, 128};

struct place {
	struct port *port;
	volatile uint8_t *watched; // which of its pins interrupt
	uint8_t mask;
	uint8_t index;
};

static inline struct place place_of(uint8_t pin)
{
	struct place place;
	uint8_t bit;
	if (pin < D8) {
		place = (struct place){(struct port *)&PIND, &PCMSK2, 0, PORT_D};
		bit = pin;
	} else if (pin < A0) {
		place = (struct place){(struct port *)&PINB, &PCMSK0, 0, PORT_B};
		bit = pin - D8;
	} else {
		place = (struct place){(struct port *)&PINC, &PCMSK1, 0, PORT_C};
		bit = pin - A0;
	}
	place.mask = hal_flash_8(&masks[bit]);
	return place;
}

// The levels that were told last. Each belongs to the interrupt of its port.
static uint8_t last[PORTS];

void hal_release(uint8_t pin)
{
	if (hal_abilities(pin) == 0)
		return;
	struct place place = place_of(pin);
	hal_lock_t before = hal_lock();
	*place.watched &= ~place.mask;
	place.port->direction &= ~place.mask;
	place.port->latch &= ~place.mask;
	hal_unlock(before);
}

void hal_input(uint8_t pin, bool pull_up)
{
	struct place place = place_of(pin);
	hal_lock_t before = hal_lock();
	place.port->direction &= ~place.mask;
	if (pull_up)
		place.port->latch |= place.mask;
	else
		place.port->latch &= ~place.mask;
	hal_unlock(before);
}

void hal_watch(uint8_t pin)
{
	struct place place = place_of(pin);
	*place.watched |= place.mask;
	last[place.index] = (last[place.index] & ~place.mask) | (place.port->in & place.mask);
}

void hal_drive(uint8_t pin, bool high)
{
	struct place place = place_of(pin);
	if (high)
		place.port->latch |= place.mask;
	else
		place.port->latch &= ~place.mask;
	place.port->direction |= place.mask;
}

// edges tells of every pin of a port that changed. An interrupt that finds nothing had two edges in it: they were too
// close to tell apart. It is one function for three interrupts, which have to save few registers only to call it.
static __attribute__((noinline)) void edges(uint16_t count, uint8_t index, uint8_t levels, uint8_t watched, uint8_t pin)
{
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
