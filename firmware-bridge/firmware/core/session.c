#include "session.h"

#include <string.h>

#include "crc.h"
#include "events.h"
#include "hal.h"
#include "outputs.h"
#include "store.h"
#include "version.h"

// After this long without a valid frame a session is over, so that nothing outlives the 32 bits of an event's age.
enum { LAPSE_MS = 30 * 60 * 1000L };

static uint32_t session; // 0 for none
static uint32_t boots;
static uint32_t configuration; // CRC-32C of the one in force
static uint16_t discarded;
static uint16_t errors;

// Ticks.
static uint32_t heard;    // the last valid frame
static uint32_t answered; // the last HELD or EVENTS
static uint32_t announced;

static bool beaten; // a BEAT came in this session
static uint16_t last_beat;

// Commands. What was taken is kept for as many as may come again.
static uint8_t expected; // number of the next one
static uint8_t known;    // how many before it are kept
static uint8_t taken[COMMANDS_OPEN]; // by number: type in the high half, result in the low one
static bool naming;                  // a NAME is being written, its answer waits

// SAFE.
static bool safe_came;
static uint8_t safe_number;
static uint8_t barred[HAL_PINS]; // as many commands are yet to come that a SAFE was sent behind
static uint8_t barring;          // the most of them

// What is owed.
static bool owes_board, owes_safe, owes_pong, owes_none;
static uint8_t owes_acks; // bit n: that of the command with a number of n modulo 8
static uint32_t owes_pins;
static uint8_t none; // the index that there is not
static uint32_t cookie;
static uint64_t pinged;

_Static_assert(COMMANDS_OPEN == 8, "owes_acks has a bit for each command");

