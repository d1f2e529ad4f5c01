#include "chip.h"

#include <avr_eeprom.h>
#include <avr_ioport.h>
#include <avr_watchdog.h>
#include <sim_elf.h>
#include <sim_hex.h>
#include <sim_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usart.h"

// Addresses and bits of the ATmega328P.
enum {
	PINB = 0x23, PINC = 0x26, PIND = 0x29, DDR = 1, PORT = 2, // the registers of a port lie in a row
	EECR = 0x3F, EEPE = 1 << 1, EEMPE = 1 << 2,
	MCUSR = 0x54, WDRF = 1 << 3, BORF = 1 << 2, EXTRF = 1 << 1, PORF = 1 << 0,
	PCIFR = 0x3B, VECTOR_PCINT0 = 3, VECTOR_PCINT2 = 5,
	WDTCSR = 0x60, WDE = 1 << 3, WATCHDOG_TIME = 0x27,
	TCCR1B = 0x81, CLOCK_SELECT = 7,
	MEMORY_BEGIN = 0x100,
	HERE = 0xCFFF, // rjmp to itself
};

enum {
	EVENTS_MOST = 1 << 16,
	ENTRY_CYCLES = 4,                                // into an interrupt, which simavr does not count
	WRITE_CYCLES = CHIP_FREQUENCY / 1000 * 34 / 10, // of one byte of EEPROM, which simavr takes no time for
	AFTER_POWER = 0xA7,                              // memory is not zero after power came
};

static avr_t *avr;
static const struct witness *witness;

static const struct cause {
	const char *name;
	uint8_t flag;
	bool power;
} causes[] = {{"unknown", 0, false}, {"power", PORF, true}, {"pin", EXTRF, false}, {"brown-out", BORF, true}, {"watchdog", WDRF, false}};
enum { CAUSES = sizeof causes / sizeof *causes };

// What is to happen, by cycle.
enum kind { EDGE, RESET, HANG };
static struct event {
	uint64_t at, order;
	enum kind kind;
	uint8_t value, pin;
} events[EVENTS_MOST];
static uint32_t event_count;
static uint64_t event_order;

// A hang in preparation, and the word that it took the place of.
static bool hang_wanted, hang_interrupts, hung;
static uint32_t hung_at;
static uint8_t hung_word[2];

static avr_io_write_t simavr_eecr, simavr_wdtcsr;
static void *simavr_eeprom, *simavr_watchdog;

static bool restarted, clocked;
static uint8_t flags;             // the reset flags before a reset, which adds its own
static const struct cause *asked; // the cause of a reset that was asked for
static uint64_t eeprom_busy_until;

static bool given[CHIP_PINS], levels[CHIP_PINS];
static const char *driven[CHIP_PINS];

static uint16_t port_of(uint8_t pin) { return pin < 8 ? PIND : pin < 14 ? PINB : PINC; }
static char letter_of(uint8_t pin) { return pin < 8 ? 'D' : pin < 14 ? 'B' : 'C'; }
static uint8_t bit_of(uint8_t pin) { return pin < 8 ? pin : pin < 14 ? pin - 8 : pin - 14; }

const char *chip_pin_name(uint8_t pin)
{
	static const char *const names[CHIP_PINS] = {"D0", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9",
		"D10", "D11", "D12", "D13", "A0", "A1", "A2", "A3", "A4", "A5"};
	return names[pin];
}

uint8_t chip_pin_named(const char *name)
{
	uint8_t pin = 0;
	while (pin < CHIP_PINS && strcmp(name, chip_pin_name(pin)) != 0)
		pin++;
	return pin;
}

static const struct cause *cause_named(const char *name)
{
	for (int i = 0; i < CAUSES; i++)
		if (strcmp(name, causes[i].name) == 0)
			return &causes[i];
	return NULL;
}

bool chip_cause_known(const char *cause) { return cause_named(cause) != NULL; }
uint64_t chip_cycle(void) { return avr->cycle; }

uint8_t *chip_memory(uint32_t *size)
{
	*size = avr->ramend + 1;
	return avr->data;
}

