// The start, the clock, the watchdog and the memory that outlasts a reset.
#include <avr/eeprom.h>
#include <avr/sleep.h>

#include "board.h"
#include "hal.h"
#include "line.h"
#include "protocol.h"

// flags are the reset flags, as they were. They must be taken and cleared before anything else: the watchdog goes on
// after it has reset the board, with 16 ms to live.
static uint8_t flags __attribute__((section(".noinit")));

// The name is the linker's: what lies in .init3 runs before memory is filled and main is called.
void m328p_first(void) __attribute__((naked, used, section(".init3")));
void m328p_first(void)
{
	flags = MCUSR;
	MCUSR = 0;
	wdt_enable(WDTO_250MS);
}

// cause tells the flags apart. A slow rise of the supply is a brown-out too, but began with the power. A boot loader
// that clears them leaves none.
uint8_t hal_cause(void)
{
	if (flags & _BV(PORF))
		return CAUSE_POWER;
	if (flags & _BV(BORF))
		return CAUSE_BROWN_OUT;
	if (flags & _BV(WDRF))
		return CAUSE_WATCHDOG;
	return (flags & _BV(EXTRF)) != 0 ? CAUSE_PIN : CAUSE_UNKNOWN;
}

struct overflows m328p_overflows;

ISR(TIMER1_OVF_vect)
{
	if (++m328p_overflows.low == 0)
		m328p_overflows.high++;
}

// Others may interrupt it: what is stamped must not wait for it. Only itself may not, however long they hold it up.
ISR(TIMER2_COMPA_vect, ISR_NOBLOCK)
{
	TIMSK2 = 0;
	board_tick();
	cli();
	m328p_listen();
	TIMSK2 = _BV(OCIE2A);
	m328p_awake();
}

// Timer 1 runs freely, timer 2 interrupts every millisecond. They begin together, so that a tick is a whole
// millisecond of the clock.
static void clock_begin(void)
{
	GTCCR = _BV(TSM) | _BV(PSRASY) | _BV(PSRSYNC);
	TCCR2A = _BV(WGM21);
	OCR2A = F_CPU / 64 / 1000 - 1;
	TCCR2B = _BV(CS22);
	TIMSK2 = _BV(OCIE2A);
	TIMSK1 = _BV(TOIE1);
	TCCR1B = _BV(CS11);
	GTCCR = 0;
}

uint8_t hal_stored(uint16_t address) { return eeprom_read_byte((const uint8_t *)address); }
bool hal_store_ready(void) { return eeprom_is_ready(); }

void hal_store(uint16_t address, uint8_t value)
{
	EEAR = address;
	EEDR = value;
	hal_lock_t before = hal_lock();
	EECR = _BV(EEMPE);
	EECR |= _BV(EEPE);
	hal_unlock(before);
}

// rest stops the processor until an interrupt gives the main loop something to do, which may have happened since the round
// began: the clock and the line go on. What follows sei is done before any interrupt.
static void rest(void)
{
	cli();
	while ((GPIOR0 & AWAKE) == 0) {
		sei();
		sleep_cpu();
		__asm__ volatile("nop"); // simavr lets an interrupt in an instruction later than the chip
		cli();
	}
	sei();
}

int main(void)
{
	board_begin();
	line_begin();
	clock_begin();
	m328p_listen();
	set_sleep_mode(SLEEP_MODE_IDLE);
	sleep_enable();
	sei();
	for (;;) {
		GPIOR0 &= ~AWAKE;
		if (!board_step())
			rest();
	}
}
