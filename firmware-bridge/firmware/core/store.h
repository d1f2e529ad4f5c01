// What outlasts a reset: how often the board started, and its id.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	ID_SIZE = 8,
	STORE_SIZE = 256,
};

// BOOTS_UNKNOWN is the counter of a board that cannot count.
#define BOOTS_UNKNOWN UINT32_C(0xFFFFFFFF)

// store_boot counts this start and returns the new count. It takes some 20 ms, before anything else runs.
uint32_t store_boot(void);

// store_id reads the id, and tells whether there is one. Without one it is all 0xFF.
bool store_id(uint8_t id[ID_SIZE]);

// store_name begins to write an id. store_step writes on, from the main loop; it is false as long as it is not done.
void store_name(const uint8_t id[ID_SIZE]);
bool store_step(void);
