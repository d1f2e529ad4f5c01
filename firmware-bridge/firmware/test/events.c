// Events: numbers, resends, room and what is lost.
#include <string.h>

#include "board.h"
#include "events.h"
#include "test.h"

_Static_assert(EVENTS_EDGES >= 96, "a board holds 96 edges that nobody has acknowledged");

enum { AT_FIRST = 4, AT_COUNT = 6, AT_TIME = 7, AT_AGE = 15, AT_EVENTS = 19 };

// edges gives the input so many edges, 100 us apart.
static void edges(int count)
{
	for (int i = 0; i < count; i++) {
		host_edge(INPUT, (host.levels >> INPUT & 1) == 0);
		host_run(100);
	}
}

// take reads EVENTS frames until the board says no more, checks their numbers from `next` on, and returns the next one.
static uint16_t take(uint16_t next)
{
	for (;;) {
		struct answer frame = told();
		if (frame.length == 0)
			return next;
		CHECK_EQUAL(frame.bytes[1], EVENTS);
		CHECK_EQUAL(get16(&frame, AT_FIRST), next);
		CHECK(frame.bytes[AT_COUNT] > 0);
		CHECK(get64(&frame, AT_TIME) <= host.now);
		next += frame.bytes[AT_COUNT];
	}
}

static void events_are_numbered_and_batched(void)
{
	ready();
	host.us_per_byte = 20;
	edges(40);
	host_run(10000);
	CHECK_EQUAL(take(0), 40);
	quiet();
	held(40, 0);
	edges(3);
	host_run(5000);
	CHECK_EQUAL(take(40), 43);
}

static void an_edge_carries_its_time(void)
{
	ready();
	host.line_free = host.now + 200000; // the line is taken
	uint64_t first = host.now;
	host_edge(INPUT, true);
	host_run(65535);
	host_edge(INPUT, false);
	host_run(65536);
	host_edge(PULLED, true);
	uint64_t third = host.now;
	host_run(100000);
	struct answer frame = expect(EVENTS);
	CHECK_EQUAL(frame.bytes[AT_COUNT], 2);
	CHECK_EQUAL(get64(&frame, AT_TIME) - get32(&frame, AT_AGE), first);
	CHECK_EQUAL(get16(&frame, AT_EVENTS), 0);
	CHECK_EQUAL(frame.bytes[AT_EVENTS + 2], CODE_RISING | INPUT);
	CHECK_EQUAL(get16(&frame, AT_EVENTS + 3), 65535);
	CHECK_EQUAL(frame.bytes[AT_EVENTS + 5], INPUT);
	// No later event is stamped before the frame's time, the next one at it.
	CHECK_EQUAL(get64(&frame, AT_TIME), third);
	frame = expect(EVENTS);
	CHECK_EQUAL(frame.bytes[AT_COUNT], 1);
	CHECK_EQUAL(frame.bytes[AT_EVENTS + 2], CODE_RISING | PULLED);
	CHECK_EQUAL(get64(&frame, AT_TIME) - get32(&frame, AT_AGE), third);
	CHECK(get64(&frame, AT_TIME) >= first + 200000);
}

static void stamps_go_over_32_bits(void)
{
	const uint64_t near = UINT64_C(0xFFFFFF9C);
	ready();
	host.hurry = true;
	while (host.now + 1000000000 < near) {
		held(0, 0); // or the session ends
		host_run(1000000000);
	}
	host_run((uint32_t)(near - host.now));
	forget();
	host.hurry = false;
	host.line_free = host.now + 1000;
	host_edge(INPUT, true);
	host_run(150);
	host_edge(INPUT, false);
	host_run(5000);
	struct answer frame = expect(EVENTS);
	CHECK_EQUAL(frame.bytes[AT_COUNT], 2);
	CHECK(get64(&frame, AT_TIME) - get32(&frame, AT_AGE) == near);
	CHECK_EQUAL(get16(&frame, AT_EVENTS + 3), 150);
}

static void events_are_sent_again(void)
{
	ready();
	edges(5);
	host_run(2000);
	CHECK_EQUAL(take(0), 5);
	host_run(44000);
	quiet();
	host_run(8000); // 50 ms after the last one
	CHECK_EQUAL(take(0), 5);
	held(2, 0); // an answer: another 50 ms
	host_run(45000);
	quiet();
	host_run(8000);
	CHECK_EQUAL(take(2), 5);
	held(3, 1); // at once
	CHECK_EQUAL(take(3), 5);
	held(2, 1); // an old one
	quiet();
	held(5, 0);
	host_run(1000000);
	quiet();
}

