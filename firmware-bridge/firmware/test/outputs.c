// Outputs: what they may do, and everything that takes them back.
#include <string.h>

#include "board.h"
#include "test.h"

static void no_output_moves_before_a_heartbeat(void)
{
	const uint8_t pairs[] = {LOW_SAFE, MODE_OUT_LOW, HIGH_SAFE, MODE_OUT_HIGH, 0, 0};
	board_begin();
	host_run(1000);
	CHECK_EQUAL(host.moved, 0);
	open_session(SESSION);
	beat(1); // before there is a configuration
	struct answer board = open_session(SESSION); // the same one
	CHECK_EQUAL(board.bytes[13], 0);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000), NOT_CONFIGURED);
	CHECK_EQUAL(configure(BEAT_MS, pairs), TAKEN);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000), NO_HEARTBEAT);
	safe(0, UINT64_MAX, next_command);
	struct answer events = expect(EVENTS); // they are where they shall be, and nobody drives them
	CHECK_EQUAL(events.bytes[6], 2);
	CHECK_EQUAL(events.bytes[19 + 5], BY_SAFE << 1);
	CHECK_EQUAL(events.bytes[25 + 5], BY_SAFE << 1 | 1);
	CHECK_EQUAL(set(LOW_SAFE, 0, 0, 0), TAKEN);
	host_run(3000000);
	CHECK_EQUAL(host.moved, 0);
	beat(2);
	CHECK_EQUAL(host.moved, 2);
	CHECK_EQUAL(host.moves[0].is, PIN_LOW);
	CHECK_EQUAL(host.moves[1].is, PIN_HIGH);
}

static void modes_that_a_pin_cannot_have_are_refused(void)
{
	const uint8_t refused[][4] = {{0, MODE_INPUT}, {1, MODE_OUT_LOW}, {13, MODE_OUT_LOW}, {13, MODE_OUT_HIGH}, {13, MODE_PULL_UP},
		{20, MODE_INPUT}, {63, MODE_OUT_LOW}, {4, 5}, {4, 15}};
	ready();
	uint32_t moved = host.moved;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		CHECK_EQUAL(configure(BEAT_MS, refused[i]), NOT_ABLE);
	const uint8_t pairs[] = {13, MODE_INPUT, 4, MODE_PULL_UP, 0, 0};
	CHECK_EQUAL(configure(49, pairs), NOT_ABLE);
	CHECK_EQUAL(configure(10001, pairs), NOT_ABLE);
	CHECK_EQUAL(host.moved, moved);
	CHECK_EQUAL(configure(50, pairs), TAKEN);
	CHECK_EQUAL(configure(10000, pairs), TAKEN);
}

static void another_configuration_lets_go(void)
{
	const uint8_t same[] = {LOW_SAFE, MODE_OUT_LOW, HIGH_SAFE, MODE_OUT_HIGH, INPUT, MODE_INPUT, PULLED, MODE_PULL_UP, 0, 0};
	const uint8_t other[] = {HIGH_SAFE, MODE_OUT_HIGH, 0, 0};
	ready();
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000000), TAKEN);
	uint32_t moved = host.moved;
	CHECK_EQUAL(configure(BEAT_MS, same), TAKEN);
	CHECK_EQUAL(host.moved, moved);
	CHECK_EQUAL(configure(BEAT_MS, other), TAKEN);
	CHECK_EQUAL(host.moves[moved].pin, LOW_SAFE);
	CHECK_EQUAL(host.moves[moved].is, PIN_LOW); // safe first
	for (int pin = 0; pin < HAL_PINS; pin++)
		CHECK_EQUAL(host.pins[pin], PIN_IN);
	CHECK_EQUAL(host.watched, 0);
	CHECK_EQUAL(set(HIGH_SAFE, 0, host.now, 1000), NO_HEARTBEAT);
	beat(2);
	CHECK_EQUAL(host.pins[HIGH_SAFE], PIN_HIGH);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_IN);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000), NO_OUTPUT);
}

