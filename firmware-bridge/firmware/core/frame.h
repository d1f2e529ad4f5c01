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

// receiver_take takes a byte. After RECEIVED_FRAME the frame has `length` bytes with its CRC, at least FRAME_LEAST.
enum received receiver_take(struct receiver *receiver, uint8_t byte);

// A builder puts one frame together where it will be sent from.
struct builder {
	uint8_t wire[WIRE_MOST];
	uint8_t length; // of the frame, so far
	uint8_t summed; // bytes of it that are in the sum
	uint32_t sum;
};

// builder_begin begins a frame with its header.
void builder_begin(struct builder *builder, uint8_t type, uint8_t session, uint8_t number);

// builder_add adds to the payload, builder_16 and so on the bytes of a number.
void builder_add(struct builder *builder, const void *bytes, uint8_t count);
void builder_8(struct builder *builder, uint8_t value);
void builder_16(struct builder *builder, uint16_t value);
void builder_32(struct builder *builder, uint32_t value);
void builder_64(struct builder *builder, uint64_t value);

// builder_set changes bytes that were added, at a place counted from the frame's begin.
void builder_set(struct builder *builder, uint8_t place, const void *bytes, uint8_t count);

// builder_sum adds what is there so far to the CRC, to do less work at the end.
void builder_sum(struct builder *builder);

// builder_end ends the frame and returns its length on the wire.
uint8_t builder_end(struct builder *builder);
