// How tests speak to the board.
#include <string.h>

#include "board.h"
#include "frame.h"
#include "test.h"

uint8_t next_command;

static uint8_t session;

void tell(uint8_t type, uint8_t number, const void *payload, uint8_t size)
{
	struct builder b;
	builder_begin(&b, type, session, number);
	builder_add(&b, payload, size);
	uint8_t length = builder_end(&b);
	host_hear(b.wire, length);
	host_run(1000);
}

struct answer told(void)
{
	static struct receiver receiver;
	struct answer answer = {0};
	while (host.said_out < host.said_in && answer.length == 0) {
		uint32_t rest = host.said_in - host.said_out;
		uint8_t count = rest < 100 ? (uint8_t)rest : 100;
		enum received got = receiver_take(&receiver, host.said + host.said_out, &count);
		host.said_out += count;
		CHECK(got != RECEIVED_BAD);
		if (got == RECEIVED_FRAME) {
			answer.length = receiver.length;
			memcpy(answer.bytes, receiver.frame, receiver.length);
		}
	}
	if (host.said_out == host.said_in)
		host.said_out = host.said_in = 0;
	return answer;
}

struct answer expect(uint8_t type)
{
	struct answer answer = told();
	CHECK(answer.length > 0);
	CHECK_EQUAL(answer.bytes[1], type);
	return answer;
}

void quiet(void) { CHECK_EQUAL(told().length, 0); }

void forget(void)
{
	while (told().length > 0)
		;
}

uint16_t get16(const struct answer *answer, uint8_t at)
{
	uint16_t value;
	memcpy(&value, answer->bytes + at, sizeof value);
	return value;
}

uint32_t get32(const struct answer *answer, uint8_t at)
{
	uint32_t value;
	memcpy(&value, answer->bytes + at, sizeof value);
	return value;
}

uint64_t get64(const struct answer *answer, uint8_t at)
{
	uint64_t value;
	memcpy(&value, answer->bytes + at, sizeof value);
	return value;
}

struct answer open_session(uint32_t wanted)
{
	uint8_t payload[6] = {0, 0, 0, 0, 1, 1};
	memcpy(payload, &wanted, sizeof wanted);
	forget();
	session = (uint8_t)wanted;
	next_command = 0;
	tell(HELLO, 0, payload, sizeof payload);
	struct answer answer;
	do {
		answer = told();
		CHECK(answer.length > 0);
	} while (answer.bytes[1] != BOARD || get32(&answer, 4) != wanted); // what it said before comes first
	return answer;
}

uint8_t command(uint8_t type, const void *payload, uint8_t size)
{
	uint8_t number = next_command++;
	forget();
	tell(type, number, payload, size);
	struct answer answer;
	do
		answer = told();
	while (answer.length > 0 && answer.bytes[1] != ACK); // events may come before it
	CHECK(answer.length > 0);
	CHECK_EQUAL(answer.bytes[3], number);
	CHECK_EQUAL(answer.bytes[4], type);
	return answer.bytes[5];
}

uint8_t configure(uint16_t beat_ms, const uint8_t *pairs)
{
	uint8_t payload[34] = {0};
	memcpy(payload, &beat_ms, sizeof beat_ms);
	for (; pairs[0] != 0 || pairs[1] != 0; pairs += 2)
		payload[2 + pairs[0] / 2] |= (uint8_t)(pairs[1] << (pairs[0] & 1 ? 4 : 0));
	return command(CONFIGURE, payload, sizeof payload);
}

uint8_t set(uint8_t pin, uint8_t level, uint64_t at, uint32_t longest)
{
	uint8_t payload[14] = {pin, level};
	memcpy(payload + 2, &at, sizeof at);
	memcpy(payload + 10, &longest, sizeof longest);
	return command(SET, payload, sizeof payload);
}

void safe(uint8_t number, uint64_t pins, uint8_t before)
{
	uint8_t payload[9];
	memcpy(payload, &pins, sizeof pins);
	payload[8] = before;
	forget();
	tell(SAFE, number, payload, sizeof payload);
	struct answer answer = expect(ACK);
	CHECK_EQUAL(answer.bytes[3], number);
	CHECK_EQUAL(answer.bytes[4], SAFE);
	CHECK_EQUAL(answer.bytes[5], TAKEN);
}

void beat(uint16_t count) { tell(BEAT, 0, &count, sizeof count); }

void held(uint16_t next, uint8_t again)
{
	uint8_t payload[3];
	memcpy(payload, &next, sizeof next);
	payload[2] = again;
	tell(HELD, 0, payload, sizeof payload);
}

void ready(void)
{
	const uint8_t pairs[] = {LOW_SAFE, MODE_OUT_LOW, HIGH_SAFE, MODE_OUT_HIGH, INPUT, MODE_INPUT, PULLED, MODE_PULL_UP, 0, 0};
	board_begin();
	host_run(1000);
	open_session(SESSION);
	CHECK_EQUAL(configure(BEAT_MS, pairs), TAKEN);
	beat(1);
	forget();
}

uint16_t errors_now(void)
{
	uint8_t payload[44] = {1};
	forget();
	tell(PING, 0, payload, sizeof payload);
	struct answer answer = expect(PONG);
	return get16(&answer, 4 + 34);
}