static void a_set_is_judged(void)
{
	ready();
	host_run(400000);
	beat(2);
	uint64_t now = host.now;
	uint32_t moved = host.moved;
	CHECK_EQUAL(set(INPUT, 1, now, 1000), NO_OUTPUT);
	CHECK_EQUAL(set(63, 1, now, 1000), NO_OUTPUT);
	CHECK_EQUAL(set(255, 1, now, 1000), NO_OUTPUT);
	CHECK_EQUAL(set(LOW_SAFE, 1, now, 0), NO_LONGEST);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now - 51000, 1000), LATE);
	CHECK_EQUAL(set(LOW_SAFE, 1, 0, 1000), LATE);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now + 60002000, 1000), TOO_FAR_AHEAD);
	CHECK_EQUAL(set(LOW_SAFE, 1, UINT64_MAX, 1000), TOO_FAR_AHEAD);
	CHECK_EQUAL(host.moved, moved);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now - 49000, 1000), TAKEN);
	CHECK_EQUAL(host.moves[moved].is, PIN_HIGH);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now + 59999000, 1000), TAKEN);
	// To the safe level it is done at once.
	CHECK_EQUAL(set(LOW_SAFE, 0, UINT64_MAX, 0), TAKEN);
	CHECK_EQUAL(set(HIGH_SAFE, 1, 0, 0), TAKEN);
}

// keep_beating lets time pass with heartbeats.
static void keep_beating(uint32_t us)
{
	static uint16_t count = 100;
	for (; us > 100000; us -= 100000) {
		beat(++count);
		host_run(99000);
	}
	host_run(us);
}

static void an_output_falls_back_after_its_longest_time(void)
{
	const uint32_t longest[] = {1, 999, 1000, 1001, 50000, 3000000};
	ready();
	host_run(377); // anywhere between two ticks
	for (int i = 0; i < 6; i++) {
		CHECK_EQUAL(set(LOW_SAFE, 1, host.now, longest[i]), TAKEN);
		uint32_t moved = host.moved;
		keep_beating(longest[i] + 5000);
		const struct host_move *last = &host.moves[host.moved - 1];
		CHECK(host.moved >= moved);
		CHECK_EQUAL(last->is, PIN_LOW);
		uint64_t lasted = last->at - host.moves[host.moved - 2].at;
		CHECK(lasted >= longest[i] && lasted <= longest[i] + 1000);
	}
}

static void the_longest_time_of_all_ends(void)
{
	ready();
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, UINT32_MAX), TAKEN);
	uint64_t done = host.moves[host.moved - 1].at;
	host.hurry = true;
	for (int i = 0; i < 43; i++)
		keep_beating(100000000);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	uint64_t lasted = host.moves[host.moved - 1].at - done;
	CHECK(lasted <= UINT32_MAX && lasted > UINT32_MAX - 5000);
}

static void a_set_waits_for_its_instant(void)
{
	ready();
	uint64_t at = host.now + 61234;
	CHECK_EQUAL(set(LOW_SAFE, 1, at, 10000), TAKEN);
	host_run(200000);
	const struct host_move *on = &host.moves[host.moved - 2], *off = on + 1;
	CHECK_EQUAL(on->is, PIN_HIGH);
	CHECK(on->at >= at && on->at <= at + 1000);
	CHECK_EQUAL(off->is, PIN_LOW);
	CHECK(off->at >= on->at + 10000 && off->at <= on->at + 11000);

	// The farthest one there is.
	beat(2);
	at = host.now + 59990000;
	CHECK_EQUAL(set(LOW_SAFE, 1, at, 10000), TAKEN);
	uint32_t moved = host.moved;
	keep_beating(59980000);
	CHECK_EQUAL(host.moved, moved);
	keep_beating(30000);
	CHECK_EQUAL(host.moved, moved + 2);
	CHECK(host.moves[moved].at >= at && host.moves[moved].at <= at + 1000);
}

