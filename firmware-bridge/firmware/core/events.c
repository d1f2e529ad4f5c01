#include "events.h"

// What the main loop alone knows.
static uint16_t held;   // number of the first event that the host does not hold
static uint16_t unsent; // number of the first one to be sent
static uint8_t oldest;  // where the event with the number `held` lies

struct events events = {.free = events.ring};

void events_done(uint32_t at, uint8_t pin, bool high, enum how how, uint8_t number)
{
	events_add(0, at, EVENT_DONE | pin, number, (uint8_t)(high | how << 1));
}

static uint16_t next_number(void)
{
	hal_lock_t before = hal_lock();
	uint16_t next = events.next;
	hal_unlock(before);
	return next;
}

uint16_t events_begin(void)
{
	hal_lock_t before = hal_lock();
	uint16_t count = events.count, lost = events.lost;
	events.free = events.ring;
	events.count = 0;
	events.next = 0;
	events.lost = 0;
	hal_unlock(before);
	held = unsent = 0;
	oldest = 0;
	return lost > UINT16_MAX - count ? UINT16_MAX : lost + count;
}

bool events_held(uint16_t next, bool again)
{
	uint16_t gone = next - held;
	if (gone > EVENTS_ROOM) // an old one, repeated: what it says was true once
		return (uint16_t)(held - next) <= INT16_MAX;
	if (gone > (uint16_t)(next_number() - held))
		return false;

	hal_lock_t before = hal_lock();
	events.count -= gone;
	hal_unlock(before);
	oldest += gone;
	if (oldest >= EVENTS_ROOM)
		oldest -= EVENTS_ROOM;
	if (again || (uint16_t)(unsent - held) < gone)
		unsent = next;
	held = next;
	return true;
}

bool events_unsent(void) { return next_number() != unsent; }
bool events_open(void) { return unsent != held; }
void events_resend(void) { unsent = held; }

// numbered is the event with a number that is there. Nobody else touches it, so no lock is needed.
static const struct event *numbered(uint16_t number)
{
	uint8_t place = oldest + (uint8_t)(number - held);
	return &events.ring[place < EVENTS_ROOM ? place : place - EVENTS_ROOM];
}

static void build_one(struct builder *b, const struct event *e, uint16_t delay)
{
	builder_16(b, delay);
	if (e->code < EVENT_DONE) {
		builder_8(b, e->code);
		return;
	}
	bool lost = e->code == EVENT_LOST;
	builder_8(b, lost ? CODE_LOST : CODE_DONE);
	builder_8(b, lost ? 0 : e->code & ~EVENT_DONE);
	builder_8(b, e->first);
	builder_8(b, e->second);
}

enum { EDGE_SIZE = 3, OTHER_SIZE = 6, BODY_MOST = FRAME_MOST - CRC_SIZE, COUNT_AT = HEADER_SIZE + 2, TIME_AT, AGE_AT = TIME_AT + 8 };

static bool fits(const struct builder *b, const struct event *e)
{
	return builder_length(b) + (e->code < EVENT_DONE ? EDGE_SIZE : OTHER_SIZE) <= BODY_MOST;
}

void events_build(struct builder *b)
{
	hal_lock_t before = hal_lock();
	hal_instant_t instant = hal_instant();
	uint16_t end = events.next;
	hal_unlock(before);
	uint64_t time = hal_microseconds(instant);
	uint32_t now = (uint32_t)time;

	builder_16(b, unsent);
	uint8_t count = 0;
	uint32_t begin = now, last = 0;
	// Count, time and age are known when the events are in; their places come first.
	builder_8(b, 0);
	builder_64(b, 0);
	builder_32(b, 0);
	for (; unsent != end; unsent++, count++) {
		const struct event *e = numbered(unsent);
		if (count == 0)
			begin = last = e->at;
		if (!fits(b, e) || e->at - last > UINT16_MAX) {
			// Nothing behind this frame is stamped before the first event that is not in it.
			time -= now - e->at;
			now = e->at;
			break;
		}
		build_one(b, e, (uint16_t)(e->at - last));
		last = e->at;
	}
	builder_set(b, COUNT_AT, &count, sizeof count);
	builder_set(b, TIME_AT, &time, sizeof time);
	uint32_t age = count > 0 ? now - begin : 0;
	builder_set(b, AGE_AT, &age, sizeof age);
}
