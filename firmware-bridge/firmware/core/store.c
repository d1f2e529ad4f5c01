#include "store.h"

#include <string.h>

#include "crc.h"
#include "hal.h"

// A record is a value and a check, written last. One that was cut off by a loss of power does not hold.
enum {
	CHECK_SIZE = 2,
	ID_AT = 0,
	BOOT_AT = 16,
	BOOT_SIZE = sizeof(uint32_t) + CHECK_SIZE,
	// Each start writes the next slot: a cell lasts for 100,000 writes at least, all of them for three million starts.
	BOOT_SLOTS = 32,
};
_Static_assert(BOOT_AT + BOOT_SLOTS * BOOT_SIZE <= STORE_SIZE, "the slots end within the store");

static uint16_t check(const uint8_t *value, uint8_t size) { return (uint16_t)~crc_add(CRC_BEGIN, value, size); }

static void load(uint16_t at, void *value, uint8_t size)
{
	for (uint8_t *byte = value; size > 0; size--)
		*byte++ = hal_stored(at++);
}

// record_read reads a record, and tells whether it holds.
static bool record_read(uint16_t at, void *value, uint8_t size)
{
	uint16_t sum;
	load(at, value, size);
	load(at + size, &sum, CHECK_SIZE);
	return sum == check(value, size);
}

// What is being written.
static struct {
	uint8_t record[ID_SIZE + CHECK_SIZE];
	uint8_t size, done;
	uint16_t at;
} writing;

static void record_write(uint16_t at, const void *value, uint8_t size)
{
	uint16_t sum = check(value, size);
	memcpy(writing.record, value, size);
	memcpy(writing.record + size, &sum, CHECK_SIZE);
	writing.at = at;
	writing.size = size + CHECK_SIZE;
	writing.done = 0;
}

bool store_step(void)
{
	if (!hal_store_ready())
		return false;
	if (writing.done == writing.size)
		return true;
	uint8_t byte = writing.record[writing.done], place = writing.done++;
	if (hal_stored(writing.at + place) != byte)
		hal_store(writing.at + place, byte);
	return false;
}

static uint16_t slot_at(uint8_t slot) { return BOOT_AT + slot * BOOT_SIZE; }

// count_into writes the count into one slot, and tells whether it can be read there.
static bool count_into(uint8_t slot, uint32_t boots)
{
	uint32_t read;
	record_write(slot_at(slot), &boots, sizeof boots);
	while (!store_step())
		;
	return record_read(slot_at(slot), &read, sizeof read) && read == boots;
}

uint32_t store_boot(void)
{
	uint32_t boots = 0, read;
	uint8_t slot = BOOT_SLOTS - 1;
	for (uint8_t i = 0; i < BOOT_SLOTS; i++) {
		if (record_read(slot_at(i), &read, sizeof read) && read != BOOTS_UNKNOWN && read >= boots) {
			boots = read;
			slot = i;
		}
	}
	if (++boots == BOOTS_UNKNOWN)
		return boots;
	// A slot that is worn out is passed over.
	for (uint8_t tries = 0; tries < BOOT_SLOTS; tries++) {
		hal_feed();
		slot = slot + 1 < BOOT_SLOTS ? slot + 1 : 0;
		if (count_into(slot, boots))
			return boots;
	}
	return BOOTS_UNKNOWN; // a number that may come again is worth nothing
}

bool store_id(uint8_t id[ID_SIZE])
{
	bool holds = record_read(ID_AT, id, ID_SIZE);
	if (!holds)
		memset(id, 0xFF, ID_SIZE);
	return holds;
}

void store_name(const uint8_t id[ID_SIZE]) { record_write(ID_AT, id, ID_SIZE); }
