#pragma once

// pty runs the chip in real time behind a pseudo terminal with a stable link. It returns the status to exit with.
// boot is a boot loader or NULL.
int pty(const char *elf, double baud, const char *link, const char *boot);
