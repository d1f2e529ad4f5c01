#include "frame.h"

#include <string.h>

#include "crc.h"

static bool sound(const struct receiver *r)
{
	if (r->bad || r->left > 0 || r->length < FRAME_LEAST)
		return false;
	uint32_t sum;
	uint8_t summed = r->length - CRC_SIZE;
	memcpy(&sum, r->frame + summed, CRC_SIZE);
	return sum == ~crc_add(CRC_BEGIN, r->frame, summed);
}

static enum received ended(struct receiver *r)
{
	if (!r->begun)
		return RECEIVED_NOTHING;
	r->begun = false;
	return sound(r) ? RECEIVED_FRAME : RECEIVED_BAD;
}

// begin takes the first byte of a piece: the code that says how far the next one is.
static void begin(struct receiver *r, uint8_t code)
{
	r->begun = true;
	r->bad = false;
	r->length = 0;
	r->left = code - 1;
}

enum received receiver_take(struct receiver *r, const uint8_t *bytes, uint8_t *count)
{
	const uint8_t *at = bytes, *end = bytes + *count;
	enum received got = RECEIVED_NOTHING;
	while (at < end) {
		uint8_t byte = *at++;
		if (byte == 0) {
			got = ended(r);
			break;
		}
		if (!r->begun) {
			begin(r, byte);
			continue;
		}
		if (r->length == FRAME_MOST) {
			r->bad = true;
			continue;
		}
		// A code stands where a zero was. No frame is so long that it could have the code 0xFF, which stands for none.
		bool code = r->left == 0;
		r->left = code ? byte - 1 : r->left - 1;
		r->frame[r->length++] = code ? 0 : byte;
	}
	*count = (uint8_t)(at - bytes);
	return got;
}

// The frame lies behind the delimiter and the first code, so that COBS can be made in place.
static uint8_t *frame_of(struct builder *b) { return b->wire + 2; }

void builder_begin(struct builder *b, uint8_t type, uint8_t session, uint8_t number)
{
	b->wire[0] = 0;
	b->code = b->wire + 1;
	b->end = b->done = frame_of(b);
	b->sum = CRC_BEGIN;
	builder_8(b, PROTOCOL_VERSION);
	builder_8(b, type);
	builder_8(b, session);
	builder_8(b, number);
}

void builder_add(struct builder *b, const void *bytes, uint8_t count)
{
	memcpy(b->end, bytes, count);
	b->end += count;
}

void builder_32(struct builder *b, uint32_t value) { builder_add(b, &value, sizeof value); }
void builder_64(struct builder *b, uint64_t value) { builder_add(b, &value, sizeof value); }

void builder_set(struct builder *b, uint8_t place, const void *bytes, uint8_t count)
{
	memcpy(frame_of(b) + place, bytes, count);
}

// stuff puts what is not done yet into COBS. A zero becomes the code that says how far the next one is.
static void stuff(struct builder *b)
{
	uint8_t *code = b->code, *end = b->end;
	for (uint8_t *byte = b->done; byte < end; byte++) {
		if (*byte == 0) {
			*code = (uint8_t)(byte - code);
			code = byte;
		}
	}
	b->code = code;
	b->done = end;
}

uint8_t builder_do(struct builder *b)
{
	b->sum = crc_add(b->sum, b->done, (uint8_t)(b->end - b->done));
	stuff(b);
	return (uint8_t)(b->code - b->wire);
}

uint8_t builder_end(struct builder *b)
{
	builder_do(b);
	builder_32(b, ~b->sum);
	builder_8(b, 0); // the delimiter, which the last code points to
	stuff(b);
	return (uint8_t)(b->end - b->wire);
}