static void a_newer_set_takes_the_place_of_the_one_that_waits(void)
{
	ready();
	uint64_t now = host.now;
	CHECK_EQUAL(set(LOW_SAFE, 1, now + 50000, 10000), TAKEN);
	CHECK_EQUAL(set(LOW_SAFE, 1, now + 90000, 10000), TAKEN);
	uint32_t moved = host.moved;
	host_run(200000);
	CHECK_EQUAL(host.moved, moved + 2);
	CHECK(host.moves[moved].at >= now + 90000);
	// One that is done at once too.
	beat(2);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now + 90000, 10000), TAKEN);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 10000), TAKEN);
	moved = host.moved;
	host_run(200000);
	CHECK_EQUAL(host.moved, moved + 1);
}

static void pending(void)
{
	beat(1000);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now + 30000, 100000), TAKEN);
}

static void unmoved(void)
{
	uint32_t moved = host.moved;
	keep_beating(200000);
	CHECK_EQUAL(host.moved, moved);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
}

static void whatever_makes_safe_forgets_what_waits(void)
{
	ready();
	pending();
	safe(1, 1 << LOW_SAFE, next_command);
	unmoved();
	open_session(SESSION + 1);
	pending();
	CHECK_EQUAL(set(LOW_SAFE, 0, 0, 0), TAKEN);
	unmoved();
	open_session(SESSION + 2);
	beat(1000);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 5000), TAKEN); // whose longest time is over before the next one
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now + 30000, 100000), TAKEN);
	host_run(10000);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	unmoved();
	open_session(SESSION + 3);
	pending();
	open_session(SESSION + 4);
	beat(1);
	unmoved();
}

static void a_command_that_comes_again_does_nothing_again(void)
{
	ready();
	uint64_t at = host.now;
	CHECK_EQUAL(set(LOW_SAFE, 1, at, 20000), TAKEN);
	uint64_t done = host.moves[host.moved - 1].at;
	for (int i = 0; i < 3; i++) {
		host_run(5000);
		next_command--;
		CHECK_EQUAL(set(LOW_SAFE, 1, at, 20000), TAKEN);
	}
	host_run(20000);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	CHECK(host.moves[host.moved - 1].at <= done + 21000);
	uint32_t moved = host.moved;
	next_command--;
	CHECK_EQUAL(set(LOW_SAFE, 1, at, 20000), TAKEN);
	CHECK_EQUAL(host.moved, moved);
}

static void without_a_heartbeat_outputs_fall_back(void)
{
	ready();
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 10000000), TAKEN);
	CHECK_EQUAL(set(HIGH_SAFE, 0, host.now + 800000, 10000000), TAKEN);
	held(1, 0);
	host_run(123);
	uint64_t came = host.now;
	beat(2);
	host_run(BEAT_MS * 1000 - 5000);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_HIGH);
	beat(2); // not newer: it keeps nothing open
	beat(1);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_HIGH);
	forget();
	host_run(4000);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	uint64_t fell = host.moves[host.moved - 1].at;
	CHECK(fell >= came + BEAT_MS * 1000 && fell <= came + BEAT_MS * 1000 + 2000);
	struct answer events = expect(EVENTS);
	CHECK_EQUAL(events.bytes[6], 1);
	CHECK_EQUAL(events.bytes[19 + 3], LOW_SAFE);
	CHECK_EQUAL(events.bytes[19 + 5], BY_LOSS << 1);
	CHECK_EQUAL(get64(&events, 7) - get32(&events, 15), fell);

	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000), NO_HEARTBEAT);
	uint32_t moved = host.moved;
	beat(3); // moves nothing, and what waited is forgotten
	host_run(400000);
	CHECK_EQUAL(host.moved, moved);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 1000), TAKEN);
}

static void the_time_counts_from_the_last_byte(void)
{
	ready();
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 10000000), TAKEN);
	host_run(321);
	uint64_t came = host.now;
	host.loop_dead = true; // it is looked at late
	beat(2);
	host_run(60000);
	host.loop_dead = false;
	host_run(BEAT_MS * 1000);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	uint64_t fell = host.moves[host.moved - 1].at;
	CHECK(fell >= came + BEAT_MS * 1000 && fell <= came + BEAT_MS * 1000 + 2000);
}

