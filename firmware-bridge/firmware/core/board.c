#include "board.h"

#include "hal.h"
#include "outputs.h"
#include "session.h"
#include "store.h"

static struct receiver receiver;
static struct builder builder;

void board_begin(void) { session_start(store_boot()); }

void board_tick(void) { outputs_tick(); }

// each_tick does what is for every tick. It feeds the watchdog when the timer's interrupt has run since the last time, and in
// time: it is this loop that does it, so both are alive.
static void each_tick(void)
{
	static uint32_t last;
	uint32_t now = ticks_now();
	if (now == last)
		return;
	last = now;
	if (ticks_punctual())
		hal_feed();
	session_step();
}

// piece takes what has come of a piece of the line, and is true when it was all of one.
static bool piece(void)
{
	const uint8_t *bytes;
	uint8_t count = hal_heard(&bytes);
	if (count == 0)
		return true;
	enum received got = receiver_take(&receiver, bytes, &count);
	hal_took(count);
	if (got == RECEIVED_NOTHING)
		return false;
	hal_mark_t end = hal_frame_end();
	if (got == RECEIVED_BAD || !session_frame(receiver.frame, receiver.length, end))
		session_error();
	return true;
}

// hear takes one frame at most, and not until there is nothing more: a line that is never silent would keep the board from
// saying anything.
static void hear(void)
{
	enum { PIECES = 4 }; // the zero before a frame, and both ends of a ring
	for (uint8_t i = 0; i < PIECES && !piece(); i++)
		;
}

static void say(void)
{
	if (!hal_sending() && session_answer(&builder))
		hal_send(builder.wire, builder_end(&builder), true);
}

bool board_step(void)
{
	const uint8_t *bytes;
	each_tick();
	hear();
	// What is to be said can wait, what is heard cannot.
	if (!hal_hurry())
		say();
	// More to say is looked for when this has been sent.
	return hal_heard(&bytes) > 0;
}
