// Tests of the firmware's core on this machine. Each runs in a process of its own, with a board that has just started.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "protocol.h"

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1); \
		} \
	} while (0)

#define CHECK_EQUAL(got, want) \
	do { \
		long long got_ = (long long)(got), want_ = (long long)(want); \
		if (got_ != want_) { \
			fprintf(stderr, "%s:%d: %s is %lld, want %lld\n", __FILE__, __LINE__, #got, got_, want_); \
			exit(1); \
		} \
	} while (0)

struct test {
	const char *name;
	void (*run)(void);
};

// Each file of tests has a table that ends with an empty row.
extern const struct test session_tests[], output_tests[], event_tests[], store_tests[], vector_tests[];

// vectors is the path of the vectors.
extern const char *vectors;

// A frame of the board.
struct answer {
	uint8_t length, bytes[FRAME_MOST];
};

// The session that tests open.
enum { SESSION = 0x12345678 };

// tell sends a frame to the board, in the session, and lets it work for a millisecond.
void tell(uint8_t type, uint8_t number, const void *payload, uint8_t size);

// told is the oldest frame of the board that nobody has looked at yet; its length is 0 when there is none.
struct answer told(void);

// expect is the same, and must be of a type.
struct answer expect(uint8_t type);

// quiet checks that the board has said nothing more.
void quiet(void);

// forget passes over what the board said.
void forget(void);

uint16_t get16(const struct answer *answer, uint8_t at);
uint32_t get32(const struct answer *answer, uint8_t at);
uint64_t get64(const struct answer *answer, uint8_t at);

// open_session says HELLO with a session and takes BOARD.
struct answer open_session(uint32_t session);

// command sends a command with the next number, and returns its result.
uint8_t command(uint8_t type, const void *payload, uint8_t size);
extern uint8_t next_command;

// configure sends a configuration whose modes are given by pairs of pin and mode, up to a pair of 0 and 0.
uint8_t configure(uint16_t beat_ms, const uint8_t *pairs);

uint8_t set(uint8_t pin, uint8_t level, uint64_t at, uint32_t longest);
void safe(uint8_t number, uint64_t pins, uint8_t before);
void beat(uint16_t count);
void held(uint16_t next, uint8_t again);

// ready is a board with a session, D4 and D5 as outputs whose safe level is low and high, D2 and D3 as inputs, a
// heartbeat every 500 ms, of which one came.
void ready(void);
enum { LOW_SAFE = 4, HIGH_SAFE = 5, INPUT = 2, PULLED = 3, BEAT_MS = 500 };

// errors_now asks the board how many frames it has passed over.
uint16_t errors_now(void);
