// What the firmware needs of a board. Another board is another folder with a target.h and the functions below.
//
// Words used here: the *main loop* is board_step. *Interrupts* are what may run in its midst. *Locked* means that they
// may not, which should last for a few microseconds only: what is stamped in them waits as long.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// target.h declares:
//
//   HAL_PINS            how many pins there are, at most 32
//   HAL_FIRST_OUTPUT    those below are never outputs, which saves room
//   HAL_KIND            what the board is, 8 characters
//   HAL_RESOLUTION_NS   of its stamps
//   HAL_FLASH           the attribute of constants that stay in flash, read by hal_flash_8 and hal_flash_32
//   hal_lock_t          what hal_lock returns for hal_unlock; locks nest
//   hal_mark_t          when a frame ended, as the HAL has it
//   hal_instant_t       an instant as the clock has it, which is quick to take
//
// and these, inline where an interrupt needs them to be quick:
//
//   hal_lock_t hal_lock(void);
//   void hal_unlock(hal_lock_t before);
//   void hal_let_in(hal_lock_t before);                locked: unlocks for as long as what waits needs to begin
//   uint32_t hal_now(void);                            locked: the low half of the microseconds since the start
//   hal_instant_t hal_instant(void);                   locked
//   uint64_t hal_microseconds(hal_instant_t at);       of an instant
//   bool hal_edges_wait(void);                         locked: an edge came whose interrupt has not run
//   uint32_t hal_levels(void);                         the voltages of all pins, bit 0 is pin 0
//   uint16_t hal_overruns(void);                       locked: bytes lost or spoilt on the line, modulo 65,536
//   void hal_feed(void);                               the watchdog, which goes on while the processor rests
#include "target.h"

_Static_assert(HAL_PINS <= 32, "sets of pins have 32 bits");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied to the wire as they lie in memory");

// hal_cause is why the board started.
uint8_t hal_cause(void);

// hal_abilities and hal_name are what PIN says of a pin below HAL_PINS. name is filled with zeros.
uint8_t hal_abilities(uint8_t pin);
void hal_name(uint8_t pin, char name[8]);

// hal_input makes a pin an input. hal_release makes it an input without pull, whose edges nobody wants.
void hal_input(uint8_t pin, bool pull_up);
void hal_release(uint8_t pin);

// hal_watch begins to hand the edges of an input to events_edge. Locked.
void hal_watch(uint8_t pin);

// hal_drive gives an output its level, first in the latch, then in the direction. Locked.
void hal_drive(uint8_t pin, bool high);

// hal_heard gives bytes of the line that have come and returns how many; there may be more behind them. hal_took frees
// the first of them.
uint8_t hal_heard(const uint8_t **bytes);
void hal_took(uint8_t count);

// hal_hurry tells that bytes wait which will soon find no room.
bool hal_hurry(void);

// hal_frame_end marks when a zero came that stands behind something else. It is asked once for each of them, in their
// order. hal_marked is the instant of a mark that was asked for just now; most frames do not need it.
hal_mark_t hal_frame_end(void);
uint64_t hal_marked(hal_mark_t mark);

// hal_send begins to send a frame, of which so many bytes are ready; with `whole` that is all of it. Until then it is called
// again with the same frame and more of it. What is ready stays as it is while hal_sending, and nothing else is sent.
void hal_send(const uint8_t *frame, uint8_t ready, bool whole);
bool hal_sending(void);

// Memory that outlasts a reset, of at least STORE_SIZE bytes, all 0xFF when new. hal_store begins to write a byte;
// until hal_store_ready nothing else may be asked of it.
uint8_t hal_stored(uint16_t address);
void hal_store(uint16_t address, uint8_t value);
bool hal_store_ready(void);

// Two things come from the HAL: an interrupt calls board_tick every millisecond of the board's clock, at whole ones,
// with interrupts allowed again; and events_edge for each edge, locked.
