/* languages.c - what it costs to read the threads, frames and locks of a program in its language; or its native stacks. */
/* SPDX-License-Identifier: MIT */
/*
 * Usage: languages PID ROUNDS PAUSE_MS: reads the process as a recording does, and prints for each time how many
 * microseconds of processor time it took, how many threads (or goroutines) and how many frames there were. Of a program in no
 * language that can be read these are the stacks of its threads, each frame with its function and line.
 */
#include "base/clock.h"
#include "schema/record.h"
#include "tracer/runtime/runtime.h"
#include "tracer/symbols/symbols.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct counts {
	size_t threads, frames;
};

static void count(void *arg, const struct rec_head *rec)
{
	struct counts *c = arg;

	c->threads += rec->kind == REC_RUNTIME_NAME;
	c->frames += rec->kind == REC_RUNTIME_FRAME;
}

static void count_stack(struct symbols *symbols, pid_t pid, pid_t tid, struct counts *c)
{
	enum { MAX_FRAMES = 64 };
	struct symbols_registers at;
	struct symbols_frame frames[MAX_FRAMES];
	struct symbol symbol;
	int n = symbols_registers_read(pid, tid, &at);

	if (n == 0)
		n = symbols_unwind_from(symbols, 1, pid, &at, frames, MAX_FRAMES);
	for (int i = 0; i < n; i++)
		c->frames += symbols_code(symbols, 1, frames[i].addr, frames[i].is_return, &symbol);
	c->threads += n > 0;
}

static void count_stacks(struct symbols *symbols, pid_t pid, struct counts *c)
{
	char path[64];
	const struct dirent *e;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (c->threads == 0)
		(void)symbols_map_proc(symbols, 1, pid);
	while (dir && (e = readdir(dir)))
		if (*e->d_name != '.')
			count_stack(symbols, pid, (pid_t)strtol(e->d_name, NULL, 10), c);
	if (dir)
		(void)closedir(dir);
}

int main(int argc, char **argv)
{
	struct symbols *symbols = symbols_new();
	long rounds = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	long pause_ms = argc == 4 ? strtol(argv[3], NULL, 10) : 0;

	for (long i = 0; i < rounds; i++) {
		struct counts c = {0};
		uint32_t tasks = 0;
		struct runtime_process p = {.pid = (pid_t)strtol(argv[1], NULL, 10),
			.key = 1,
			.symbols = symbols,
			.tasks = &tasks};
		uint64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		if (!runtime_emit(&p, 1, count, &c, NULL))
			count_stacks(symbols, p.pid, &c);
		if (!c.threads)
			return 1;
		printf("%llu %zu %zu\n",
			(unsigned long long)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before) / 1000,
			c.threads, c.frames);
		(void)fflush(stdout);
		(void)usleep((useconds_t)pause_ms * 1000);
	}
	symbols_free(symbols);
	return rounds ? 0 : 2;
}
