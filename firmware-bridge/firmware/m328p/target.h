// The ATmega328P at 16 MHz, as on Arduino's Uno and Nano. See ../core/hal.h.
#pragma once

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/wdt.h>
#include <stdbool.h>
#include <stdint.h>

// Pins 0 to 13 are D0 to D13, 14 to 19 are A0 to A5. A6 and A7 of a Nano are no digital pins.
enum {
	HAL_PINS = 20,
	HAL_FIRST_OUTPUT = 2,
	HAL_RESOLUTION_NS = 1000,
};
#define HAL_KIND "m328p"

#define HAL_FLASH PROGMEM
static inline uint8_t hal_flash_8(const uint8_t *at) { return pgm_read_byte(at); }
static inline uint32_t hal_flash_32(const uint32_t *at) { return pgm_read_dword(at); }

typedef uint8_t hal_lock_t;
typedef uint16_t hal_mark_t; // a count of timer 1

static inline hal_lock_t hal_lock(void)
{
	uint8_t before = SREG;
	cli();
	__asm__ volatile("" ::: "memory");
	return before;
}

static inline void hal_unlock(hal_lock_t before)
{
	__asm__ volatile("" ::: "memory");
	SREG = before;
}

// m328p_awake is what an interrupt calls that has given the main loop something to do: it is one instruction.
enum { AWAKE = 1 << 0 }; // in GPIOR0
static inline void m328p_awake(void) { GPIOR0 |= AWAKE; }

static inline void hal_let_in(hal_lock_t before)
{
	hal_unlock(before);
	// The instruction behind the one that allows interrupts runs before any of them.
	__asm__ volatile("nop\n\tnop");
	hal_lock();
}

// Timer 1 counts half microseconds. Its overflows are the rest of the clock.
struct overflows {
	uint32_t low;
	uint16_t high;
};
extern struct overflows m328p_overflows;

typedef struct {
	uint16_t count, high;
	uint32_t low;
} hal_instant_t;

static inline hal_instant_t hal_instant(void)
{
	hal_instant_t at = {.count = TCNT1, .high = m328p_overflows.high, .low = m328p_overflows.low};
	// It may have gone over without its interrupt having run.
	if ((TIFR1 & _BV(TOV1)) != 0 && at.count < 0x8000) {
		at.low++;
		at.high += at.low == 0;
	}
	return at;
}

// m328p_low is the low half of the microseconds at a count of the timer that was read just now. Locked.
static inline uint32_t m328p_low(uint16_t count)
{
	uint32_t low = m328p_overflows.low;
	if ((TIFR1 & _BV(TOV1)) != 0 && count < 0x8000)
		low++;
	// The compiler would shift bytes that it need only name.
	union {
		uint16_t half[2];
		uint32_t whole;
	} us = {{count, (uint16_t)low}};
	us.whole >>= 1;
	return (uint8_t)(low >> 16) & 1 ? us.whole | UINT32_C(0x80000000) : us.whole;
}

static inline uint32_t hal_now(void) { return m328p_low(TCNT1); }

static inline uint64_t hal_microseconds(hal_instant_t at)
{
	return ((uint64_t)at.high << 48 | (uint64_t)at.low << 16 | at.count) >> 1;
}

static inline bool hal_edges_wait(void)
{
	// The flag follows the level that can be read by up to three cycles (figure 13-1 of the data sheet).
	__asm__ volatile("nop\n\tnop\n\tnop\n\tnop");
	return (PCIFR & PCICR) != 0;
}

static inline uint32_t hal_levels(void)
{
	uint8_t b = PINB, c = PINC, d = PIND;
	return d | (uint32_t)(uint8_t)((b & 0x3F) | c << 6) << 8 | (uint32_t)(uint8_t)(c >> 2 & 0x0F) << 16;
}

// m328p_listen is called at every tick, locked: from then on edges are taken again.
void m328p_listen(void);

extern uint16_t m328p_overruns;
static inline uint16_t hal_overruns(void) { return m328p_overruns; }

static inline void hal_feed(void) { wdt_reset(); }
