/* subject.c - programs of other languages, for tests of what is read of their memory. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/runtime/subject.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tests/unit/test.h"
#include "tracer/symbols/symbols.h"

void subject_make_place(
	struct subject_place *p, const char *command, const char *file, const char *text)
{
	char line[128], path[64];
	FILE *f;

	(void)snprintf(line, sizeof line, "command -v %s >/dev/null", command);
	if (system(line) != 0) {
		(void)snprintf(line, sizeof line, "there is no %s", command);
		SKIP(line);
	}
	memcpy(p->dir, "/tmp/pptrace-unit.XXXXXX", sizeof "/tmp/pptrace-unit.XXXXXX");
	ASSERT(mkdtemp(p->dir) != NULL);
	(void)snprintf(path, sizeof path, "%s/%s", p->dir, file);
	f = fopen(path, "we");
	ASSERT(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

void subject_drop_place(const struct subject_place *p)
{
	char line[64];

	(void)snprintf(line, sizeof line, "rm -r %s", p->dir);
	ASSERT_INT(system(line), 0);
}

pid_t subject_start(const char *const argv[])
{
	int out[2];
	char ready[8];
	pid_t pid;

	ASSERT(pipe(out) == 0);
	pid = fork();
	ASSERT(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], 1);
		(void)close(out[0]);
		(void)close(out[1]);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	(void)close(out[1]);
	/* The end that reads stays open as long as the test: a late write must not end the program. */
	ASSERT(read(out[0], ready, sizeof ready) > 0);
	return pid;
}

void subject_stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void scribble_over(pid_t pid, uint64_t start, uint64_t end)
{
	for (int i = 0; i < 4000; i++) {
		uint64_t at = start + (uint64_t)random() % (end - start - 8) / 8 * 8;
		uint64_t value = i % 2 ? start + (uint64_t)random() % (end - start) / 8 * 8
				       : (uint64_t)random() << 32 | (uint64_t)random();
		struct iovec local = {&value, sizeof value};
		struct iovec remote = {(void *)(uintptr_t)at, sizeof value};

		(void)process_vm_writev(pid, &local, 1, &remote, 1, 0);
	}
}

void subject_scribble(pid_t pid, unsigned n_mappings)
{
	char path[32], line[512];
	long wanted = random() % (long)n_mappings;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		unsigned long long start, end;

		if (sscanf(line, "%llx-%llx rw", &start, &end) != 2 || strstr(line, "[stack]") ||
			wanted--)
			continue;
		/* Of a large one the part that is surely in use. */
		scribble_over(pid, start, end - start > 4 << 20 ? start + (4 << 20) : end);
		break;
	}
	if (f)
		(void)fclose(f);
}

int subject_read(
	const struct runtime *reader, pid_t pid, runtime_each *look, void *arg, unsigned limit_s)
{
	struct symbols *s = symbols_new();
	uint32_t tasks = 0;
	struct runtime_process p = {.pid = pid, .key = 1, .symbols = s, .tasks = &tasks};
	_cleanup_buf_ struct buf why = BUF_INIT;
	uint64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	int rc = reader->threads(&p, look, arg, &why);

	symbols_free(s);
	ASSERT(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before < limit_s * 1000000000ull);
	return rc;
}
