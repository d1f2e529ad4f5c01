// The runner runs the firmware in simavr. Its protocol is in README.md.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chip.h"
#include "lockstep.h"
#include "pty.h"

int main(int count, char **word)
{
	double baud = count > 3 ? atof(word[3]) : 0;
	bool steps = (count == 4 || count == 5) && strcmp(word[1], "lockstep") == 0;
	bool live = (count == 5 || count == 6) && strcmp(word[1], "pty") == 0;
	if ((!steps && !live) || baud < 300 || baud > 2e6) {
		fprintf(stderr, "usage: %s lockstep ELF BAUD [BOOT]\n       %s pty ELF BAUD LINK [BOOT]\n", word[0], word[0]);
		return 2;
	}
	// The array of the words ends with NULL.
	if (live)
		return pty(word[2], baud, word[4], word[5]);
	return chip_load(word[2], word[4], baud, &lockstep_witness) ? lockstep() : 1;
}
