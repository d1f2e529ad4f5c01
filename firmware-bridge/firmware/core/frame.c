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
	enum received got = RECEIVED_NOTHING;
	if (r->begun)
		got = sound(r) ? RECEIVED_FRAME : RECEIVED_BAD;
	r->begun = false;
	return got;
}

static void append(struct receiver *r, uint8_t byte)
{
	if (r->length == FRAME_MOST)
		r->bad = true;
	else
		r->frame[r->length++] = byte;
}

enum received receiver_take(struct receiver *r, uint8_t byte)
{
	if (byte == 0)
		return ended(r);
	if (!r->begun) {
		r->begun = true;
		r->bad = false;
		r->length = 0;
		r->left = byte - 1;
		return RECEIVED_NOTHING;
	}
	if (r->left > 0) {
		r->left--;
		append(r, byte);
	} else {
		// A code stands where a zero was. No frame is so long that it could have the code 0xFF, which stands for none.
		r->left = byte - 1;
		append(r, 0);
	}
	return RECEIVED_NOTHING;
}

// The frame lies behind the delimiter and the first code, so that COBS can be made in place.
static uint8_t *frame_of(struct builder *b) { return b->wire + 2; }

void builder_begin(struct builder *b, uint8_t type, uint8_t session, uint8_t number)
{
	uint8_t header[HEADER_SIZE] = {PROTOCOL_VERSION, type, session, number};
	b->length = 0;
	b->summed = 0;
	b->sum = CRC_BEGIN;
	builder_add(b, header, sizeof header);
}

void builder_add(struct builder *b, const void *bytes, uint8_t count)
{
	memcpy(frame_of(b) + b->length, bytes, count);
	b->length += count;
}

void builder_8(struct builder *b, uint8_t value) { frame_of(b)[b->length++] = value; }
void builder_16(struct builder *b, uint16_t value) { builder_add(b, &value, sizeof value); }
void builder_32(struct builder *b, uint32_t value) { builder_add(b, &value, sizeof value); }
void builder_64(struct builder *b, uint64_t value) { builder_add(b, &value, sizeof value); }

void builder_set(struct builder *b, uint8_t place, const void *bytes, uint8_t count)
{
	memcpy(frame_of(b) + place, bytes, count);
}

void builder_sum(struct builder *b)
{
	b->sum = crc_add(b->sum, frame_of(b) + b->summed, b->length - b->summed);
	b->summed = b->length;
}

uint8_t builder_end(struct builder *b)
{
	builder_sum(b);
	builder_32(b, ~b->sum);

	uint8_t *code = b->wire + 1, *end = frame_of(b) + b->length;
	b->wire[0] = 0;
	*end = 0;
	for (uint8_t *byte = code + 1; byte <= end; byte++) {
		if (*byte == 0) {
			*code = byte - code;
			code = byte;
		}
	}
	return end + 1 - b->wire;
}
