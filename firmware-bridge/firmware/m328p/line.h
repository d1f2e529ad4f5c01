// The serial line.
#pragma once

// line_begin opens it at BAUD.
void line_begin(void);
