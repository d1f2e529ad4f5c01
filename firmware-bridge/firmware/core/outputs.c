#include "outputs.h"

#include <string.h>

#include "events.h"

enum { TICK_US = 1000 };

// LONGEST is the longest time that fits with the ticks it is rounded up to: 4 ms less than 71 minutes.
#define LONGEST UINT32_C(0xFFFFF000)

// One output. The main loop changes it locked. The tick reads it so: the main loop never interrupts the tick.
struct output {
	uint32_t longest; // of what is pending
	uint32_t until;   // the tick at which it falls back
	uint16_t at;      // the tick at which what is pending is done, modulo 65,536
	uint8_t number;   // of what is pending
};

static struct output outputs[HAL_PINS - HAL_FIRST_OUTPUT];

static struct output *output_of(uint8_t pin) { return &outputs[pin - HAL_FIRST_OUTPUT]; }

// Sets of pins.
static uint32_t all;     // outputs
static uint32_t inputs;
static uint32_t high;    // outputs whose safe level is high
static uint32_t unsafe;  // not at their safe level
static uint32_t pending; // a SET waits for its instant

static uint8_t modes_now[(HAL_PINS + 1) / 2]; // the rest is unused
static uint16_t beat;
static bool configured;
static bool driven; // since the first heartbeat after it was configured
static bool beating;
static uint32_t beat_until; // tick

// A tick that makes up more than so many is too late for what the board promises.
enum { PUNCTUAL = 5 };
static bool punctual;

static uint32_t tick;
static uint32_t tick_at; // when it was, low half of the board's clock

static uint8_t mode_of(const uint8_t modes[PINS_MOST / 2], uint8_t pin)
{
	return pin & 1 ? modes[pin / 2] >> 4 : modes[pin / 2] & 0x0F;
}

uint32_t ticks_now(void)
{
	hal_lock_t before = hal_lock();
	uint32_t now = tick;
	hal_unlock(before);
	return now;
}

bool ticks_punctual(void) { return punctual; }

static uint32_t mask_of(uint8_t pin) { return pin < HAL_PINS ? UINT32_C(1) << pin : 0; }

bool outputs_away(uint8_t pin, bool level)
{
	uint32_t mask = mask_of(pin);
	return (all & mask) != 0 && level != ((high & mask) != 0);
}

bool outputs_configured(void) { return configured; }
bool outputs_beating(void) { return beating; }
uint32_t outputs_unsafe(void) { return unsafe; }
uint32_t inputs_watched(void) { return inputs; }

bool outputs_same(uint16_t beat_ms, const uint8_t modes[PINS_MOST / 2])
{
	return configured && beat_ms == beat && memcmp(modes, modes_now, sizeof modes_now) == 0;
}

bool outputs_able(const uint8_t modes[PINS_MOST / 2])
{
	for (uint8_t pin = 0; pin < PINS_MOST; pin++) {
		uint8_t needed, able = pin < HAL_PINS ? hal_abilities(pin) : 0;
		switch (mode_of(modes, pin)) {
		case MODE_UNUSED:
			needed = 0;
			break;
		case MODE_INPUT:
			needed = ABLE_INPUT;
			break;
		case MODE_PULL_UP:
			needed = ABLE_INPUT | ABLE_PULL_UP;
			break;
		case MODE_OUT_LOW:
		case MODE_OUT_HIGH:
			needed = ABLE_OUTPUT;
			break;
		default:
			return false;
		}
		if ((needed & ~able) != 0)
			return false;
	}
	return true;
}

// drive gives an output a level, forgets what is pending for it, and tells why if anybody wants to know. The mask is
// that of the pin: to shift that far takes long on a small board. Locked.
static inline __attribute__((always_inline)) void drive(uint8_t pin, uint32_t mask, bool level, enum how how, uint8_t number, bool told)
{
	hal_drive(pin, level);
	uint32_t at = hal_now();
	if (level == ((high & mask) != 0))
		unsafe &= ~mask;
	else
		unsafe |= mask;
	pending &= ~mask;
	if (told)
		events_done(at, pin, level, how, number);
}

// drive_safe takes some of the outputs to their safe level.
static void drive_safe(uint32_t pins, enum how how, uint8_t number, bool told)
{
	uint32_t mask = 1;
	for (uint8_t pin = 0; pin < HAL_PINS; pin++, mask <<= 1) {
		if ((pins & mask) == 0)
			continue;
		hal_lock_t before = hal_lock();
		drive(pin, mask, (high & mask) != 0, how, number, told);
		hal_unlock(before);
	}
}

