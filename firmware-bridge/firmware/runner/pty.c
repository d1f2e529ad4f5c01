#define _GNU_SOURCE
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "chip.h"
#include "lockstep.h"

enum {
	SLICE_NS = 500 * 1000,
	NS_PER_S = 1000 * 1000 * 1000,
	OUT_SIZE = 1 << 16,
};

// Farther behind than this, the chip's time goes on from where it is.
static const uint64_t most_behind = CHIP_FREQUENCY / 5;

static const char *link_path;
static double line_baud;
static int port = -1; // our end, -1 while it is unplugged
static bool opened;   // somebody has the other end
static bool opening_resets;
static uint8_t out[OUT_SIZE];
static uint32_t out_count;
static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static uint64_t nanoseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static const struct {
	speed_t is;
	double baud;
} speeds[] = {{B9600, 9600}, {B19200, 19200}, {B38400, 38400}, {B57600, 57600}, {B115200, 115200}, {B230400, 230400},
	{B500000, 500000}, {B1000000, 1000000}};
enum { SPEEDS = sizeof speeds / sizeof *speeds };

static void make_raw(int end)
{
	struct termios as;
	if (tcgetattr(end, &as) != 0)
		return;
	cfmakeraw(&as);
	for (int i = 0; i < SPEEDS; i++)
		if (speeds[i].baud == line_baud)
			cfsetspeed(&as, speeds[i].is);
	tcsetattr(end, TCSANOW, &as);
}

// take_rate gives the line the rate that the other end was set to, if it is one that is known.
static void take_rate(void)
{
	struct termios as;
	if (port < 0 || tcgetattr(port, &as) != 0)
		return;
	for (int i = 0; i < SPEEDS; i++)
		if (speeds[i].is == cfgetospeed(&as))
			chip_line(speeds[i].baud);
}

static bool plug(void)
{
	char temporary[4096];
	port = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (port < 0 || grantpt(port) != 0 || unlockpt(port) != 0) {
		fprintf(stderr, "a pseudo terminal: %s\n", strerror(errno));
		return false;
	}
	int other = open(ptsname(port), O_RDWR | O_NOCTTY);
	if (other >= 0) {
		make_raw(other);
		close(other);
	}
	opened = false;
	snprintf(temporary, sizeof temporary, "%s.new", link_path);
	unlink(temporary);
	if (symlink(ptsname(port), temporary) != 0 || rename(temporary, link_path) != 0) {
		fprintf(stderr, "%s: %s\n", link_path, strerror(errno));
		return false;
	}
	printf("plugged %" PRIu64 "\n", chip_cycle());
	return true;
}

static void unplug(void)
{
	unlink(link_path);
	if (port >= 0)
		close(port);
	port = -1;
	opened = false;
	out_count = 0;
}

static void said(uint64_t at, uint8_t byte)
{
	(void)at;
	if (out_count < OUT_SIZE)
		out[out_count++] = byte;
}

// send gives what the chip has said to whoever listens. If nobody does it is gone, as on a wire.
static void send(void)
{
	if (out_count > 0 && opened && write(port, out, out_count) < 0 && errno != EAGAIN && errno != EIO)
		fprintf(stderr, "writing to the pseudo terminal: %s\n", strerror(errno));
	out_count = 0;
}

static void hear(void)
{
	uint8_t bytes[4096];
	ssize_t count = read(port, bytes, sizeof bytes);
	for (ssize_t i = 0; i < count; i++)
		chip_hear(chip_cycle(), bytes[i], false);
}

// look_at_port sees that somebody opens or closes the other end.
static void look_at_port(short events)
{
	bool now = (events & POLLHUP) == 0;
	if (now && !opened && opening_resets)
		chip_reset(chip_cycle(), "pin");
	opened = now;
	if (events & POLLIN)
		hear();
}

// command does what only a chip behind a pseudo terminal can, and else what all can.
static bool command(char *line)
{
	line[strcspn(line, "\r\n")] = 0;
	if (strcmp(line, "unplug") == 0)
		unplug();
	else if (strcmp(line, "plug") == 0)
		return port >= 0 || plug();
	else if (strcmp(line, "opening resets") == 0)
		opening_resets = true;
	else if (strcmp(line, "opening keeps") == 0)
		opening_resets = false;
	else
		return lockstep_command(line);
	return true;
}

// obey does the whole lines that have come. It is false at the end.
static bool obey(void)
{
	static char lines[1 << 16];
	static size_t filled;
	ssize_t count = read(STDIN_FILENO, lines + filled, sizeof lines - 1 - filled);
	if (count <= 0)
		return count < 0 && errno == EINTR;
	filled += (size_t)count;
	lines[filled] = 0;
	char *line = lines, *end;
	while ((end = strchr(line, '\n')) != NULL) {
		*end = 0;
		if (!command(line))
			return false;
		line = end + 1;
	}
	filled = strlen(line);
	memmove(lines, line, filled);
	return filled < sizeof lines - 1;
}

// look waits for a line, a byte or the next slice, and tells what has come. A port that nobody has open would be ready at
// once, all the time: it is only looked at. The lines are looked at last and obeyed first: one that was written before
// the port was opened holds for the opening.
static void look(struct pollfd *in, struct pollfd *line)
{
	struct timespec most = {0, SLICE_NS}, none = {0, 0};
	struct pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {opened ? port : -1, POLLIN, 0}};
	ppoll(fds, 2, &most, NULL);
	*line = (struct pollfd){port, POLLIN, 0};
	ppoll(line, 1, &none, NULL);
	*in = (struct pollfd){STDIN_FILENO, POLLIN, 0};
	ppoll(in, 1, &none, NULL);
}

// live runs the chip as fast as time goes. It runs up to now before anything reaches it, and what it says goes out after:
// nobody gets an answer sooner than from a wire.
static int live(void)
{
	uint64_t begin = nanoseconds(), base = chip_cycle();
	struct pollfd in, line;
	while (!ended) {
		look(&in, &line);
		take_rate();
		uint64_t due = base + (nanoseconds() - begin) * (CHIP_FREQUENCY / 1000000) / 1000;
		if (due > chip_cycle() + most_behind) {
			printf("behind %" PRIu64 "\n", chip_cycle());
			base -= due - chip_cycle();
			due = chip_cycle();
		}
		if (!chip_run(due)) {
			printf("error the chip has crashed\n");
			return 1;
		}
		int before = port;
		if (in.revents != 0 && !obey())
			return 0;
		if (port >= 0 && port == before)
			look_at_port(line.revents);
		send();
		fflush(stdout);
	}
	return 0;
}

int pty(const char *elf, double baud, const char *link, const char *boot)
{
	struct witness witness = lockstep_witness;
	struct sigaction action = {.sa_handler = on_signal};
	witness.said = said;
	link_path = link;
	line_baud = baud;
	lockstep_live = true;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	int status = chip_load(elf, boot, baud, &witness) && plug() ? live() : 1;
	unplug();
	fflush(stdout);
	return status;
}
