// libFuzzer's target: a line of any bytes, and lines of frames whose sums are right. Whatever comes, outputs are held to
// their promises.
#include <string.h>

#include "board.h"
#include "frame.h"
#include "host.h"

// D2 and D3 are inputs, D4 and D5 outputs whose safe levels are low and high, which hold for 50 ms without a heartbeat.
enum { BEAT_US = 50000, OUT_LOW = 4, OUT_HIGH = 5 };

static uint64_t last_beat; // the last frame that could be a heartbeat

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

// promises must hold at every instant: an output is away from its safe level only near a heartbeat, and what is no output
// is never driven.
static void promises(void)
{
	static const uint8_t never[] = {0, 1, 13};
	for (size_t i = 0; i < sizeof never; i++)
		must(host.pins[never[i]] != PIN_LOW && host.pins[never[i]] != PIN_HIGH);
	if (host.now - last_beat > 10002 * 1000) // the longest beat there is
		must(host.pins[OUT_LOW] != PIN_HIGH && host.pins[OUT_HIGH] != PIN_LOW);
}

// All that the board says is frames.
static void sound(void)
{
	struct receiver receiver = {0};
	uint8_t took;
	for (uint32_t i = 0; i < host.said_in; i += took) {
		took = host.said_in - i < 200 ? (uint8_t)(host.said_in - i) : 200;
		must(receiver_take(&receiver, host.said + i, &took) != RECEIVED_BAD);
	}
	host.said_in = 0;
}

static void say(uint8_t type, uint8_t number, const uint8_t *payload, size_t size)
{
	struct builder b;
	builder_begin(&b, type, 0x78, number);
	builder_add(&b, payload, (uint8_t)size);
	host_hear(b.wire, builder_end(&b));
}

static void again(void)
{
	static const uint8_t configuration[34] = {BEAT_US / 1000, 0, [3] = 0x11, [4] = 0x43};
	static uint8_t generation;
	uint8_t hello[6] = {0x77, 0, 0, ++generation, 1, 1};
	say(HELLO, 0, hello, sizeof hello);
	hello[0] = 0x78;
	say(HELLO, 0, hello, sizeof hello);
	say(CONFIGURE, 0, configuration, sizeof configuration);
	say(BEAT, 0, (uint8_t[]){1, 0}, 2);
	last_beat = host.now;
	host_run(5000); // a frame in each round
}

static void open(uint8_t number, uint8_t pin, bool level, uint32_t longest)
{
	uint8_t set[14] = {pin, level};
	memcpy(set + 2, &host.now, 8);
	memcpy(set + 10, &longest, 4);
	say(SET, number, set, sizeof set);
	host_run(1000);
	must(host.pins[pin] == (level ? PIN_HIGH : PIN_LOW));
}

// behind is what must be true behind any input: an output falls back after its longest time, and without a heartbeat.
static void behind(void)
{
	while (host.heard_out < host.heard_in)
		host_run(1000);
	again();
	open(1, OUT_LOW, true, 3000);
	host_run(4000);
	must(host.pins[OUT_LOW] == PIN_LOW);
	open(2, OUT_HIGH, false, 10000000);
	host_run((uint32_t)(last_beat + BEAT_US - 2000 - host.now));
	must(host.pins[OUT_HIGH] == PIN_LOW);
	host_run(4000);
	must(host.pins[OUT_HIGH] == PIN_HIGH);
}

// step lets time pass, and moves inputs.
static void step(uint8_t how)
{
	host_edge(2, how & 1);
	host_edge(3, how & 2);
	host_run((how >> 2) * 997u);
	promises();
	sound();
}

// frame says one frame out of the input: its type, number, how long to wait, and the payload that its type asks for.
static size_t frame(const uint8_t *data, size_t size)
{
	static const uint8_t sizes[16] = {0, 6, 1, 34, 14, 9, 2, 44, 3, 0, 8, 52, 0, 1, 2, 3};
	uint8_t payload[FRAME_MOST] = {0}, type = data[0] & 15, length = sizes[type];
	size_t there = size - 3 < length ? size - 3 : length;
	memcpy(payload, data + 3, there);
	if (type == BEAT)
		last_beat = host.now;
	say(type, data[1], payload, length);
	step(data[2]);
	return 3 + there;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	if (!begun) {
		begun = true;
		host_begin();
		host.hurry = true;
		board_begin();
	}
	if (size < 1)
		return 0;
	host.moved = 0;
	again();
	uint8_t kind = *data++;
	size--;
	if (kind & 1) {
		host_hear(data, (uint32_t)size);
		step(kind);
	} else {
		while (size > 3) {
			size_t took = frame(data, size);
			data += took;
			size -= took;
			if (host.moved > HOST_MOVES / 2)
				host.moved = 0;
		}
	}
	host_run(20000);
	sound();
	if ((kind & 6) == 0) {
		behind();
		sound();
	}
	// Without a heartbeat everything comes back. That takes long, so not every input waits for it.
	if (size > 8 || (kind & 0x1E) != 0)
		return 0;
	host_run(10100 * 1000);
	host.moved = 0;
	promises();
	sound();
	return 0;
}
