// The session: who speaks to the board, which commands it took, and what it still has to answer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "hal.h"

// session_frame takes a sound frame that ended at a mark. It is false when the frame is none that this board takes.
bool session_frame(const uint8_t *frame, uint8_t length, hal_mark_t end);

// session_error counts what was passed over.
void session_error(void);

// session_step looks after what time asks for.
void session_step(void);

// session_answer builds what is to be said next, when the line is free. It is false when there is nothing to say.
bool session_answer(struct builder *builder);

// session_start takes the number of this start.
void session_start(uint32_t boots);
