// Sessions, descriptions, commands and their numbers, SAFE before commands, PING.
#include <string.h>

#include "board.h"
#include "crc.h"
#include "session.h"
#include "test.h"

// Where the fields of BOARD lie in its frame.
enum { AT_SESSION = 4, AT_BOOT = 8, AT_CAUSE = 12, AT_STATE = 13, AT_ID = 25, AT_CONFIGURATION = 33, AT_DISCARDED = 37, AT_PINS = 39, AT_ROOM = 40, AT_TIME = 52 };
// And those of PONG.
enum { AT_COOKIE = 4, AT_RECEIVED = 8, AT_LEVELS = 16, AT_UNSAFE = 24, AT_NEXT = 32, AT_PONG_TIME = 40 };

static const uint8_t no_pins[] = {0, 0};

static void a_board_says_that_it_started(void)
{
	host.cause = CAUSE_BROWN_OUT;
	board_begin();
	host_run(1000);
	for (int i = 0; i < 3; i++) {
		struct answer board = expect(BOARD);
		CHECK_EQUAL(board.length, 64);
		CHECK_EQUAL(board.bytes[0], PROTOCOL_VERSION);
		CHECK_EQUAL(board.bytes[2], 0);
		CHECK_EQUAL(get32(&board, AT_SESSION), 0);
		CHECK_EQUAL(get32(&board, AT_BOOT), 1);
		CHECK_EQUAL(board.bytes[AT_CAUSE], CAUSE_BROWN_OUT);
		CHECK_EQUAL(board.bytes[AT_STATE], 0);
		CHECK_EQUAL(get64(&board, AT_ID), -1);
		CHECK_EQUAL(board.bytes[AT_PINS], HAL_PINS);
		CHECK(get16(&board, AT_ROOM) >= 96);
		quiet();
		host_run(990000);
		quiet();
		host_run(10000);
	}
	forget();
	open_session(SESSION);
	host_run(2500000);
	quiet();
}

static void a_new_session_begins_with_nothing(void)
{
	ready();
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN);
	CHECK_EQUAL(set(HIGH_SAFE, 0, host.now + 500000, 1000000), TAKEN);
	host_edge(INPUT, true);
	host_edge(INPUT, false);
	struct answer board = open_session(SESSION + 1);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	CHECK_EQUAL(get16(&board, AT_DISCARDED), 3); // a DONE and two edges
	CHECK_EQUAL(board.bytes[AT_STATE], 1);
	uint32_t configuration = get32(&board, AT_CONFIGURATION);
	CHECK(configuration != 0);
	host_run(600000);
	CHECK_EQUAL(host.pins[HIGH_SAFE], PIN_HIGH);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), NO_HEARTBEAT); // number 0 again
	beat(7);
	host_edge(INPUT, true);
	host_run(1000);
	struct answer events = expect(EVENTS);
	CHECK_EQUAL(get16(&events, 4), 0);

	// The same one again changes nothing.
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN);
	uint8_t payload[6] = {0x79, 0x56, 0x34, 0x12, 1, 1};
	forget();
	tell(HELLO, 0, payload, sizeof payload);
	board = expect(BOARD);
	CHECK_EQUAL(get32(&board, AT_SESSION), SESSION + 1);
	CHECK_EQUAL(get16(&board, AT_DISCARDED), 3);
	CHECK_EQUAL(get32(&board, AT_CONFIGURATION), configuration);
	CHECK_EQUAL(board.bytes[AT_STATE], 3);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_HIGH);
}

static void another_version_is_answered_only(void)
{
	board_begin();
	open_session(SESSION);
	const uint8_t payloads[][6] = {{1, 2, 3, 4, 2, 9}, {1, 2, 3, 4, 0, 0}};
	for (int i = 0; i < 2; i++) {
		tell(HELLO, 0, payloads[i], 6);
		struct answer board = expect(BOARD);
		CHECK_EQUAL(get32(&board, AT_SESSION), SESSION);
	}
	const uint8_t wrong[][6] = {{0, 2, 3, 4, 1, 1}, {1, 2, 3, 4, 2, 1}};
	for (int i = 0; i < 2; i++) {
		tell(HELLO, 0, wrong[i], 6);
		quiet();
	}
	CHECK_EQUAL(errors_now(), 2);
}

static void what_is_not_for_this_session_is_passed_over(void)
{
	ready();
	struct { uint8_t type, number, size; } wrong[] = {{BEAT, 1, 2}, {BEAT, 0, 3}, {HELD, 0, 2}, {NOTHING, 0, 1}, {0x0B, 0, 0}, {BOARD, 0, 56}, {0, 0, 0}};
	uint8_t zeros[60] = {0};
	uint16_t before = errors_now();
	for (int i = 0; i < 7; i++)
		tell(wrong[i].type, wrong[i].number, zeros, wrong[i].size);
	uint8_t ping[44] = {[43] = 1};
	tell(PING, 0, ping, sizeof ping);
	held(1, 0); // there was none
	held(0, 2);
	quiet();
	CHECK_EQUAL(errors_now(), before + 10);

	// Another session.
	open_session(SESSION + 1);
	const uint8_t old[] = {0x00, 0x05, 0x01, 0x09, 0x78, 0x05, 0xf0, 0x24, 0x2b, 0x63, 0x00};
	host_hear(old, sizeof old);
	host_run(1000);
	quiet();
}