static uint16_t get_16(const uint8_t *at)
{
	uint16_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

static uint32_t get_32(const uint8_t *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

static uint64_t get_64(const uint8_t *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

void session_error(void) { errors++; }

// rest ends a session, or what was before the first.
static void rest(void)
{
	outputs_rest();
	beaten = safe_came = naming = false;
	expected = known = 0;
	memset(barred, 0, sizeof barred);
	barring = 0;
	owes_board = owes_safe = owes_pong = owes_none = false;
	owes_acks = 0;
	owes_pins = 0;
}

void session_start(uint32_t count)
{
	boots = count;
	owes_board = true;
}

static bool take_hello(const uint8_t *payload)
{
	uint32_t wanted = get_32(payload);
	uint8_t lowest = payload[4], highest = payload[5];
	if ((uint8_t)wanted == 0 || lowest > highest)
		return false;
	owes_board = true;
	if (wanted == session || lowest > PROTOCOL_VERSION || highest < PROTOCOL_VERSION)
		return true;
	rest();
	discarded = events_begin();
	owes_board = true;
	session = wanted;
	return true;
}

static bool take_describe(const uint8_t *payload)
{
	uint8_t index = payload[0];
	if (index < HAL_PINS) {
		owes_pins |= UINT32_C(1) << index;
	} else {
		owes_none = true;
		none = index;
	}
	return true;
}

static bool take_beat(const uint8_t *payload, hal_mark_t end)
{
	uint16_t count = get_16(payload);
	if (beaten && (int16_t)(count - last_beat) <= 0)
		return false;
	beaten = true;
	last_beat = count;
	if (outputs_configured())
		outputs_beat(hal_marked(end));
	return true;
}

static bool take_ping(const uint8_t *payload, hal_mark_t end)
{
	for (uint8_t i = sizeof cookie; i < 44; i++)
		if (payload[i] != 0)
			return false;
	cookie = get_32(payload);
	pinged = hal_marked(end);
	owes_pong = true;
	return true;
}

static bool take_held(const uint8_t *payload)
{
	uint8_t again = payload[2];
	if (again > 1 || !events_held(get_16(payload), again))
		return false;
	answered = ticks_now();
	return true;
}

// bar keeps the commands that are yet to come from outputs that a SAFE was sent behind.
static void bar(uint32_t pins, uint8_t commands)
{
	for (uint8_t pin = 0; pin < HAL_PINS; pin++, pins >>= 1)
		if ((pins & 1) != 0 && barred[pin] < commands)
			barred[pin] = commands;
	if (barring < commands)
		barring = commands;
}

static bool take_safe(const uint8_t *payload, uint8_t number)
{
	bool fresh = !safe_came || number != safe_number;
	uint32_t pins = (uint32_t)get_64(payload);
	uint8_t between = payload[8] - expected;
	// More than there may be were none: the SAFE is an old one.
	if (between <= COMMANDS_OPEN)
		bar(pins, between);
	safe_came = true;
	safe_number = number;
	outputs_safe(pins, fresh, number);
	owes_safe = true;
	return true;
}

static enum result configure(const uint8_t *payload)
{
	uint16_t beat = get_16(payload);
	const uint8_t *modes = payload + sizeof beat;
	if (beat < BEAT_LEAST_MS || beat > BEAT_MOST_MS || !outputs_able(modes))
		return NOT_ABLE;
	if (outputs_same(beat, modes))
		return TAKEN;
	outputs_configure(beat, modes);
	configuration = ~crc_add(CRC_BEGIN, payload, sizeof beat + PINS_MOST / 2);
	return TAKEN;
}

static enum result set_output(const struct set *set, uint8_t number)
{
	if (set->pin < HAL_PINS && barred[set->pin] > 0 && outputs_beating() && outputs_away(set->pin, set->level))
		return SAFE_CAME;
	return outputs_set(set, number);
}

static void answer(uint8_t number, uint8_t type, enum result result)
{
	uint8_t place = number % COMMANDS_OPEN;
	taken[place] = (uint8_t)(type << 4 | result);
	owes_acks |= 1 << place;
	expected = number + 1;
	if (known < COMMANDS_OPEN)
		known++;
	if (barring == 0)
		return;
	barring--;
	for (uint8_t pin = 0; pin < HAL_PINS; pin++)
		barred[pin] -= barred[pin] > 0;
}

static bool take_name(const uint8_t *payload, uint8_t number)
{
	uint8_t id[ID_SIZE];
	if (!store_step())
		return true; // another one is being written: this one will come again
	// All 0xFF is what a board without an id has.
	bool blank = true;
	for (uint8_t i = 0; i < ID_SIZE; i++)
		blank = blank && payload[i] == 0xFF;
	if (blank || outputs_configured() || store_id(id)) {
		answer(number, NAME, NOT_NOW);
		return true;
	}
	store_name(payload);
	naming = true;
	return true;
}

// take_command takes what is the next command, or one that comes again.
static bool take_command(uint8_t type, uint8_t number, const uint8_t *payload)
{
	uint8_t before = expected - number;
	if (type == SET && payload[1] > 1)
		return false; // a level that there is not
	if (before > 0 && before <= known) {
		owes_acks |= 1 << number % COMMANDS_OPEN;
		return true;
	}
	if (before != 0)
		return false;
	if (naming)
		return true; // until it is written, nothing is taken: what comes will come again
	switch (type) {
	case CONFIGURE:
		answer(number, type, configure(payload));
		return true;
	case SET:
		answer(number, type, set_output((const struct set *)payload, number));
		return true;
	case NAME:
		return take_name(payload, number);
	default:
		answer(number, NOTHING, TAKEN);
		return true;
	}
}

static bool take(uint8_t type, uint8_t number, const uint8_t *payload, hal_mark_t end)
{
	switch (type) {
	case DESCRIBE:
		return take_describe(payload);
	case SAFE:
		return take_safe(payload, number);
	case BEAT:
		return take_beat(payload, end);
	case PING:
		return take_ping(payload, end);
	case HELD:
		return take_held(payload);
	default:
		return take_command(type, number, payload);
	}
}

bool session_frame(const uint8_t *frame, uint8_t length, hal_mark_t end)
{
	// Of the payload, for the types from HELLO to NAME.
	static const uint8_t sizes[] HAL_FLASH = {6, 1, 34, 14, 9, 2, 44, 3, 0, 8};

	uint8_t type = frame[1], number = frame[3];
	const uint8_t *payload = frame + HEADER_SIZE;
	if (type < HELLO || type > NAME || length - FRAME_LEAST != hal_flash_8(&sizes[type - HELLO]))
		return false;
	bool command = type == CONFIGURE || type == SET || type == NOTHING || type == NAME;
	if (number != 0 && !command && type != SAFE)
		return false;
	if (type != HELLO && (frame[0] != PROTOCOL_VERSION || session == 0 || frame[2] != (uint8_t)session))
		return false;
	if (!(type == HELLO ? take_hello(payload) : take(type, number, payload, end)))
		return false;
	heard = ticks_now();
	return true;
}

// name ends a NAME when its id is written.
static void name(void)
{
	uint8_t id[ID_SIZE];
	naming = false;
	answer(expected, NAME, store_id(id) ? TAKEN : NOT_NOW);
}

void session_step(void)
{
	uint32_t now = ticks_now();
	if (store_step() && naming)
		name();
	if (session != 0 && now - heard >= LAPSE_MS) {
		rest();
		session = 0;
		owes_board = true;
	}
	if (session == 0 && now - announced >= ANNOUNCE_MS)
		owes_board = true;
	if (session != 0 && events_open() && now - answered >= (now - heard < SILENT_MS ? RESEND_MS : ANNOUNCE_MS)) {
		events_resend();
		answered = now;
	}
}

static void begin(struct builder *b, uint8_t type, uint8_t number) { builder_begin(b, type, (uint8_t)session, number); }

static uint64_t clock_now(void)
{
	hal_lock_t before = hal_lock();
	hal_instant_t instant = hal_instant();
	hal_unlock(before);
	return hal_microseconds(instant);
}

// What says something is a function by itself, so that its stack is not that of all others too.
#define APART __attribute__((noinline))

static APART void say_board(struct builder *b)
{
	static const uint8_t release[] HAL_FLASH = {FIRMWARE_VERSION, FIRMWARE_BUILD}, kind[8] HAL_FLASH = HAL_KIND;
	_Static_assert(sizeof release == 3 + 8, "the sizes are those of BOARD");

	uint8_t id[ID_SIZE];
	bool named = store_id(id);
	owes_board = false;
	announced = ticks_now();
	begin(b, BOARD, 0);
	builder_32(b, session);
	builder_32(b, boots);
	builder_8(b, hal_cause());
	builder_8(b, outputs_configured() | outputs_beating() << 1 | named << 2);
	for (uint8_t i = 0; i < sizeof release; i++)
		builder_8(b, hal_flash_8(&release[i]));
	builder_add(b, id, sizeof id);
	builder_32(b, configuration);
	builder_16(b, discarded);
	builder_8(b, HAL_PINS);
	builder_16(b, EVENTS_ROOM);
	builder_16(b, HAL_RESOLUTION_NS);
	for (uint8_t i = 0; i < sizeof kind; i++)
		builder_8(b, hal_flash_8(&kind[i]));
	builder_64(b, clock_now());
}

static void say_ack(struct builder *b, uint8_t number, uint8_t type, uint8_t result)
{
	begin(b, ACK, number);
	builder_8(b, type);
	builder_8(b, result);
}

static APART void say_pong(struct builder *b)
{
	owes_pong = false;
	begin(b, PONG, 0);
	builder_32(b, cookie);
	builder_64(b, pinged);
	uint8_t ready = builder_do(b);

	// An edge whose interrupt waits would be stamped after the time, though its level was read before. So the levels are
	// read first, and again when an edge waits after that.
	hal_lock_t before = hal_lock();
	uint32_t levels = hal_levels();
	for (uint8_t tries = 0; hal_edges_wait() && tries < 8; tries++) {
		hal_let_in(before);
		levels = hal_levels();
	}
	hal_instant_t instant = hal_instant();
	uint32_t unsafe = outputs_unsafe();
	uint16_t next = events.next, dropped = events.dropped, glitches = events.glitches, overruns = hal_overruns();
	// It is on its way from this instant on; the rest is made before its turn comes.
	hal_send(b->wire, ready, false);
	hal_unlock(before);

	builder_64(b, levels & inputs_watched());
	builder_64(b, unsafe);
	builder_16(b, next);
	builder_16(b, dropped);
	builder_16(b, glitches);
	builder_16(b, errors + overruns);
	builder_64(b, hal_microseconds(instant));
}

static APART void say_next_ack(struct builder *b)
{
	uint8_t number = expected - known;
	while ((owes_acks & 1 << number % COMMANDS_OPEN) == 0)
		number++;
	uint8_t place = number % COMMANDS_OPEN;
	owes_acks &= ~(1 << place);
	say_ack(b, number, taken[place] >> 4, taken[place] & 0x0F);
}

static void say_pin(struct builder *b, uint8_t index)
{
	char text[8] = {0};
	bool is = index < HAL_PINS;
	if (is)
		hal_name(index, text);
	begin(b, PIN, 0);
	builder_8(b, index);
	builder_8(b, is ? hal_abilities(index) : 0);
	builder_add(b, text, sizeof text);
}

static APART void say_next_pin(struct builder *b)
{
	uint8_t index = 0;
	while ((owes_pins >> index & 1) == 0)
		index++;
	owes_pins &= ~(UINT32_C(1) << index);
	say_pin(b, index);
}

static APART void say_events(struct builder *b)
{
	begin(b, EVENTS, 0);
	events_build(b);
	answered = ticks_now();
}

bool session_answer(struct builder *b)
{
	// The id is read from memory that must not be waited for.
	if (owes_board && hal_store_ready()) {
		say_board(b);
	} else if (owes_safe) {
		owes_safe = false;
		say_ack(b, safe_number, SAFE, TAKEN);
	} else if (owes_pong) {
		say_pong(b);
	} else if (owes_acks != 0) {
		say_next_ack(b);
	} else if (owes_pins != 0) {
		say_next_pin(b);
	} else if (owes_none) {
		owes_none = false;
		say_pin(b, none);
	} else if (session != 0 && events_unsent()) {
		say_events(b);
	} else {
		return false;
	}
	return true;
}
