// What outlasts a reset: the counter of starts and the id, with power that goes at any byte.
#include "store.h"

#include <string.h>

#include "board.h"
#include "test.h"

static void starts_are_counted(void)
{
	for (uint32_t boot = 1; boot <= 1000; boot++)
		CHECK_EQUAL(store_boot(), boot);
	// Each slot took its share.
	CHECK(host.writes / 32 < 1000 / 4);
}

// The power goes at any byte of any start. What a start counted that went on is never counted again.
static void a_count_never_comes_again(void)
{
	uint32_t last = 0;
	for (int boot = 0; boot < 300; boot++) {
		host.power_left = boot % 7;
		uint32_t count = store_boot();
		bool went = host.power_left < 0;
		host.power_left = INT32_MAX;
		if (went)
			continue;
		CHECK(count > last && count != BOOTS_UNKNOWN);
		last = count;
		count = store_boot();
		CHECK(count > last);
		last = count;
	}
	CHECK(last > 40);
}

static void a_store_that_keeps_nothing_counts_nothing(void)
{
	host.power_left = -1;
	CHECK_EQUAL(store_boot(), BOOTS_UNKNOWN);
}

static const uint8_t id[ID_SIZE] = {'n', 'a', 'n', 'o', '-', '0', '0', '1'};

static void an_id_is_whole_or_not_there(void)
{
	uint8_t read[ID_SIZE];
	CHECK(!store_id(read));
	for (int i = 0; i < ID_SIZE; i++)
		CHECK_EQUAL(read[i], 0xFF);
	for (int left = 0; left < 10; left++) {
		memset(host.store, 0xFF, sizeof host.store);
		host.power_left = left;
		store_name(id);
		while (!store_step())
			;
		host.power_left = INT32_MAX;
		CHECK(!store_id(read));
	}
	store_name(id);
	while (!store_step())
		;
	CHECK(store_id(read));
	CHECK(memcmp(read, id, sizeof id) == 0);
}

static void a_board_is_named_once(void)
{
	const uint8_t pairs[] = {0, 0}, blank[ID_SIZE] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
	board_begin();
	host_run(2000);
	open_session(SESSION);
	CHECK_EQUAL(command(NAME, blank, sizeof blank), NOT_NOW);

	// It takes as long as the memory needs, and the board goes on meanwhile.
	forget();
	uint8_t number = next_command++;
	tell(NAME, number, id, sizeof id);
	quiet();
	tell(NOTHING, next_command, "", 0); // not taken yet
	quiet();
	const uint8_t index = 5;
	tell(DESCRIBE, 0, &index, 1);
	expect(PIN);
	// What it says of itself waits: the id is being written.
	const uint8_t hello[] = {0x78, 0x56, 0x34, 0x12, 1, 1};
	tell(HELLO, 0, hello, sizeof hello);
	host_run(60000);
	struct answer last = expect(BOARD);
	CHECK(memcmp(last.bytes + 25, id, sizeof id) != 0 || last.bytes[13] == 4);
	struct answer ack = expect(ACK);
	CHECK_EQUAL(ack.bytes[3], number);
	CHECK_EQUAL(ack.bytes[4], NAME);
	CHECK_EQUAL(ack.bytes[5], TAKEN);
	quiet();
	CHECK_EQUAL(command(NOTHING, "", 0), TAKEN);

	CHECK_EQUAL(command(NAME, id, sizeof id), NOT_NOW);
	struct answer board = open_session(SESSION + 1);
	CHECK(memcmp(board.bytes + 25, id, sizeof id) == 0);
	CHECK_EQUAL(board.bytes[13], 4);
	CHECK_EQUAL(configure(1000, pairs), TAKEN);
	CHECK_EQUAL(command(NAME, id, sizeof id), NOT_NOW);
}

static void a_configured_board_is_not_named(void)
{
	const uint8_t pairs[] = {0, 0};
	uint8_t read[ID_SIZE];
	board_begin();
	host_run(2000);
	open_session(SESSION);
	CHECK_EQUAL(configure(1000, pairs), TAKEN);
	CHECK_EQUAL(command(NAME, id, sizeof id), NOT_NOW);
	CHECK(!store_id(read));
}

const struct test store_tests[] = {
	{"starts are counted", starts_are_counted},
	{"a count never comes again", a_count_never_comes_again},
	{"a store that keeps nothing counts nothing", a_store_that_keeps_nothing_counts_nothing},
	{"an id is whole or not there", an_id_is_whole_or_not_there},
	{"a board is named once", a_board_is_named_once},
	{"a configured board is not named", a_configured_board_is_not_named},
	{0},
};
