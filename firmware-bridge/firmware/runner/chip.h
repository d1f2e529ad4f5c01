// The chip that runs the firmware: simavr's ATmega328P, with what the board needs to be true of it.
//
// Times are cycles of the chip since the runner began, over all resets.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sim_avr.h>

enum {
	CHIP_FREQUENCY = 16000000,
	CHIP_PINS = 20,
};

// What the chip tells. Each is called as it happens, so that times never fall.
struct witness {
	void (*said)(uint64_t at, uint8_t byte);                // at is the end of its stop bit
	void (*drove)(uint64_t at, uint8_t pin, const char *as); // in, pull, low or high
	void (*edge)(uint64_t at, uint8_t pin, bool high);      // one that was asked for, when it came
	void (*started)(uint64_t at, const char *cause);
	void (*clocked)(uint64_t at); // its timer began to count: the zero of the board's clock
	void (*overrun)(uint64_t at); // a byte was lost in the receiver
};

// chip_load reads the ELF file of a firmware, and the Intel HEX file of a boot loader or NULL. It says on stderr why it cannot,
// and is false.
bool chip_load(const char *elf, const char *boot, double baud, const struct witness *witness);

// chip_line gives the line to the chip another rate.
void chip_line(double baud);

uint64_t chip_cycle(void);

// chip_run runs up to a cycle, or until a witness calls chip_stop. It is false when the chip has crashed.
bool chip_run(uint64_t until);
void chip_stop(void);

// chip_hear puts a byte on the line to the chip, at a cycle or when the line is free. A spoilt one has no stop bit. It is
// false when too many wait.
bool chip_hear(uint64_t at, uint8_t byte, bool spoilt);

// Things to happen at a cycle, in any order. They are false when too many wait.
bool chip_pin(uint64_t at, uint8_t pin, bool high);
bool chip_reset(uint64_t at, const char *cause);
bool chip_hang(uint64_t at, bool interrupts);

// chip_memory is the chip's data memory, of chip_memory_size bytes, chip_eeprom its EEPROM of 1,024.
uint8_t *chip_memory(uint32_t *size);
uint8_t *chip_eeprom(uint32_t *size);

// chip_pin_named finds a pin, CHIP_PINS when there is none. chip_pin_name is its name.
uint8_t chip_pin_named(const char *name);
const char *chip_pin_name(uint8_t pin);

// chip_cause_known tells whether there is such a cause of a reset.
bool chip_cause_known(const char *cause);
