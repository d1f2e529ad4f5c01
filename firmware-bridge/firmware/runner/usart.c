#include "usart.h"

#include <sim_io.h>
#include <string.h>

// Addresses, bits and vectors of the ATmega328P.
enum {
	UCSRA = 0xC0, UCSRB = 0xC1, UBRRL = 0xC4, UBRRH = 0xC5, UDR = 0xC6,
	RXC = 1 << 7, TXC = 1 << 6, UDRE = 1 << 5, FE = 1 << 4, DOR = 1 << 3, U2X = 1 << 1,
	RXCIE = 1 << 7, TXCIE = 1 << 6, UDRIE = 1 << 5, RXEN = 1 << 4, TXEN = 1 << 3,
	VECTOR_RX = 18, VECTOR_UDRE = 19, VECTOR_TX = 20,
};

enum { LINE_MOST = 1 << 16, FIFO_SIZE = 2 };

struct byte {
	double starts; // of its start bit
	uint8_t value;
	bool spoilt, begun;
};

static avr_t *avr;
static const struct usart_witness *witness;
static avr_int_vector_t *rx, *udre, *tx;

// The line to the chip.
static double heard_bit; // cycles
static double line_free;
static struct byte line[LINE_MOST];
static uint32_t line_first, line_count;

// The receiver: two places and the shift register.
static struct byte fifo[FIFO_SIZE];
static uint8_t fifo_count;
static struct byte shifted;
static bool shifted_waits, overrun;

// The transmitter: the shift register and one place.
static bool shifting, buffered, sent;
static uint64_t shift_ends;
static uint8_t shift, buffer;

uint64_t usart_due;

static uint64_t up(double cycle)
{
	uint64_t whole = (uint64_t)cycle;
	return whole < cycle ? whole + 1 : whole;
}

static void plan(void)
{
	usart_due = shifting ? shift_ends : UINT64_MAX;
	if (line_count > 0) {
		const struct byte *first = &line[line_first];
		uint64_t next = up(first->starts + (first->begun ? 9.5 * heard_bit : 0));
		usart_due = next < usart_due ? next : usart_due;
	}
}

static uint32_t bit_cycles(void)
{
	uint32_t divisor = avr->data[UBRRL] | (avr->data[UBRRH] & 0x0F) << 8;
	return (divisor + 1) * (avr->data[UCSRA] & U2X ? 8 : 16);
}

static avr_int_vector_t *vector(uint8_t number)
{
	for (int i = 0; i < avr->interrupts.vector_count; i++)
		if (avr->interrupts.vector[i]->vector == number)
			return avr->interrupts.vector[i];
	return NULL;
}

// level makes an interrupt wait as long as its condition holds.
static void level(avr_int_vector_t *v, bool holds)
{
	if (holds && !v->pending)
		avr_raise_interrupt(avr, v);
	else if (!holds && v->pending)
		avr_clear_interrupt(avr, v);
}

static void raise(void)
{
	uint8_t enabled = avr->data[UCSRB];
	level(rx, (enabled & RXCIE) && fifo_count > 0);
	level(udre, (enabled & UDRIE) && (enabled & TXEN) && !buffered);
	level(tx, (enabled & TXCIE) && sent);
}

static uint8_t read_status(avr_t *chip, avr_io_addr_t address, void *param)
{
	(void)chip, (void)address, (void)param;
	uint8_t status = avr->data[UCSRA] & U2X;
	status |= fifo_count > 0 ? RXC : 0;
	status |= fifo_count > 0 && fifo[0].spoilt ? FE : 0;
	status |= overrun ? DOR : 0;
	status |= buffered ? 0 : UDRE;
	status |= sent ? TXC : 0;
	return status;
}

static void write_status(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
	(void)chip, (void)param;
	avr->data[address] = value & U2X;
	if (value & TXC)
		sent = false;
}

static void write_control(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
	(void)chip, (void)param;
	avr->data[address] = value;
	if (!(value & RXEN)) {
		fifo_count = 0;
		shifted_waits = overrun = false;
	}
	raise();
}

