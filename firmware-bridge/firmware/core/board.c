#include "board.h"

#include "hal.h"
#include "outputs.h"
#include "session.h"
#include "store.h"

static struct receiver receiver;
static struct builder builder;

void board_begin(void) { session_start(store_boot()); }

void board_tick(void) { outputs_tick(); }

// feed feeds the watchdog when the timer's interrupt has run since the last time: it is this loop that does it, so both
// are alive.
static void feed(void)
{
	static uint32_t fed;
	uint32_t now = ticks_now();
	if (now != fed) {
		fed = now;
		hal_feed();
	}
}

static void hear(void)
{
	uint8_t byte;
	uint64_t came = 0;
	// As many as there can be at once: what is to be said must not wait for ever.
	for (uint8_t i = 0; i < WIRE_MOST && hal_receive(&byte, &came); i++) {
		switch (receiver_take(&receiver, byte)) {
		case RECEIVED_NOTHING:
			continue;
		case RECEIVED_BAD:
			session_error();
			continue;
		case RECEIVED_FRAME:
			if (!session_frame(receiver.frame, receiver.length, came))
				session_error();
			return;
		}
	}
}

static void say(void)
{
	if (!hal_sending() && session_answer(&builder))
		hal_send(builder.wire, builder_end(&builder));
}

void board_step(void)
{
	feed();
	hear();
	session_step();
	say();
}
