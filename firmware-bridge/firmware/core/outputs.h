// Outputs, their safe levels and their times; and the heartbeat that they need.
//
// The main loop gives commands. outputs_tick runs in an interrupt and takes outputs back.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

// A SET as it lies in its frame.
struct set {
	uint8_t pin, level;
	uint64_t at;
	uint32_t longest;
} __attribute__((packed));

// outputs_configure gives every pin its mode. All outputs go to their safe level and are let go of before. The modes must
// be such that outputs_able takes them.
void outputs_configure(uint16_t beat_ms, const uint8_t modes[PINS_MOST / 2]);

// outputs_same tells whether that is what is in force.
bool outputs_same(uint16_t beat_ms, const uint8_t modes[PINS_MOST / 2]);

// outputs_able tells whether every pin is able to its mode.
bool outputs_able(const uint8_t modes[PINS_MOST / 2]);

// outputs_away tells whether a level of a pin is that of an output that is not safe.
bool outputs_away(uint8_t pin, bool high);

bool outputs_configured(void);
bool outputs_beating(void);

// outputs_beat tells of a heartbeat whose last byte came at an instant. It lets outputs be driven.
void outputs_beat(uint64_t came);

// outputs_set does a SET, now or when its instant comes.
enum result outputs_set(const struct set *set, uint8_t number);

// outputs_safe takes outputs to their safe level. `told` makes a DONE for each of them.
void outputs_safe(uint32_t pins, bool told, uint8_t number);

// outputs_rest takes every output to its safe level without a DONE, and hears no heartbeat until the next.
void outputs_rest(void);

// outputs_unsafe are those that are not at their safe level, inputs_watched the inputs. Locked.
uint32_t outputs_unsafe(void);
uint32_t inputs_watched(void);

// outputs_tick takes back what has been on for its longest time, and everything when the heartbeat is late; and does
// what was set for now. It runs every millisecond, in an interrupt that others may interrupt.
void outputs_tick(void);

// ticks_now counts the milliseconds since the start. ticks_punctual tells whether the latest tick came in time for what
// outputs_tick has to do.
uint32_t ticks_now(void);
bool ticks_punctual(void);
