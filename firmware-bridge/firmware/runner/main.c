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
	bool steps = count == 4 && strcmp(word[1], "lockstep") == 0, live = count == 5 && strcmp(word[1], "pty") == 0;
	if ((!steps && !live) || baud < 300 || baud > 2e6) {
		fprintf(stderr, "usage: %s lockstep ELF BAUD\n       %s pty ELF BAUD LINK\n", word[0], word[0]);
		return 2;
	}
	if (live)
		return pty(word[2], baud, word[4]);
	return chip_load(word[2], baud, &lockstep_witness) ? lockstep() : 1;
}
