// The events of a session that the host does not yet hold.
//
// Interrupts put them in, and the main loop sends them and throws them away. What an interrupt runs is inline: a call
// would make it save every register before it can look at the clock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "hal.h"

enum {
	EVENTS_EDGES = 96,
	// For 8 DONE when nothing else finds room, and a LOST before each.
	EVENTS_KEPT = 16,
	EVENTS_ROOM = EVENTS_EDGES + EVENTS_KEPT,
};

// An event as it is kept. code is that of the wire for an edge, EVENT_DONE + pin, or EVENT_LOST.
struct event {
	uint32_t at; // low half of the board's clock
	uint8_t code;
	uint8_t first, second; // DONE: number and how; LOST: a number of 16 bits
};

enum {
	EVENT_DONE = 0x80,
	EVENT_LOST = 0xC0,
};

struct events {
	struct event ring[EVENTS_ROOM];
	struct event *free; // where the next one goes
	uint8_t count;
	uint16_t next; // its number
	uint16_t lost; // since the last one that fitted
	uint16_t dropped, glitches;
};

extern struct events events;

static inline void events_put(uint32_t at, uint8_t code, uint8_t first, uint8_t second)
{
	struct events *e = &events;
	struct event *put = e->free;
	put->at = at;
	put->code = code;
	put->first = first;
	put->second = second;
	e->free = ++put == e->ring + EVENTS_ROOM ? e->ring : put;
	e->count++;
	e->next++;
}

// events_lose counts an event that is lost: it found no room, or came while nobody listened. Locked.
static inline void events_lose(void)
{
	events.dropped++;
	if (events.lost < UINT16_MAX)
		events.lost++;
}

// events_add adds an event if it leaves `kept` places free, else it is counted. Locked.
static inline void events_add(uint8_t kept, uint32_t at, uint8_t code, uint8_t first, uint8_t second)
{
	struct events *e = &events;
	uint8_t needed = kept + (e->lost > 0) + 1;
	if (e->count + needed > EVENTS_ROOM) {
		events_lose();
		return;
	}
	if (e->lost > 0) {
		events_put(at, EVENT_LOST, (uint8_t)e->lost, e->lost >> 8);
		e->lost = 0;
	}
	events_put(at, code, first, second);
}

// events_edge tells of an edge of an input. Locked.
static inline void events_edge(uint32_t at, uint8_t pin, bool high)
{
	events_add(EVENTS_KEPT, at, high ? CODE_RISING | pin : pin, 0, 0);
}

// events_glitch tells of an interrupt that found every level as it was. Locked.
static inline void events_glitch(void) { events.glitches++; }

// events_done tells that an output was driven. Locked.
void events_done(uint32_t at, uint8_t pin, bool high, enum how how, uint8_t number);

// events_begin begins a session, and returns how many events it threw away, at most UINT16_MAX.
uint16_t events_begin(void);

// events_held throws away the events below next, which the host holds. It is false when there never were so many.
bool events_held(uint16_t next, bool again);

// events_unsent tells whether an event was not sent, since it came or since events_resend.
bool events_unsent(void);

// events_open tells whether events were sent that the host does not hold.
bool events_open(void);

// events_resend begins to send them all again.
void events_resend(void);

// events_build puts the next unsent ones into an EVENTS, behind its header.
void events_build(struct builder *builder);
