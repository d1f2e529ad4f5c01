// A board that a test holds in its hands. See ../core/hal.h and host.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	HAL_PINS = 20,
	HAL_FIRST_OUTPUT = 2,
	HAL_RESOLUTION_NS = 1000,
};
#define HAL_KIND "host"
#define HAL_FLASH

static inline uint8_t hal_flash_8(const uint8_t *at) { return *at; }
static inline uint32_t hal_flash_32(const uint32_t *at) { return *at; }

typedef bool hal_lock_t;
typedef uint64_t hal_mark_t;
typedef uint64_t hal_instant_t;

hal_lock_t hal_lock(void);
void hal_unlock(hal_lock_t before);
void hal_let_in(hal_lock_t before);
uint32_t hal_now(void);
hal_instant_t hal_instant(void);
static inline uint64_t hal_microseconds(hal_instant_t at) { return at; }
bool hal_edges_wait(void);
uint32_t hal_levels(void);
uint16_t hal_overruns(void);
void hal_feed(void);
