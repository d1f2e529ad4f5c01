#include "lockstep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool lockstep_live;

static bool listening; // a `listen` is under way

static void said(uint64_t at, uint8_t byte)
{
	printf("said %" PRIu64 " %02x\n", at, byte);
	if (listening)
		chip_stop();
}

static void drove(uint64_t at, uint8_t pin, const char *as) { printf("pin %" PRIu64 " %s %s\n", at, chip_pin_name(pin), as); }
static void edge(uint64_t at, uint8_t pin, bool high) { printf("edge %" PRIu64 " %s %d\n", at, chip_pin_name(pin), high); }
static void started(uint64_t at, const char *cause) { printf("start %" PRIu64 " %s\n", at, cause); }
static void clocked(uint64_t at) { printf("clock %" PRIu64 "\n", at); }
static void overrun(uint64_t at) { printf("overrun %" PRIu64 "\n", at); }

const struct witness lockstep_witness = {said, drove, edge, started, clocked, overrun};

static bool wrong(const char *what)
{
	printf("error %s\n", what);
	return true;
}

// words cuts a line at its spaces, and returns how many there are.
static int words(char *line, char **out, int most)
{
	int n = 0;
	for (char *word = strtok(line, " \r\n"); word != NULL && n < most; word = strtok(NULL, " \r\n"))
		out[n++] = word;
	return n;
}

static bool number(const char *word, uint64_t *out)
{
	char *end;
	if (lockstep_live && strcmp(word, "now") == 0) {
		*out = chip_cycle();
		return true;
	}
	*out = strtoull(word, &end, 10);
	return *word >= '0' && *word <= '9' && *end == 0;
}

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *found = c != 0 ? strchr(digits, c) : NULL;
	return found != NULL ? (int)(found - digits) : -1;
}

// bytes calls take with each byte of a hexadecimal word.
static bool bytes(const char *word, bool (*take)(uint8_t byte, uint64_t *at), uint64_t at)
{
	for (; *word != 0; word += 2) {
		int high = digit(word[0]), low = high < 0 ? -1 : digit(word[1]);
		if (low < 0 || !take((uint8_t)(high << 4 | low), &at))
			return false;
	}
	return true;
}

static bool hear(uint8_t byte, uint64_t *at) { return chip_hear(*at, byte, false); }
static bool hear_spoilt(uint8_t byte, uint64_t *at) { return chip_hear(*at, byte, true); }

static bool poke(uint8_t byte, uint64_t *at)
{
	uint32_t size;
	uint8_t *memory = chip_memory(&size);
	if (*at >= size)
		return false;
	memory[(*at)++] = byte;
	return true;
}

static bool peek(uint8_t *memory, uint32_t size, uint64_t at, uint64_t count)
{
	if (at > size || count > size - at)
		return wrong("no such memory");
	printf("memory %" PRIu64 " ", at);
	for (uint64_t i = 0; i < count; i++)
		printf("%02x", memory[at + i]);
	printf("\n");
	return true;
}

static bool run(uint64_t until, bool to_a_byte)
{
	listening = to_a_byte;
	bool fine = chip_run(until);
	if (!fine)
		printf("error the chip has crashed\n");
	printf("at %" PRIu64 "\n", chip_cycle());
	return fine;
}

// APART is the least between two levels of one pin in real time, in cycles: 100 us. Lines that come together are one look's
// "now", and a pin that is raised and lowered in one cycle has no edges.
enum { APART = 1600 };

static bool hold(uint64_t at, uint8_t pin, bool high)
{
	static uint64_t free_at[CHIP_PINS];
	if (lockstep_live && at < free_at[pin])
		at = free_at[pin];
	free_at[pin] = at + APART;
	return chip_pin(at, pin, high);
}

// set does the commands that only prepare something.
static bool set(char **word, int n, uint64_t at)
{
	uint8_t pin = n == 4 ? chip_pin_named(word[2]) : CHIP_PINS;
	if (strcmp(word[0], "hear") == 0 && n == 3)
		return bytes(word[2], hear, at) || wrong("hear: not hexadecimal, or too much waits");
	if (strcmp(word[0], "spoil") == 0 && n == 3)
		return bytes(word[2], hear_spoilt, at) || wrong("spoil: not hexadecimal, or too much waits");
	if (strcmp(word[0], "pin") == 0 && pin < CHIP_PINS && (*word[3] == '0' || *word[3] == '1'))
		return hold(at, pin, *word[3] == '1') || wrong("pin: too much waits");
	if (strcmp(word[0], "reset") == 0 && n == 3 && chip_cause_known(word[2]))
		return chip_reset(at, word[2]) || wrong("reset: too much waits");
	if (strcmp(word[0], "hang") == 0 && n == 3 && (strcmp(word[2], "main") == 0 || strcmp(word[2], "all") == 0))
		return chip_hang(at, strcmp(word[2], "main") == 0) || wrong("hang: too much waits");
	if (strcmp(word[0], "poke") == 0 && n == 3)
		return bytes(word[2], poke, at) || wrong("poke: not hexadecimal, or no such memory");
	return wrong("a line that is no command");
}

bool lockstep_command(char *line)
{
	char *word[4];
	uint32_t size;
	uint64_t at = 0, count = 0;
	int n = words(line, word, 4);
	if (n == 0)
		return true;
	if (strcmp(word[0], "quit") == 0)
		return false;
	if (n < 2 || !number(word[1], &at))
		return wrong("a line that is no command");
	bool listen = strcmp(word[0], "listen") == 0;
	if ((listen || strcmp(word[0], "run") == 0) && n == 2 && !lockstep_live)
		return run(at, listen);
	if (strcmp(word[0], "peek") == 0 && n == 3 && number(word[2], &count)) {
		uint8_t *memory = chip_memory(&size);
		return peek(memory, size, at, count);
	}
	if (strcmp(word[0], "eeprom") == 0 && n == 3 && number(word[2], &count)) {
		uint8_t *memory = chip_eeprom(&size);
		return peek(memory, size, at, count);
	}
	return set(word, n, at);
}

int lockstep(void)
{
	static char line[1 << 16];
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	while (fgets(line, sizeof line, stdin) != NULL) {
		// Everything is answered by the next of these: only they need to be seen at once.
		bool answers = strncmp(line, "run ", 4) == 0 || strncmp(line, "listen ", 7) == 0 || strncmp(line, "peek ", 5) == 0 ||
			strncmp(line, "eeprom ", 7) == 0;
		if (!lockstep_command(line))
			break;
		if (answers)
			fflush(stdout);
	}
	fflush(stdout);
	return 0;
}