// without_ticks lets time pass in which the timer's interrupt comes once, at the end.
static void without_ticks(uint32_t us)
{
	host.tick_dead = true;
	host_run(us - 1000);
	host.tick_dead = false;
	host_run(1000);
}

static void ticks_that_did_not_come_are_made_up(void)
{
	ready();
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 20000), TAKEN);
	uint64_t done = host.moves[host.moved - 1].at;
	for (int i = 0; i < 4; i++) {
		CHECK_EQUAL(host.pins[LOW_SAFE], PIN_HIGH);
		without_ticks(5000);
	}
	host_run(1000);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
	CHECK(host.moves[host.moved - 1].at - done <= 21000);
	without_ticks(150000);
	beat(2);
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 20000), TAKEN);
	done = host.moves[host.moved - 1].at;
	host_run(30000);
	uint64_t lasted = host.moves[host.moved - 1].at - done;
	CHECK(lasted >= 20000 && lasted <= 21000);
}

static void heartbeats_go_round(void)
{
	ready();
	const uint16_t counts[] = {0x7FFF, 0xFFFE, 0x0000, 0x7FFF, 0x8001};
	CHECK_EQUAL(set(LOW_SAFE, 1, host.now, 10000000), TAKEN);
	for (int i = 0; i < 5; i++) {
		beat(counts[i]);
		host_run(400000);
		CHECK_EQUAL(host.pins[LOW_SAFE], PIN_HIGH);
	}
	beat(0x7FFF);
	host_run(150000);
	CHECK_EQUAL(host.pins[LOW_SAFE], PIN_LOW);
}

static void a_set_says_when_it_was_done(void)
{
	ready();
	CHECK_EQUAL(set(HIGH_SAFE, 0, host.now, 5000), TAKEN);
	uint64_t done = host.moves[host.moved - 1].at;
	host_run(10000);
	forget();
	held(0, 1); // both in one frame
	struct answer events = expect(EVENTS);
	CHECK_EQUAL(events.bytes[6], 2);
	CHECK_EQUAL(events.bytes[19 + 2], CODE_DONE);
	CHECK_EQUAL(events.bytes[19 + 3], HIGH_SAFE);
	CHECK_EQUAL(events.bytes[19 + 4], 1); // its number
	CHECK_EQUAL(events.bytes[19 + 5], BY_SET << 1);
	CHECK_EQUAL(get64(&events, 7) - get32(&events, 15), done);
	CHECK_EQUAL(events.bytes[25 + 4], 0);
	CHECK_EQUAL(events.bytes[25 + 5], BY_LONGEST << 1 | 1);
	CHECK_EQUAL(done + get16(&events, 25), host.moves[host.moved - 1].at);
}

const struct test output_tests[] = {
	{"no output moves before a heartbeat", no_output_moves_before_a_heartbeat},
	{"modes that a pin cannot have are refused", modes_that_a_pin_cannot_have_are_refused},
	{"another configuration lets go", another_configuration_lets_go},
	{"a SET is judged", a_set_is_judged},
	{"an output falls back after its longest time", an_output_falls_back_after_its_longest_time},
	{"the longest time of all ends", the_longest_time_of_all_ends},
	{"a SET waits for its instant", a_set_waits_for_its_instant},
	{"a newer SET takes the place of the one that waits", a_newer_set_takes_the_place_of_the_one_that_waits},
	{"whatever makes safe forgets what waits", whatever_makes_safe_forgets_what_waits},
	{"a command that comes again does nothing again", a_command_that_comes_again_does_nothing_again},
	{"without a heartbeat outputs fall back", without_a_heartbeat_outputs_fall_back},
	{"the time counts from the last byte", the_time_counts_from_the_last_byte},
	{"ticks that did not come are made up", ticks_that_did_not_come_are_made_up},
	{"heartbeats go round", heartbeats_go_round},
	{"a SET says when it was done", a_set_says_when_it_was_done},
	{0},
};
