#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board.h"
#include "test.h"

const char *vectors;

enum { HANG_S = 60 }; // a test that takes longer hangs

static bool passes(const struct test *test)
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		alarm(HANG_S);
		host_begin();
		test->run();
		exit(0);
	}
	int status = -1;
	waitpid(child, &status, 0);
	if (status != 0)
		printf("FAIL %s\n", test->name);
	return status == 0;
}

int main(int count, char **word)
{
	const struct test *const tables[] = {session_tests, output_tests, event_tests, store_tests, vector_tests};
	int failed = 0, ran = 0;
	if (count < 2) {
		fprintf(stderr, "usage: %s VECTORS [TEST]\n", word[0]);
		return 2;
	}
	vectors = word[1];
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		for (const struct test *test = tables[i]; test->name != NULL; test++) {
			if (count > 2 && strstr(test->name, word[2]) == NULL)
				continue;
			ran++;
			failed += !passes(test);
		}
	}
	fflush(stderr);
	printf("%d tests of the firmware's core, %d failed\n", ran, failed);
	return failed > 0 || ran == 0;
}
