// Frames: COBS between zeros, and a CRC-32C.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

// A receiver takes the bytes of the line one by one.
struct receiver {
	uint8_t frame[FRAME_MOST]; // decoded, valid until the next byte
	uint8_t length;
	uint8_t left; // bytes that the code of COBS under way still covers
	bool begun;   // something came since the last zero
	bool bad;
};

enum received {
	RECEIVED_NOTHING, // no frame ended
	RECEIVED_FRAME,
	RECEIVED_BAD, // what ended is no frame
};

// receiver_take takes bytes of the line, at most up to a zero, and says in count how many it took. After RECEIVED_FRAME the
// frame has `length` bytes with its CRC, at least FRAME_LEAST. What ends with a zero and is something begins with
// receiver.begun.
enum received receiver_take(struct receiver *receiver, const uint8_t *bytes, uint8_t *count);

// A builder puts one frame together where it is sent from. What it is done with may be sent before the rest is there.
struct builder {
	uint8_t wire[WIRE_MOST];
	uint8_t *end;  // of the frame, so far
	uint8_t *done; // what lies before it is in the sum and in COBS
	uint8_t *code; // the last code of COBS, whose value is not known yet
	uint32_t sum;
};

// builder_begin begins a frame with its header.
void builder_begin(struct builder *builder, uint8_t type, uint8_t session, uint8_t number);

// builder_add adds to the payload, builder_16 and so on the bytes of a number.
void builder_add(struct builder *builder, const void *bytes, uint8_t count);
void builder_32(struct builder *builder, uint32_t value);
void builder_64(struct builder *builder, uint64_t value);

static inline void builder_8(struct builder *builder, uint8_t value) { *builder->end++ = value; }

static inline void builder_16(struct builder *builder, uint16_t value)
{
	builder_8(builder, (uint8_t)value);
	builder_8(builder, value >> 8);
}

// builder_length is that of the frame, so far.
static inline uint8_t builder_length(const struct builder *builder) { return (uint8_t)(builder->end - builder->wire) - 2; }

// builder_set changes bytes that were added, at a place counted from the frame's begin, before builder_do.
void builder_set(struct builder *builder, uint8_t place, const void *bytes, uint8_t count);

// builder_do puts what is there so far into the sum and into COBS, and returns how many bytes of the wire are as they stay.
uint8_t builder_do(struct builder *builder);

// builder_end ends the frame and returns its length on the wire.
uint8_t builder_end(struct builder *builder);
