// What a test does with the board, and sees of it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "target.h"

enum {
	HOST_STORE = 256,
	HOST_MOVES = 4096,
	HOST_LINE = 1 << 16,
};

// A pin as it is outside.
enum host_pin { PIN_IN, PIN_PULL, PIN_LOW, PIN_HIGH };

struct host {
	uint64_t now; // microseconds; board_tick is called at every whole millisecond
	uint8_t cause;

	uint32_t levels; // of inputs
	uint32_t watched;
	enum host_pin pins[HAL_PINS];
	bool latches[HAL_PINS];
	// Every change of a pin, in order.
	struct host_move {
		uint64_t at;
		uint8_t pin;
		enum host_pin is;
	} moves[HOST_MOVES];
	uint32_t moved;

	uint8_t store[HOST_STORE];
	uint32_t writes;     // bytes that were written
	int32_t power_left;  // how many more until the power goes; below 0 it has gone
	uint64_t store_ready;

	uint8_t heard[HOST_LINE], said[HOST_LINE];
	uint64_t heard_at[HOST_LINE];
	uint32_t heard_in, heard_out, said_in, said_out; // said_out is the reader's
	uint64_t line_free; // until then what was sent is on the line
	uint32_t us_per_byte;

	uint32_t fed;
	bool locked;
	bool crowded;   // the line has hardly room left
	bool hurry;     // a round of the main loop a millisecond is enough
	bool tick_dead; // the timer's interrupt does not come
	bool loop_dead; // the main loop does not run
};

extern struct host host;

// host_begin is a new board whose power came: nothing is stored, and power is left for ever.
void host_begin(void);

// host_run lets time pass: ticks, and rounds of the main loop every 50 us.
void host_run(uint32_t us);

// host_hear puts bytes on the line that have come now.
void host_hear(const uint8_t *bytes, uint32_t count);

// host_edge gives an input a level.
void host_edge(uint8_t pin, bool high);