// rest_safe drives outputs to their safe level. Before the first heartbeat they are not driven: resistors hold them at
// that level, and it is only told that they are there.
static void rest_safe(uint32_t pins, enum how how, uint8_t number, bool told)
{
	if (driven) {
		drive_safe(pins, how, number, told);
		return;
	}
	uint32_t mask = 1;
	for (uint8_t pin = 0; told && pin < HAL_PINS; pin++, mask <<= 1) {
		if ((pins & mask) == 0)
			continue;
		hal_lock_t before = hal_lock();
		events_done(hal_now(), pin, (high & mask) != 0, how, number);
		hal_unlock(before);
	}
}

void outputs_safe(uint32_t pins, bool told, uint8_t number) { rest_safe(pins & all, BY_SAFE, number, told); }

void outputs_rest(void)
{
	hal_lock_t before = hal_lock();
	beating = false;
	pending = 0;
	hal_unlock(before);
	outputs_safe(all, false, 0);
}

void outputs_configure(uint16_t beat_ms, const uint8_t modes[PINS_MOST / 2])
{
	outputs_rest();
	hal_lock_t before = hal_lock();
	driven = false;
	all = inputs = high = unsafe = 0;
	hal_unlock(before);
	for (uint8_t pin = 0; pin < HAL_PINS; pin++)
		hal_release(pin);

	beat = beat_ms;
	memcpy(modes_now, modes, sizeof modes_now);
	configured = true;
	uint32_t mask = 1, in = 0, out = 0, out_high = 0;
	for (uint8_t pin = 0; pin < HAL_PINS; pin++, mask <<= 1) {
		uint8_t mode = mode_of(modes, pin);
		if (mode == MODE_INPUT || mode == MODE_PULL_UP) {
			hal_input(pin, mode == MODE_PULL_UP);
			in |= mask;
		} else if (mode != MODE_UNUSED) {
			out |= mask;
			out_high |= mode == MODE_OUT_HIGH ? mask : 0;
		}
	}
	before = hal_lock();
	all = out;
	high = out_high;
	inputs = in;
	hal_unlock(before);

	// Apart, so that what is pulled up has risen before it is looked at.
	mask = 1;
	for (uint8_t pin = 0; pin < HAL_PINS; pin++, mask <<= 1) {
		if ((in & mask) == 0)
			continue;
		before = hal_lock();
		hal_watch(pin);
		hal_unlock(before);
	}
}

void outputs_beat(uint64_t came)
{
	hal_lock_t before = hal_lock();
	uint32_t late = tick_at - (uint32_t)came, now = tick;
	hal_unlock(before);
	// It came before that tick or after it.
	uint32_t until = late > INT32_MAX ? now + beat + 1 : now + beat - late / TICK_US;
	before = hal_lock();
	beat_until = until;
	bool first = !beating;
	hal_unlock(before);
	if (!first)
		return;

	bool drives = !driven;
	before = hal_lock();
	driven = true;
	hal_unlock(before);
	if (drives)
		drive_safe(all, BY_SAFE, 0, false);
	beating = true;
}

// A span as whole ticks and the rest of one: what is slow is divided before anything is locked.
struct span {
	uint32_t ticks;
	uint16_t rest;
};

static struct span span_of(uint32_t us)
{
	struct span span = {us / TICK_US, us % TICK_US};
	return span;
}

// tick_after is the first tick that is a span or more after an instant, which lies `since` after the tick `from`.
static uint32_t tick_after(uint32_t from, uint32_t since, struct span span)
{
	uint32_t more = since + span.rest;
	for (; more > TICK_US; more -= TICK_US)
		from++;
	return from + span.ticks + (more > 0);
}

// begin drives an output away from its safe level, for a time. Locked.
static void begin(uint8_t pin, uint32_t mask, uint8_t number, struct span longest)
{
	drive(pin, mask, (high & mask) == 0, BY_SET, number, true);
	output_of(pin)->until = tick_after(tick, hal_now() - tick_at, longest);
}

// A SET on its way: how long it is until then, 0 for now, from how long after which tick.
struct moment {
	uint32_t tick, since, ahead;
};

