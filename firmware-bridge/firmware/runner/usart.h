// The serial port of the chip, in place of simavr's: that one has 64 places where the hardware has two, sends eleven bits
// a byte, and never overruns.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sim_avr.h>

struct usart_witness {
	void (*said)(uint64_t at, uint8_t byte);
	void (*overrun)(uint64_t at);
};

// usart_attach takes the port's registers over.
void usart_attach(avr_t *avr, double baud, const struct usart_witness *witness);

// usart_line sets the rate at which whoever is on the other end of the line speaks and listens.
void usart_line(double baud);

// usart_reset is the chip's reset. What is on the line stays there.
void usart_reset(void);

// usart_due is the cycle from which on usart_advance has something to do: it does what the line did up to then.
extern uint64_t usart_due;
void usart_advance(void);

// usart_interrupted is called when the chip went into an interrupt: one whose condition still holds waits again.
void usart_interrupted(void);

// usart_hear puts a byte on the line.
bool usart_hear(uint64_t at, uint8_t byte, bool spoilt);
