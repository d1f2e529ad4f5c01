// The board: what it hears, and what it says.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// board_begin counts the start and makes ready. Interrupts come after it.
void board_begin(void);

// board_step is one round of the main loop. It never waits. It is true when there is more to do
// before an interrupt comes.
bool board_step(void);

// board_tick is for the HAL's interrupt: see hal.h.
void board_tick(void);
