// The vectors, and every flipped bit in them.
#include <string.h>

#include "board.h"
#include "frame.h"
#include "test.h"

struct vector {
	char name[64];
	uint8_t frame[FRAME_MOST], wire[256];
	uint32_t length, wired; // length is 0 for one that must be refused
};

static uint32_t unhex(const char *text, uint8_t *out, uint32_t most)
{
	uint32_t count = 0;
	unsigned byte;
	for (; sscanf(text, "%2x", &byte) == 1; text += 2) {
		CHECK(count < most);
		out[count++] = (uint8_t)byte;
	}
	return count;
}

// each calls with every vector, and returns how many there are.
static int each(void (*with)(const struct vector *))
{
	static char line[1024], frame[256], wire[512];
	FILE *file = fopen(vectors, "r");
	CHECK(file != NULL);
	int count = 0;
	while (fgets(line, sizeof line, file) != NULL) {
		struct vector v = {0};
		if (line[0] == '#' || sscanf(line, "%63s %255s %511s", v.name, frame, wire) != 3)
			continue;
		v.length = frame[0] == '-' ? 0 : unhex(frame, v.frame, sizeof v.frame);
		v.wired = unhex(wire, v.wire, sizeof v.wire);
		with(&v);
		count++;
	}
	fclose(file);
	return count;
}

// frames are those that a piece of the line holds.
struct frames {
	int count, bad;
	uint8_t length[4], frame[4][FRAME_MOST];
};

static struct frames frames_in(const uint8_t *line, uint32_t count)
{
	struct receiver receiver = {0};
	struct frames got = {0};
	for (uint8_t took; count > 0; line += took, count -= took) {
		took = count < 7 ? (uint8_t)count : 7; // in pieces that no frame fits into
		switch (receiver_take(&receiver, line, &took)) {
		case RECEIVED_FRAME:
			CHECK(got.count < 4);
			got.length[got.count] = receiver.length;
			memcpy(got.frame[got.count++], receiver.frame, receiver.length);
			break;
		case RECEIVED_BAD:
			got.bad++;
			break;
		case RECEIVED_NOTHING:
			break;
		}
	}
	return got;
}

static bool is(const struct frames *got, int i, const struct vector *v)
{
	return got->length[i] == v->length && memcmp(got->frame[i], v->frame, v->length) == 0;
}

static void read_and_write(const struct vector *v)
{
	if (v->length == 0)
		return;
	struct frames got = frames_in(v->wire, v->wired);
	CHECK_EQUAL(got.count, 1);
	CHECK_EQUAL(got.bad, 0);
	CHECK(is(&got, 0, v));

	struct builder b;
	builder_begin(&b, v->frame[1], v->frame[2], v->frame[3]);
	builder_add(&b, v->frame + HEADER_SIZE, (uint8_t)(v->length - FRAME_LEAST));
	CHECK_EQUAL(builder_end(&b), v->wired);
	CHECK(memcmp(b.wire, v->wire, v->wired) == 0);
}

static void vectors_are_read_and_written(void) { CHECK(each(read_and_write) > 30); }

static bool from_host(const struct vector *v) { return v->length > 0 && v->frame[1] <= NAME; }

// The frame behind the one whose bits are flipped: the shortest command.
static struct vector behind;

static void remember(const struct vector *v)
{
	if (strcmp(v->name, "nothing") == 0)
		behind = *v;
}

static int flips;

// flip flips every bit of a frame and of the one behind it. The other one comes through, and nothing else does.
static void flip(const struct vector *v)
{
	if (!from_host(v))
		return;
	uint8_t line[512];
	uint32_t count = v->wired + behind.wired;
	memcpy(line, v->wire, v->wired);
	memcpy(line + v->wired, behind.wire, behind.wired);
	for (uint32_t bit = 0; bit < 8 * count; bit++, flips++) {
		bool second = bit / 8 >= v->wired;
		line[bit / 8] ^= (uint8_t)(1 << bit % 8);
		struct frames got = frames_in(line, count);
		if (got.count != 1 || !is(&got, 0, second ? v : &behind)) {
			fprintf(stderr, "%s: bit %u flipped: %d frames came through\n", v->name, bit, got.count);
			exit(1);
		}
		line[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void no_flipped_bit_is_taken(void)
{
	each(remember);
	CHECK(behind.length > 0);
	each(flip);
	CHECK(flips > 5000);
	printf("%d flipped bits refused\n", flips);
}

static void refuse(const struct vector *v)
{
	if (v->length > 0)
		return;
	uint16_t before = errors_now();
	forget();
	host_hear(v->wire, v->wired);
	host_run(1000);
	quiet();
	CHECK_EQUAL(errors_now(), before + 1);
}

// Bytes without end, and what comes behind them.
static void a_line_without_end_holds_no_frame(void)
{
	uint8_t noise[300];
	ready();
	uint16_t before = errors_now();
	for (int length = FRAME_MOST; length <= (int)sizeof noise; length++) {
		memset(noise, length % 255 + 1, (size_t)length);
		host_hear(noise, (uint32_t)length);
		host_run(2000);
		quiet();
		CHECK_EQUAL(command(NOTHING, "", 0), TAKEN);
	}
	CHECK_EQUAL(errors_now() - before, (int)sizeof noise - FRAME_MOST + 1);
}

static void refused_vectors_change_nothing(void)
{
	ready();
	each(refuse);
}

// taken is whether the board takes a frame of the vectors, whatever it answers.
static void is_taken(const struct vector *v)
{
	// What an answer needs: a command's number is 200.
	if (!from_host(v) || strncmp(v->name, "held", 4) == 0)
		return;
	open_session(0x77777777 + (uint32_t)v->wire[5]);
	open_session(SESSION);
	for (int i = 0; i < 200; i++)
		CHECK_EQUAL(command(NOTHING, "", 0), TAKEN);
	uint16_t before = errors_now();
	host_hear(v->wire, v->wired);
	host_run(1000);
	open_session(SESSION + 0x100); // HELLO opened another one
	CHECK_EQUAL(errors_now(), before);
}

static void the_host_s_vectors_are_taken(void)
{
	board_begin();
	host_run(1000);
	each(is_taken);
}

const struct test vector_tests[] = {
	{"vectors are read and written", vectors_are_read_and_written},
	{"no flipped bit is taken", no_flipped_bit_is_taken},
	{"a line without end holds no frame", a_line_without_end_holds_no_frame},
	{"refused vectors change nothing", refused_vectors_change_nothing},
	{"the host's vectors are taken", the_host_s_vectors_are_taken},
	{0},
};
