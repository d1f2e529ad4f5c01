// Plays a script to the firmware's core on this machine. Each line of the script is a word and its values:
//
//   hear HEX         bytes come over the line
//   edge PIN LEVEL   an input changes
//   glitch           an interrupt finds every level as it was
//   run US           time passes; then one line is written: what the board said, and how its pins are
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "events.h"
#include "hal.h"
#include "host.h"

enum { LONG_US = 5000000 };

static void hear(const char *hex)
{
	uint8_t bytes[4096];
	uint32_t count = 0;
	for (unsigned byte; count < sizeof bytes && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[count++] = (uint8_t)byte;
	host_hear(bytes, count);
}

static void glitch(void)
{
	hal_lock_t before = hal_lock();
	events_glitch();
	hal_unlock(before);
}

static void run(uint32_t us)
{
	host.hurry = us > LONG_US;
	host_run(us);
	for (uint32_t i = 0; i < host.said_in; i++)
		printf("%02x", host.said[i]);
	putchar(' ');
	for (int pin = 0; pin < HAL_PINS; pin++)
		putchar("iulh"[host.pins[pin]]);
	putchar('\n');
	host.said_in = host.moved = 0;
}

int main(void)
{
	char line[8300], hex[8200];
	unsigned pin, level;
	uint32_t us;
	host_begin();
	board_begin();
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (sscanf(line, "hear %8199s", hex) == 1)
			hear(hex);
		else if (sscanf(line, "edge %u %u", &pin, &level) == 2)
			host_edge((uint8_t)pin, level != 0);
		else if (sscanf(line, "run %" SCNu32, &us) == 1)
			run(us);
		else if (strcmp(line, "glitch\n") == 0)
			glitch();
		else
			return 2;
	}
	return 0;
}
