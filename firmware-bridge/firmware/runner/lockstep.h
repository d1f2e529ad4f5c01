#pragma once

#include "chip.h"

// lockstep_witness writes what happens to stdout.
extern const struct witness lockstep_witness;

// lockstep_command does one line of the protocol in README.md. It is false for `quit`, and when the runner cannot go on.
bool lockstep_command(char *line);

// lockstep serves stdin until its end. It returns the status to exit with.
int lockstep(void);

// Where `at` stands for the present cycle, as with a chip that runs by itself.
extern bool lockstep_live;
