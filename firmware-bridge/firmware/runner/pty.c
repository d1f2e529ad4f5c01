#include "pty.h"
int pty(const char *elf, double baud, const char *link) { (void)elf; (void)baud; (void)link; return 1; }