// judge tells whether a SET can be done at its instant, `span` from now, as the halves of a number of 64 bits with a
// sign: on a small board whole ones cost a great deal of stack.
static enum result judge(uint32_t low, uint32_t half, uint32_t *ahead)
{
	*ahead = 0;
	if (half == 0) {
		*ahead = low;
		return low > MOST_AHEAD ? TOO_FAR_AHEAD : TAKEN;
	}
	if (half == UINT32_MAX)
		return -low > LATE_AFTER ? LATE : TAKEN;
	return half >> 31 != 0 ? LATE : TOO_FAR_AHEAD;
}

// moment_of is a function by itself so that its large numbers are off the stack when an output is driven.
static __attribute__((noinline)) enum result moment_of(const struct set *set, struct moment *moment)
{
	union {
		uint64_t whole;
		uint32_t half[2];
	} span;
	hal_lock_t before = hal_lock();
	hal_instant_t instant = hal_instant();
	moment->tick = tick;
	moment->since = hal_now() - tick_at;
	hal_unlock(before);
	span.whole = set->at - hal_microseconds(instant);
	if (set->longest == 0)
		return NO_LONGEST;
	// No clock gets there: what would be far past is far ahead.
	if (set->at >> 63 != 0)
		return TOO_FAR_AHEAD;
	return judge(span.half[0], span.half[1], &moment->ahead);
}

// act does or keeps a SET to the level that is not safe.
static __attribute__((noinline)) enum result act(const struct set *set, uint32_t mask, uint8_t number, const struct moment *moment)
{
	enum result result = TAKEN;
	bool later = moment->ahead > 0;
	uint32_t longest = set->longest < LONGEST ? set->longest : LONGEST;
	struct span span = span_of(later ? moment->ahead : longest);
	uint16_t at = later ? (uint16_t)tick_after(moment->tick, moment->since, span) : 0;
	hal_lock_t before = hal_lock();
	if (!beating) {
		result = NO_HEARTBEAT; // lost since the command was looked at
	} else if (later) {
		struct output *output = output_of(set->pin);
		output->at = at;
		output->longest = longest;
		output->number = number;
		pending |= mask;
	} else {
		begin(set->pin, mask, number, span);
	}
	hal_unlock(before);
	return result;
}

enum result outputs_set(const struct set *set, uint8_t number)
{
	if (!configured)
		return NOT_CONFIGURED;
	uint32_t mask = mask_of(set->pin);
	if ((all & mask) == 0)
		return NO_OUTPUT;
	if (!outputs_away(set->pin, set->level)) {
		rest_safe(mask, BY_SET, number, true);
		return TAKEN;
	}
	if (!beating)
		return NO_HEARTBEAT;
	struct moment moment;
	enum result result = moment_of(set, &moment);
	return result == TAKEN ? act(set, mask, number, &moment) : result;
}

// take_back does for one output what a tick asks for.
static void take_back(uint8_t pin, uint32_t mask)
{
	struct output *output = output_of(pin);
	if ((unsafe & mask) != 0 && (int32_t)(tick - output->until) >= 0) {
		hal_lock_t before = hal_lock();
		drive(pin, mask, (high & mask) != 0, BY_LONGEST, 0, true);
		hal_unlock(before);
	}
	// At most 60 s ahead it is not before; the rest of 65,536 ticks is for a tick that could not look in time.
	if ((pending & mask) != 0 && (uint16_t)((uint16_t)tick - output->at) < UINT16_MAX / 16) {
		struct span longest = span_of(output->longest);
		hal_lock_t before = hal_lock();
		begin(pin, mask, output->number, longest);
		hal_unlock(before);
	}
}

void outputs_tick(void)
{
	hal_lock_t before = hal_lock();
	uint32_t since = hal_now() - tick_at;
	hal_unlock(before);
	// Those that did not come are made up: the clock counts, not how often somebody calls.
	uint16_t passed = 0;
	for (; since > TICK_US / 2 && since <= INT32_MAX; since -= TICK_US)
		passed++;
	before = hal_lock();
	tick += passed;
	tick_at += (uint32_t)passed * TICK_US;
	punctual = passed <= PUNCTUAL;
	hal_unlock(before);

	if (beating && (int32_t)(tick - beat_until) >= 0) {
		beating = false;
		pending = 0;
		drive_safe(unsafe, BY_LOSS, 0, true);
	}
	uint32_t busy = unsafe | pending, mask = 1;
	for (uint8_t pin = 0; busy != 0; pin++, mask <<= 1, busy >>= 1)
		if ((busy & 1) != 0)
			take_back(pin, mask);
}
