// The numbers of ../../PROTOCOL.md.
#pragma once

enum {
	PROTOCOL_VERSION = 1,

	HEADER_SIZE = 4,
	CRC_SIZE = 4,
	FRAME_LEAST = HEADER_SIZE + CRC_SIZE,
	FRAME_MOST = 64,
	WIRE_MOST = FRAME_MOST + 3, // two delimiters and one byte of COBS

	PINS_MOST = 64,
	COMMANDS_OPEN = 8, // commands that the host may have without an answer
};

enum frame_type {
	HELLO = 0x01,
	DESCRIBE = 0x02,
	CONFIGURE = 0x03,
	SET = 0x04,
	SAFE = 0x05,
	BEAT = 0x06,
	PING = 0x07,
	HELD = 0x08,
	NOTHING = 0x09,
	NAME = 0x0A,
	BOARD = 0x41,
	PIN = 0x42,
	ACK = 0x43,
	PONG = 0x44,
	EVENTS = 0x45,
};

enum cause {
	CAUSE_UNKNOWN,
	CAUSE_POWER,
	CAUSE_PIN,
	CAUSE_BROWN_OUT,
	CAUSE_WATCHDOG,
};

enum ability {
	ABLE_INPUT = 1,
	ABLE_OUTPUT = 2,
	ABLE_PULL_UP = 4,
	ABLE_TIMED = 8,
};

enum mode {
	MODE_UNUSED,
	MODE_INPUT,
	MODE_PULL_UP,
	MODE_OUT_LOW,  // output, low is safe
	MODE_OUT_HIGH, // output, high is safe
};

enum result {
	TAKEN,
	NOT_CONFIGURED,
	NO_HEARTBEAT,
	NO_OUTPUT,
	LATE,
	TOO_FAR_AHEAD,
	NO_LONGEST,
	SAFE_CAME,
	NOT_ABLE,
	NOT_NOW,
};

enum how {
	BY_SET,
	BY_SAFE,
	BY_LONGEST,
	BY_LOSS,
};

enum {
	CODE_RISING = 0x40,
	CODE_DONE = 0x80,
	CODE_LOST = 0x81,
};

// Times in microseconds unless named otherwise.
enum {
	BEAT_LEAST_MS = 50,
	BEAT_MOST_MS = 10000,
	RESEND_MS = 50,         // without an answer, events are sent again after this
	SILENT_MS = 2000,       // without a valid frame for this long, they are sent again every ANNOUNCE_MS only
	ANNOUNCE_MS = 1000,     // and a board without a session says so as often
};
#define LATE_AFTER UINT32_C(50000)
#define MOST_AHEAD UINT32_C(60000000)