uint8_t *chip_eeprom(uint32_t *size)
{
	avr_eeprom_desc_t all = {.ee = NULL, .offset = 0, .size = 1024};
	avr_ioctl(avr, AVR_IOCTL_EEPROM_GET, &all);
	*size = all.size;
	return all.ee;
}

// hold keeps simavr from lifting a pin that somebody holds when its pull-up is switched on.
static void hold(char letter)
{
	avr_ioport_external_t external = {.name = letter, .mask = 0, .value = 0};
	for (uint8_t pin = 0; pin < CHIP_PINS; pin++) {
		if (letter_of(pin) != letter || !given[pin])
			continue;
		external.mask |= 1 << bit_of(pin);
		external.value |= levels[pin] << bit_of(pin);
	}
	avr_ioctl(avr, AVR_IOCTL_IOPORT_SET_EXTERNAL(letter), &external);
}

static void edge(uint8_t pin, bool high)
{
	given[pin] = true;
	levels[pin] = high;
	hold(letter_of(pin));
	avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(letter_of(pin)), bit_of(pin)), high);
	witness->edge(avr->cycle, pin, high);
}

static void on_reset(avr_t *chip)
{
	(void)chip;
	restarted = true;
	avr->data[MCUSR] = flags; // simavr clears them
}

// started is what must be true after a reset of any kind.
static void started(void)
{
	restarted = clocked = hang_wanted = false;
	if (hung)
		memcpy(avr->flash + hung_at, hung_word, sizeof hung_word);
	hung = false;
	usart_reset();
	for (uint8_t pin = 0; pin < CHIP_PINS; pin++)
		if (given[pin] && levels[pin])
			avr->data[port_of(pin)] |= 1 << bit_of(pin);
	witness->started(avr->cycle, asked != NULL ? asked->name : "watchdog");
	asked = NULL;
}

static void reset(const struct cause *cause)
{
	asked = cause;
	avr_reset(avr);
	if (cause->power)
		memset(avr->data + MEMORY_BEGIN, AFTER_POWER, avr->ramend + 1 - MEMORY_BEGIN);
	// Power clears the other flags, a boot loader all of them.
	if (cause->flag == PORF || cause->flag == 0)
		avr->data[MCUSR] = 0;
	avr->data[MCUSR] |= cause->flag;
	// The watchdog's flag, where nobody has cleared it, keeps the watchdog on: it begins at 16 ms.
	if (avr->data[MCUSR] & WDRF)
		simavr_wdtcsr(avr, WDTCSR, WDE, simavr_watchdog);
}

// hang puts a jump to itself where the main loop is, between two instructions of it.
static void hang(void)
{
	if (!avr->sreg[S_I] || avr->interrupts.running_ptr > 0)
		return;
	hang_wanted = false;
	hung = true;
	hung_at = avr->pc;
	memcpy(hung_word, avr->flash + hung_at, sizeof hung_word);
	avr->flash[hung_at] = HERE & 0xFF;
	avr->flash[hung_at + 1] = HERE >> 8;
	avr->sreg[S_I] = hang_interrupts;
	avr->state = cpu_Running;
}