static void pins_are_described(void)
{
	board_begin();
	open_session(SESSION);
	for (int i = 0; i < 256; i++) {
		uint8_t index = (uint8_t)i;
		tell(DESCRIBE, 0, &index, 1);
		struct answer pin = expect(PIN);
		CHECK_EQUAL(pin.bytes[4], i);
		CHECK_EQUAL(pin.bytes[5], i < 2 || i >= HAL_PINS ? 0 : i == 13 ? 9 : 15);
		CHECK_EQUAL(pin.bytes[6], i < HAL_PINS ? 'P' : 0);
		quiet();
	}
	// Asked for at once, each is answered.
	host.us_per_byte = 200;
	uint32_t seen = 0;
	for (uint8_t i = 0; i < HAL_PINS; i++)
		tell(DESCRIBE, 0, &i, 1);
	host_run(200000);
	for (int i = 0; i < HAL_PINS; i++)
		seen |= UINT32_C(1) << expect(PIN).bytes[4];
	CHECK_EQUAL(seen, (UINT32_C(1) << HAL_PINS) - 1);
}

static void commands_are_taken_once_and_in_order(void)
{
	ready(); // number 0 was CONFIGURE
	tell(NOTHING, 2, "", 0); // 1 is missing
	quiet();
	CHECK_EQUAL(command(NOTHING, "", 0), TAKEN);
	CHECK_EQUAL(command(NOTHING, "", 0), TAKEN);
	CHECK_EQUAL(set(INPUT, 1, 0, 1), NO_OUTPUT); // 3
	for (int i = 0; i < 7; i++)
		CHECK_EQUAL(command(NOTHING, "", 0), TAKEN); // up to 10
	// One of the eight before is answered as the first time, whatever stands in it now.
	for (uint8_t number = 3; number <= 10; number++) {
		tell(NOTHING, number, "", 0);
		struct answer ack = expect(ACK);
		CHECK_EQUAL(ack.bytes[3], number);
		CHECK_EQUAL(ack.bytes[4], number == 3 ? SET : NOTHING);
		CHECK_EQUAL(ack.bytes[5], number == 3 ? NO_OUTPUT : TAKEN);
	}
	tell(NOTHING, 2, "", 0);
	tell(NOTHING, 12, "", 0);
	quiet();
	// Round once more than the numbers go.
	for (int i = 0; i < 300; i++)
		CHECK_EQUAL(command(NOTHING, "", 0), TAKEN);

	// At the begin of a session there is nothing before.
	open_session(SESSION + 1);
	tell(NOTHING, 255, "", 0);
	quiet();
}

static void answers_wait_for_the_line(void)
{
	ready();
	host.us_per_byte = 500;
	for (uint8_t number = 1; number <= 8; number++)
		tell(NOTHING, number, "", 0);
	host_run(100000);
	for (uint8_t number = 1; number <= 8; number++)
		CHECK_EQUAL(expect(ACK).bytes[3], number);
	quiet();
}

static void what_is_heard_goes_before_what_is_said(void)
{
	ready();
	host.crowded = true;
	for (uint8_t number = 1; number <= 8; number++)
		tell(NOTHING, number, "", 0);
	quiet();
	host.crowded = false;
	host_run(10000);
	for (uint8_t number = 1; number <= 8; number++)
		CHECK_EQUAL(expect(ACK).bytes[3], number);
}

static void safe_overtakes_commands(void)
{
	ready();
	// The host sent SET 1 to 3, which got lost, then SAFE with before 4, then it sends the SETs again.
	safe(0, 1 << LOW_SAFE, 4);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), SAFE_CAME);
	CHECK_EQUAL(set(HIGH_SAFE, 0, host.now, 1000000), TAKEN); // another pin
	CHECK_EQUAL(host.pins[HIGH_SAFE], PIN_LOW);
	CHECK_EQUAL(set(LOW_SAFE, 0, host.now, 0), TAKEN); // to the safe level
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN); // 4 came behind it
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_HIGH);

	// It bars nothing one round of numbers later.
	for (int i = 0; i < 255; i++)
		CHECK_EQUAL(command(NOTHING, "", 0), TAKEN);
	beat(2);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN);

	// A SAFE that comes late bars nothing of what came behind it.
	safe(1, 1 << LOW_SAFE, (uint8_t)(next_command - 3));
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN);
}

