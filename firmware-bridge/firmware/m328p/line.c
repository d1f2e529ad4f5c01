#include "line.h"

#include "hal.h"
#include "protocol.h"

#ifndef BAUD
#define BAUD 500000
#endif

// The divisor with double speed, rounded. 500,000 is exact; 115,200 is 2.1 % off.
#define DIVISOR ((F_CPU + BAUD * 4L) / (BAUD * 8L) - 1)
_Static_assert(DIVISOR >= 0 && DIVISOR < 4096, "the baud rate is one that the line can have");

enum {
	HEARD_SIZE = 64, // 1.3 ms at 500,000 baud
	ENDS_SIZE = 8,
};

// What came. The interrupt writes at `heard_in`, the main loop reads at `heard_out`; both are of one byte, so that
// neither needs a lock.
static volatile uint8_t heard[HEARD_SIZE];
static volatile uint8_t heard_in, heard_out;

// When frames ended, in counts of the timer: for each zero behind something else, in the same order.
static volatile uint16_t ends[ENDS_SIZE];
static volatile uint8_t ends_in, ends_out;

uint16_t m328p_overruns;

void line_begin(void)
{
	UCSR0A = _BV(U2X0); // before the divisor, which means another rate without it
	UBRR0 = DIVISOR;
	UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
	UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
}

ISR(USART_RX_vect)
{
	static bool within; // something came since the last zero
	uint8_t status = UCSR0A, byte = UDR0, at = heard_in, next = at + 1;
	if (next == HEARD_SIZE)
		next = 0;
	if (status & (_BV(FE0) | _BV(DOR0))) {
		m328p_overruns++;
		if (status & _BV(FE0))
			return; // its stop bit was none: no such byte was sent
	}
	if (next == heard_out) {
		m328p_overruns++;
		return;
	}
	if (byte == 0 && within) {
		uint8_t end = ends_in;
		if ((uint8_t)(end - ends_out) == ENDS_SIZE) {
			m328p_overruns++;
			return;
		}
		ends[end % ENDS_SIZE] = TCNT1;
		ends_in = end + 1;
	}
	within = byte != 0;
	heard[at] = byte;
	heard_in = next;
	if (byte == 0 || next % (HEARD_SIZE / 2) == 0) // a frame, or soon no room
		m328p_awake();
}

uint8_t hal_heard(const uint8_t **bytes)
{
	uint8_t in = heard_in, from = heard_out;
	*bytes = (const uint8_t *)&heard[from];
	return in >= from ? in - from : HEARD_SIZE - from;
}

void hal_took(uint8_t count)
{
	uint8_t from = heard_out + count;
	heard_out = from == HEARD_SIZE ? 0 : from;
}

bool hal_hurry(void)
{
	uint8_t in = heard_in, from = heard_out, waits = in >= from ? in - from : in + HEARD_SIZE - from;
	return waits > HEARD_SIZE / 2;
}

hal_mark_t hal_frame_end(void)
{
	uint8_t end = ends_out;
	uint16_t count = ends[end % ENDS_SIZE];
	ends_out = end + 1;
	return count;
}

uint64_t hal_marked(hal_mark_t count)
{
	hal_lock_t before = hal_lock();
	hal_instant_t now = hal_instant();
	hal_unlock(before);
	// It is less than a round of the timer ago: the main loop never takes so long.
	return hal_microseconds(now) - (uint16_t)(now.count - count) / 2;
}

// The frame on its way out: what goes next, and the end of what is ready.
static const uint8_t *volatile sent;
static const uint8_t *volatile ready_end;
static bool open; // there will be more of it

ISR(USART_UDRE_vect)
{
	const uint8_t *next = sent;
	if (next == ready_end) {
		UCSR0B &= ~_BV(UDRIE0);
		return;
	}
	UDR0 = *next++;
	sent = next;
	if (next == ready_end)
		m328p_awake();
}

bool hal_sending(void)
{
	hal_lock_t before = hal_lock();
	bool some = open || sent != ready_end;
	hal_unlock(before);
	return some;
}

void hal_send(const uint8_t *frame, uint8_t ready, bool whole)
{
	hal_lock_t before = hal_lock();
	if (!open)
		sent = frame;
	ready_end = frame + ready;
	open = !whole;
	UCSR0B |= _BV(UDRIE0);
	hal_unlock(before);
}