static void a_silent_host_is_told_every_second(void)
{
	ready();
	host_run(1000);
	edges(1);
	host_run(2100000);
	forget();
	int times = 0;
	for (int i = 0; i < 100; i++) {
		host_run(50000);
		times += told().length > 0;
	}
	CHECK(times >= 4 && times <= 6);
}

static void what_finds_no_room_is_counted(void)
{
	ready();
	edges(EVENTS_EDGES + 300);
	host_run(50000);
	// Eight SETs are still told.
	for (int i = 0; i < 8; i++) {
		beat((uint16_t)(10 + i));
		edges(2); // lost before each of them
		CHECK_EQUAL(set(LOW_SAFE, i & 1 ? 0 : 1, host.now, 1000000), TAKEN);
	}
	forget();
	held(0, 1);
	host_run(20000);
	int edge = 0, lost = 0, losses = 0, done = 0;
	uint16_t next = 0;
	for (struct answer frame = expect(EVENTS); frame.length > 0; frame = told()) {
		CHECK_EQUAL(get16(&frame, AT_FIRST), next);
		next += frame.bytes[AT_COUNT];
		for (uint8_t at = AT_EVENTS; at < frame.length - CRC_SIZE;) {
			uint8_t code = frame.bytes[at + 2];
			edge += code < CODE_DONE;
			done += code == CODE_DONE;
			losses += code == CODE_LOST;
			lost += code == CODE_LOST ? get16(&frame, at + 4) : 0;
			at += code < CODE_DONE ? 3 : 6;
		}
		if (next == EVENTS_ROOM)
			break;
	}
	CHECK_EQUAL(edge, EVENTS_EDGES);
	CHECK_EQUAL(done, 8);
	CHECK_EQUAL(losses, 8);
	CHECK_EQUAL(lost, 300 + 16);

	uint8_t ping[44] = {1};
	forget();
	tell(PING, 0, ping, sizeof ping);
	struct answer pong = expect(PONG);
	CHECK_EQUAL(get16(&pong, 34), 316); // dropped

	// With room again, what was lost stands before the next event.
	edges(5);
	held(next, 0);
	edges(1);
	host_run(1000);
	struct answer frame = expect(EVENTS);
	CHECK_EQUAL(frame.bytes[AT_COUNT], 2);
	CHECK_EQUAL(frame.bytes[AT_EVENTS + 2], CODE_LOST);
	CHECK_EQUAL(get16(&frame, AT_EVENTS + 4), 5);
	CHECK(frame.bytes[AT_EVENTS + 8] < CODE_DONE);
}

static void numbers_and_places_go_round(void)
{
	ready();
	uint16_t next = 0;
	for (int i = 0; i < 70000 / 50; i++) {
		edges(50);
		host_run(1000);
		next = take(next);
		held(next, 0);
	}
	CHECK_EQUAL(next, (uint16_t)70000);
	quiet();
}

static void what_was_never_sent_cannot_be_held(void)
{
	ready();
	edges(5);
	host_run(1000);
	CHECK_EQUAL(take(0), 5);
	uint16_t before = errors_now();
	held(6, 0);
	held(UINT16_MAX, 0);
	CHECK_EQUAL(errors_now(), before + 1); // the second is taken for an old one
	held(0, 1);
	CHECK_EQUAL(take(0), 5);
}

static void what_nobody_listened_to_is_lost(void)
{
	ready();
	forget();
	events_lose();
	host_edge(INPUT, true);
	host_run(20000);
	struct answer frame = expect(EVENTS);
	CHECK_EQUAL(frame.bytes[6], 2);
	CHECK_EQUAL(frame.bytes[19 + 2], CODE_LOST);
	CHECK_EQUAL(get16(&frame, 19 + 4), 1);
}

static void glitches_are_counted(void)
{
	ready();
	hal_lock_t before = hal_lock();
	for (int i = 0; i < 3; i++)
		events_glitch();
	hal_unlock(before);
	uint8_t ping[44] = {1};
	tell(PING, 0, ping, sizeof ping);
	struct answer pong = expect(PONG);
	CHECK_EQUAL(get16(&pong, 36), 3);
}

const struct test event_tests[] = {
	{"events are numbered and batched", events_are_numbered_and_batched},
	{"an edge carries its time", an_edge_carries_its_time},
	{"stamps go over 32 bits", stamps_go_over_32_bits},
	{"events are sent again", events_are_sent_again},
	{"a silent host is told every second", a_silent_host_is_told_every_second},
	{"what finds no room is counted", what_finds_no_room_is_counted},
	{"numbers and places go round", numbers_and_places_go_round},
	{"what was never sent cannot be held", what_was_never_sent_cannot_be_held},
	{"what nobody listened to is lost", what_nobody_listened_to_is_lost},
	{"glitches are counted", glitches_are_counted},
	{0},
};
