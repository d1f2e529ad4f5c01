#include "host.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "events.h"
#include "hal.h"

struct host host;

// STEP_US is a round of the main loop.
enum { STEP_US = 50, STORE_US = 3400 };

void host_begin(void)
{
	memset(&host, 0, sizeof host);
	memset(host.store, 0xFF, sizeof host.store);
	host.cause = CAUSE_POWER;
	host.power_left = INT32_MAX;
}

// must ends the test when the firmware breaks the HAL's rules.
static void must(bool holds)
{
	if (!holds)
		abort();
}

hal_lock_t hal_lock(void)
{
	bool before = host.locked;
	host.locked = true;
	return before;
}

void hal_unlock(hal_lock_t before) { host.locked = before; }

void hal_let_in(hal_lock_t before)
{
	must(host.locked);
	(void)before;
}

uint32_t hal_now(void)
{
	must(host.locked);
	return (uint32_t)host.now;
}

hal_instant_t hal_instant(void)
{
	must(host.locked);
	return host.now;
}

bool hal_edges_wait(void)
{
	must(host.locked);
	return false;
}

uint32_t hal_levels(void)
{
	uint32_t levels = host.levels;
	for (uint8_t pin = 0; pin < HAL_PINS; pin++)
		if (host.pins[pin] == PIN_HIGH)
			levels |= UINT32_C(1) << pin;
	return levels;
}

uint16_t hal_overruns(void) { return 0; }
uint8_t hal_cause(void) { return host.cause; }
void hal_feed(void) { host.fed++; }

// The pins are able to what those of the ATmega328P are.
uint8_t hal_abilities(uint8_t pin)
{
	must(pin < HAL_PINS);
	if (pin < 2)
		return 0;
	return pin == 13 ? ABLE_INPUT | ABLE_TIMED : ABLE_INPUT | ABLE_OUTPUT | ABLE_PULL_UP | ABLE_TIMED;
}

void hal_name(uint8_t pin, char name[8])
{
	must(pin < HAL_PINS);
	name[0] = 'P';
	name[1] = (char)('0' + pin / 10);
	name[2] = (char)('0' + pin % 10);
}

static void become(uint8_t pin, enum host_pin is)
{
	must(pin < HAL_PINS);
	if (host.pins[pin] == is)
		return;
	host.pins[pin] = is;
	must(host.moved < HOST_MOVES);
	host.moves[host.moved++] = (struct host_move){host.now, pin, is};
}

void hal_input(uint8_t pin, bool pull_up)
{
	must((hal_abilities(pin) & ABLE_INPUT) != 0);
	become(pin, pull_up ? PIN_PULL : PIN_IN);
}

void hal_release(uint8_t pin)
{
	become(pin, PIN_IN);
	host.watched &= ~(UINT32_C(1) << pin);
}

void hal_watch(uint8_t pin)
{
	must(host.locked);
	host.watched |= UINT32_C(1) << pin;
}

void hal_drive(uint8_t pin, bool high)
{
	must(host.locked && (hal_abilities(pin) & ABLE_OUTPUT) != 0);
	become(pin, high ? PIN_HIGH : PIN_LOW);
}

uint8_t hal_heard(const uint8_t **bytes)
{
	uint32_t count = host.heard_in - host.heard_out;
	*bytes = host.heard + host.heard_out;
	return count < 50 ? (uint8_t)count : 50;
}

void hal_took(uint8_t count)
{
	must(host.heard_out + count <= host.heard_in);
	host.heard_out += count;
}

bool hal_hurry(void) { return host.crowded; }

uint64_t hal_marked(hal_mark_t mark) { return mark; }

hal_mark_t hal_frame_end(void)
{
	must(host.heard_out > 0 && host.heard[host.heard_out - 1] == 0);
	return host.heard_at[host.heard_out - 1];
}

void hal_send(const uint8_t *frame, uint8_t ready, bool whole)
{
	static uint8_t sent; // of a frame that is not whole yet
	must(sent > 0 || !hal_sending());
	if (host.said_in + ready > HOST_LINE)
		host.said_in = host.said_out = 0; // nobody listens
	for (; sent < ready; sent++)
		host.said[host.said_in++] = frame[sent];
	host.line_free = whole ? host.now + ready * host.us_per_byte : UINT64_MAX;
	if (whole)
		sent = 0;
}

bool hal_sending(void) { return host.now < host.line_free; }

uint8_t hal_stored(uint16_t address)
{
	must(address < HOST_STORE && hal_store_ready());
	return host.store[address];
}

void hal_store(uint16_t address, uint8_t value)
{
	must(address < HOST_STORE && hal_store_ready());
	// A byte is erased before it is written: where the power goes, it is left so.
	if (host.power_left >= 0)
		host.store[address] = --host.power_left < 0 ? 0xFF : value;
	host.writes++;
	// Before the first tick nothing lets time pass.
	if (host.now >= 1000)
		host.store_ready = host.now + STORE_US;
}

bool hal_store_ready(void) { return host.now >= host.store_ready; }

void host_hear(const uint8_t *bytes, uint32_t count)
{
	if (host.heard_in == host.heard_out)
		host.heard_in = host.heard_out = 0;
	must(host.heard_in + count <= HOST_LINE);
	for (uint32_t i = 0; i < count; i++) {
		host.heard_at[host.heard_in] = host.now;
		host.heard[host.heard_in++] = bytes[i];
	}
}

void host_edge(uint8_t pin, bool high)
{
	uint32_t mask = UINT32_C(1) << pin;
	bool changed = ((host.levels & mask) != 0) != high;
	host.levels = high ? host.levels | mask : host.levels & ~mask;
	if (!changed || (host.watched & mask) == 0)
		return;
	hal_lock_t before = hal_lock();
	events_edge(hal_now(), pin, high);
	hal_unlock(before);
}

// round_of_the_loop is one of the main loop. Where it says that the processor may rest, another would do nothing: what it has just
// said ends in an interrupt.
static void round_of_the_loop(void)
{
	uint32_t said = host.said_in;
	if (board_step() || host.said_in != said)
		return;
	must(!board_step() && host.said_in == said);
}

void host_run(uint32_t us)
{
	uint32_t step = host.hurry ? 1000 : STEP_US;
	for (uint64_t until = host.now + us; host.now < until;) {
		uint64_t tick = (host.now / 1000 + 1) * 1000, next = host.now + step;
		if (next > tick)
			next = tick;
		host.now = next < until ? next : until;
		if (host.now == tick && !host.tick_dead)
			board_tick();
		if (!host.loop_dead)
			round_of_the_loop();
	}
}