static void a_safe_that_comes_again_drives_and_says_nothing(void)
{
	ready();
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN);
	safe(9, UINT64_MAX, next_command);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	host_run(2000);
	struct answer events = expect(EVENTS); // all of them: the SET, and both outputs by SAFE
	CHECK_EQUAL(get16(&events, 4), 1);
	CHECK_EQUAL(events.bytes[6], 2);
	CHECK_EQUAL(events.bytes[19 + 2], CODE_DONE);
	CHECK_EQUAL(events.bytes[19 + 3], LOW_SAFE);
	CHECK_EQUAL(events.bytes[19 + 4], 9);
	CHECK_EQUAL(events.bytes[19 + 5], BY_SAFE << 1);
	CHECK_EQUAL(events.bytes[25 + 5], BY_SAFE << 1 | 1);
	held(3, 0);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN);
	held(4, 0);
	safe(9, UINT64_MAX, next_command);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	host_run(2000);
	quiet();
}

static void a_pong_tells_the_time(void)
{
	ready();
	host_edge(INPUT, true);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN);
	host.levels |= 1 << 9 | 1 << PULLED; // 9 is no input of ours
	host.us_per_byte = 20;
	host_run(5000);
	uint8_t payload[44] = {0xEF, 0xBE};
	forget();
	uint64_t came = host.now;
	host.line_free = host.now + 3000; // something is on the line
	tell(PING, 0, payload, sizeof payload);
	quiet();
	host_edge(INPUT, false); // after PING came, before it is answered
	host_run(5000);
	struct answer pong = expect(PONG);
	CHECK_EQUAL(pong.length, 52);
	CHECK_EQUAL(get32(&pong, AT_COOKIE), 0xBEEF);
	CHECK_EQUAL(get64(&pong, AT_RECEIVED), came);
	CHECK_EQUAL(get64(&pong, AT_LEVELS), 1 << PULLED);
	CHECK_EQUAL(get64(&pong, AT_UNSAFE), 1 << LOW_SAFE);
	CHECK_EQUAL(get16(&pong, AT_NEXT), 3);
	CHECK(get64(&pong, AT_PONG_TIME) >= came + 3000);
	CHECK(get64(&pong, AT_PONG_TIME) <= came + 3100);
}

static void a_session_that_hears_nothing_ends(void)
{
	ready();
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 3000000), TAKEN);
	held(1, 0);
	host_edge(INPUT, true);
	host.hurry = true;
	host_run(1799000000);
	forget();
	host_run(900000);
	struct answer events = expect(EVENTS);
	CHECK_EQUAL(events.bytes[2], 0x78);
	forget();
	host_run(1200000);
	struct answer board = expect(BOARD);
	CHECK_EQUAL(get32(&board, AT_SESSION), 0);
	beat(2);
	board = open_session(SESSION + 1);
	CHECK_EQUAL(get16(&board, AT_DISCARDED), 2);
	CHECK_EQUAL(board.bytes[AT_STATE], 1);
}

static void the_configuration_has_a_sum(void)
{
	board_begin();
	open_session(SESSION);
	CHECK_EQUAL(configure(1000, no_pins), TAKEN);
	uint8_t payload[34] = {0xE8, 0x03};
	struct answer board = open_session(SESSION + 1);
	CHECK_EQUAL(get32(&board, AT_CONFIGURATION), (uint32_t)~crc_add(CRC_BEGIN, payload, sizeof payload));
}

static void the_watchdog_is_fed_by_both(void)
{
	board_begin();
	host_run(100000);
	CHECK(host.fed >= 100);
	uint32_t fed = host.fed;
	host.tick_dead = true;
	host_run(100000);
	CHECK_EQUAL(host.fed, fed);
	for (int i = 0; i < 100; i++)
		board_tick(); // and no main loop
	CHECK_EQUAL(host.fed, fed);
	board_step();
	CHECK_EQUAL(host.fed, fed + 1);
}

static void the_watchdog_wants_ticks_in_time(void)
{
	board_begin();
	host_run(100000);
	uint32_t fed = host.fed;
	for (int i = 0; i < 10; i++) { // each tick is late by 24
		host.tick_dead = true;
		host_run(24000);
		host.tick_dead = false;
		host_run(1000);
	}
	CHECK_EQUAL(host.fed, fed);
	host_run(10000);
	CHECK(host.fed > fed);
}

const struct test session_tests[] = {
	{"a board says that it started", a_board_says_that_it_started},
	{"a new session begins with nothing", a_new_session_begins_with_nothing},
	{"another version is answered only", another_version_is_answered_only},
	{"what is not for this session is passed over", what_is_not_for_this_session_is_passed_over},
	{"pins are described", pins_are_described},
	{"commands are taken once and in order", commands_are_taken_once_and_in_order},
	{"answers wait for the line", answers_wait_for_the_line},
	{"what is heard goes before what is said", what_is_heard_goes_before_what_is_said},
	{"SAFE overtakes commands", safe_overtakes_commands},
	{"a SAFE that comes again drives and says nothing", a_safe_that_comes_again_drives_and_says_nothing},
	{"a PONG tells the time", a_pong_tells_the_time},
	{"a session that hears nothing ends", a_session_that_hears_nothing_ends},
	{"the configuration has a sum", the_configuration_has_a_sum},
	{"the watchdog is fed by both", the_watchdog_is_fed_by_both},
	{"the watchdog wants ticks in time", the_watchdog_wants_ticks_in_time},
	{0},
};
