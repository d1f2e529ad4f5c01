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
	HEARD_SIZE = 64, // 1.3 ms at 500,000 baud; a power of two
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
	uint8_t status = UCSR0A, byte = UDR0, at = heard_in, next = (at + 1) % HEARD_SIZE;
	if (status & (_BV(FE0) | _BV(DOR0)))
		m328p_overruns++;
	if (status & _BV(FE0))
		return; // its stop bit was none: no such byte was sent
	uint8_t end = ends_in;
	bool ended = byte == 0 && within;
	if (next == heard_out || (ended && (uint8_t)(end - ends_out) == ENDS_SIZE)) {
		m328p_overruns++;
		return;
	}
	heard[at] = byte;
	heard_in = next;
	within = byte != 0;
	if (ended) {
		ends[end % ENDS_SIZE] = TCNT1;
		ends_in = end + 1;
	}
}

bool hal_receive(uint8_t *byte, uint64_t *frame_end)
{
	static bool within;
	uint8_t at = heard_out;
	if (at == heard_in)
		return false;
	*byte = heard[at];
	heard_out = (at + 1) % HEARD_SIZE;
	if (*byte != 0) {
		within = true;
		return true;
	}
	if (within) {
		uint8_t end = ends_out;
		uint16_t count = ends[end % ENDS_SIZE];
		ends_out = end + 1;
		hal_lock_t before = hal_lock();
		hal_instant_t now = hal_instant();
		hal_unlock(before);
		// It is less than a round of the timer ago: the main loop never takes so long.
		*frame_end = hal_microseconds(now) - (uint16_t)(now.count - count) / 2;
	}
	within = false;
	return true;
}

// The frame on its way out.
static const uint8_t *volatile sent;
static volatile uint8_t left;

ISR(USART_UDRE_vect)
{
	const uint8_t *next = sent;
	uint8_t more = left - 1;
	UDR0 = *next++;
	if (more == 0)
		UCSR0B &= ~_BV(UDRIE0);
	sent = next;
	left = more;
}

bool hal_sending(void) { return left > 0; }

void hal_send(const uint8_t *bytes, uint8_t count)
{
	sent = bytes;
	left = count;
	hal_lock_t before = hal_lock();
	UCSR0B |= _BV(UDRIE0);
	hal_unlock(before);
}