static bool earlier(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

// The events are a heap: the first is the earliest.
static bool later_on(uint64_t at, enum kind kind, uint8_t pin, uint8_t value)
{
	if (event_count == EVENTS_MOST)
		return false;
	struct event e = {at, event_order++, kind, value, pin};
	uint32_t i = event_count++;
	for (; i > 0 && earlier(&e, &events[(i - 1) / 2]); i = (i - 1) / 2)
		events[i] = events[(i - 1) / 2];
	events[i] = e;
	return true;
}

static struct event first_event(void)
{
	struct event first = events[0], last = events[--event_count];
	uint32_t i = 0;
	for (;;) {
		uint32_t child = 2 * i + 1;
		if (child + 1 < event_count && earlier(&events[child + 1], &events[child]))
			child++;
		if (child >= event_count || !earlier(&events[child], &last))
			break;
		events[i] = events[child];
		i = child;
	}
	events[i] = last;
	return first;
}

bool chip_pin(uint64_t at, uint8_t pin, bool high) { return later_on(at, EDGE, pin, high); }
bool chip_reset(uint64_t at, const char *cause) { return later_on(at, RESET, 0, (uint8_t)(cause_named(cause) - causes)); }
bool chip_hang(uint64_t at, bool interrupts) { return later_on(at, HANG, 0, interrupts); }
bool chip_hear(uint64_t at, uint8_t byte, bool spoilt) { return usart_hear(at, byte, spoilt); }
void chip_line(double baud) { usart_line(baud); }

static void happen(void)
{
	while (event_count > 0 && events[0].at <= avr->cycle) {
		struct event e = first_event();
		switch (e.kind) {
		case EDGE:
			edge(e.pin, e.value);
			break;
		case RESET:
			reset(&causes[e.value]);
			break;
		case HANG:
			hang_wanted = true;
			hang_interrupts = e.value;
			break;
		}
	}
	if (hang_wanted)
		hang();
}

static void look_at_pins(void)
{
	for (uint8_t pin = 0; pin < CHIP_PINS; pin++) {
		const uint8_t *port = avr->data + port_of(pin);
		bool out = port[DDR] >> bit_of(pin) & 1, high = port[PORT] >> bit_of(pin) & 1;
		const char *as = out ? (high ? "high" : "low") : (high ? "pull" : "in");
		if (as != driven[pin]) {
			driven[pin] = as;
			witness->drove(avr->cycle, pin, as);
		}
	}
}

// The ports are looked at only when one of their registers is another.
static bool ports_changed(void)
{
	static uint64_t before;
	uint64_t now;
	memcpy(&now, avr->data + PINB + DDR, sizeof now); // up to PIND + PORT; the levels of two ports are among them
	if (now == before)
		return false;
	before = now;
	return true;
}

static void look(void)
{
	if (restarted)
		started();
	flags = avr->data[MCUSR];
	if (ports_changed())
		look_at_pins();
	if (!clocked && (avr->data[TCCR1B] & CLOCK_SELECT) != 0) {
		clocked = true;
		witness->clocked(avr->cycle);
	}
}

static uint64_t run_until;

// asleep is told how long the chip will sleep, which simavr adds to the cycle next. It takes back what lies behind the
// next thing that happens to the chip.
static void asleep(avr_t *chip, avr_cycle_count_t cycles)
{
	uint64_t next = usart_due < run_until ? usart_due : run_until, most = 0;
	if (event_count > 0 && events[0].at < next)
		next = events[0].at;
	if (next > chip->cycle + 1)
		most = next - chip->cycle - 1;
	if (cycles > most)
		chip->cycle -= cycles - most;
}

void chip_stop(void) { run_until = avr->cycle; }

bool chip_run(uint64_t until)
{
	run_until = until;
	while (avr->cycle < run_until) {
		happen();
		int running = avr->interrupts.running_ptr;
		int state = avr_run(avr);
		if (state == cpu_Done || state == cpu_Crashed)
			return false;
		if (avr->interrupts.running_ptr > running) {
			avr->cycle += ENTRY_CYCLES;
			usart_interrupted();
		}
		if (avr->cycle >= usart_due)
			usart_advance();
		look();
	}
	return true;
}

static void write_eecr(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
	(void)param;
	if (avr->cycle < eeprom_busy_until)
		return; // as the hardware: it takes nothing while it writes
	if ((value & EEPE) && (avr->data[EECR] & EEMPE))
		eeprom_busy_until = avr->cycle + WRITE_CYCLES;
	simavr_eecr(chip, address, value, simavr_eeprom);
}

static uint8_t read_eecr(avr_t *chip, avr_io_addr_t address, void *param)
{
	(void)chip, (void)param;
	return (avr->data[address] & ~EEPE) | (avr->cycle < eeprom_busy_until ? EEPE : 0);
}

// write_pcifr clears the flags that are written as ones, as the hardware does.
static void write_pcifr(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
	(void)address, (void)param;
	for (int i = 0; i < chip->interrupts.vector_count; i++) {
		avr_int_vector_t *v = chip->interrupts.vector[i];
		if (v->vector >= VECTOR_PCINT0 && v->vector <= VECTOR_PCINT2 && (value >> (v->vector - VECTOR_PCINT0) & 1) != 0)
			avr_clear_interrupt(chip, v);
	}
}

// write_wdtcsr has another time of the watchdog count at once, not only when it is fed.
static void write_wdtcsr(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
	(void)param;
	uint8_t before = avr->data[WDTCSR];
	simavr_wdtcsr(chip, address, value, simavr_watchdog);
	if (((avr->data[WDTCSR] ^ before) & WATCHDOG_TIME) != 0)
		avr_ioctl(chip, AVR_IOCTL_WATCHDOG_RESET, NULL);
}

static void quiet(avr_t *chip, const int level, const char *format, va_list arguments)
{
	(void)chip;
	if (level <= LOG_ERROR)
		vfprintf(stderr, format, arguments);
}

static bool load_firmware(const char *elf)
{
	static elf_firmware_t firmware;
	if (elf_read_firmware(elf, &firmware) != 0) {
		fprintf(stderr, "%s: not an ELF file of a firmware\n", elf);
		return false;
	}
	firmware.frequency = CHIP_FREQUENCY;
	avr_load_firmware(avr, &firmware);
	return true;
}

// load_boot has the chip start at the lowest address of a boot loader, as its fuses do.
static bool load_boot(const char *hex)
{
	ihex_chunk_p pieces = NULL;
	int count = read_ihex_chunks(hex, &pieces);
	avr->reset_pc = avr->flashend;
	for (int i = 0; i < count; i++) {
		uint32_t end = pieces[i].baseaddr + pieces[i].size;
		if (end > avr->flashend + 1) {
			fprintf(stderr, "%s: it ends at 0x%x, the flash at 0x%x\n", hex, end, avr->flashend + 1);
			return false;
		}
		memcpy(avr->flash + pieces[i].baseaddr, pieces[i].data, pieces[i].size);
		if (pieces[i].baseaddr < avr->reset_pc)
			avr->reset_pc = pieces[i].baseaddr;
	}
	if (count <= 0)
		fprintf(stderr, "%s: not an Intel HEX file\n", hex);
	return count > 0;
}

// take_registers stands between the firmware and some of simavr's registers.
static void take_registers(void)
{
	simavr_eecr = avr->io[AVR_DATA_TO_IO(EECR)].w.c;
	simavr_eeprom = avr->io[AVR_DATA_TO_IO(EECR)].w.param;
	avr->io[AVR_DATA_TO_IO(EECR)].w.c = write_eecr;
	avr->io[AVR_DATA_TO_IO(EECR)].r.c = read_eecr;
	simavr_wdtcsr = avr->io[AVR_DATA_TO_IO(WDTCSR)].w.c;
	simavr_watchdog = avr->io[AVR_DATA_TO_IO(WDTCSR)].w.param;
	avr->io[AVR_DATA_TO_IO(WDTCSR)].w.c = write_wdtcsr;
	avr->io[AVR_DATA_TO_IO(PCIFR)].w.c = write_pcifr;
}

bool chip_load(const char *elf, const char *boot, double baud, const struct witness *w)
{
	static struct usart_witness line;
	avr_global_logger_set(quiet);
	avr = avr_make_mcu_by_name("atmega328p");
	if (avr == NULL) {
		fprintf(stderr, "simavr knows no atmega328p\n");
		return false;
	}
	witness = w;
	avr_init(avr);
	if (!load_firmware(elf) || (boot != NULL && !load_boot(boot)))
		return false;
	avr->frequency = CHIP_FREQUENCY;
	avr->reset = on_reset;
	avr->sleep = asleep;

	take_registers();
	line = (struct usart_witness){w->said, w->overrun};
	usart_attach(avr, baud, &line);
	reset(cause_named("power"));
	look_at_pins();
	started();
	return true;
}