static uint8_t read_data(avr_t *chip, avr_io_addr_t address, void *param)
{
	(void)chip, (void)address, (void)param;
	uint8_t value = fifo[0].value;
	if (fifo_count == 0)
		return value;
	memmove(fifo, fifo + 1, sizeof fifo - sizeof *fifo);
	fifo_count--;
	overrun = false;
	if (shifted_waits) {
		fifo[fifo_count++] = shifted;
		shifted_waits = false;
	}
	raise();
	return value;
}

// understood tells whether the two ends have rates so near that the last bit of a byte still falls into its place.
static bool understood(void)
{
	double ratio = bit_cycles() / heard_bit;
	return ratio > 0.955 && ratio < 1.045;
}

// garbage is what is read of a byte at another rate.
static uint8_t garbage(uint8_t value) { return (uint8_t)(value << 1 ^ 0x5A); }

static void begin_shift(uint64_t at, uint8_t value)
{
	shifting = true;
	sent = false;
	shift = value;
	shift_ends = at + 10 * bit_cycles();
	plan();
}

static void write_data(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
	(void)chip, (void)address, (void)param;
	if (!(avr->data[UCSRB] & TXEN) || buffered)
		return; // as the hardware: nobody takes it
	if (shifting) {
		buffered = true;
		buffer = value;
	} else {
		begin_shift(avr->cycle, value);
	}
	raise();
}

static void send(void)
{
	while (shifting && shift_ends <= avr->cycle) {
		shifting = false;
		witness->said(shift_ends, understood() ? shift : garbage(shift));
		if (buffered) {
			buffered = false;
			begin_shift(shift_ends, buffer);
		} else {
			sent = true;
		}
	}
}

// arrive is the middle of a byte's stop bit, where the hardware takes it.
static void arrive(struct byte byte)
{
	if (!(avr->data[UCSRB] & RXEN))
		return;
	if (!understood()) {
		byte.value = garbage(byte.value);
		byte.spoilt = true;
	}
	if (fifo_count < FIFO_SIZE) {
		fifo[fifo_count++] = byte;
	} else {
		shifted = byte;
		shifted_waits = true;
	}
}

static void receive(void)
{
	while (line_count > 0) {
		struct byte *first = &line[line_first];
		if (!first->begun && first->starts <= avr->cycle) {
			first->begun = true;
			// The next start bit takes the shift register from a byte that found no place.
			if (shifted_waits) {
				shifted_waits = false;
				overrun = true;
				witness->overrun(avr->cycle);
			}
		}
		if (!first->begun || first->starts + 9.5 * heard_bit > avr->cycle)
			return;
		arrive(*first);
		line_first = (line_first + 1) % LINE_MOST;
		line_count--;
	}
}

void usart_advance(void)
{
	send();
	receive();
	raise();
	plan();
}

void usart_interrupted(void) { raise(); }

bool usart_hear(uint64_t at, uint8_t value, bool spoilt)
{
	if (line_count == LINE_MOST)
		return false;
	double starts = at > line_free ? at : line_free;
	line[(line_first + line_count++) % LINE_MOST] = (struct byte){starts, value, spoilt, false};
	line_free = starts + 10 * heard_bit;
	plan();
	return true;
}

void usart_reset(void)
{
	fifo_count = 0;
	shifted_waits = overrun = false;
	shifting = buffered = sent = false;
	plan();
}

void usart_line(double baud)
{
	heard_bit = avr->frequency / baud;
	plan();
}

void usart_attach(avr_t *chip, double baud, const struct usart_witness *w)
{
	avr = chip;
	witness = w;
	usart_line(baud);
	rx = vector(VECTOR_RX);
	udre = vector(VECTOR_UDRE);
	tx = vector(VECTOR_TX);
	avr->io[AVR_DATA_TO_IO(UCSRA)].r.c = read_status;
	avr->io[AVR_DATA_TO_IO(UCSRA)].w.c = write_status;
	avr->io[AVR_DATA_TO_IO(UCSRB)].w.c = write_control;
	avr->io[AVR_DATA_TO_IO(UBRRL)].w.c = NULL;
	avr->io[AVR_DATA_TO_IO(UBRRH)].w.c = NULL;
	avr->io[AVR_DATA_TO_IO(UDR)].r.c = read_data;
	avr->io[AVR_DATA_TO_IO(UDR)].w.c = write_data;
	usart_reset();
}
