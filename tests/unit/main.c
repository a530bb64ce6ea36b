/* main.c - run the unit tests, each in a process of its own, and report TAP. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

extern const struct test __start_pptests[], __stop_pptests[];

/* What Graphviz and the libraries that it draws with keep for the life of a process is not ours to free; they allocate by GLib, where a walk up the stack may end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\nleak:libgvc\nleak:libpango\nleak:libcairo\nleak:libglib\n";
}

enum { STATUS_FAIL = 1, STATUS_SKIP = 77, TIME_LIMIT_SECONDS = 60 };

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)printf("# %s:%d: ", file, line);
	(void)vprintf(fmt, ap);
	(void)printf("\n");
	va_end(ap);
	(void)fflush(stdout);
	_exit(STATUS_FAIL);
}

void test_skip(const char *reason)
{
	(void)printf("# SKIP %s\n", reason);
	(void)fflush(stdout);
	_exit(STATUS_SKIP);
}

bool test_str_eq(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static int run_one(const struct test *t)
{
	int status = 0;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)alarm(TIME_LIMIT_SECONDS);
		t->run();
		(void)fflush(stdout);
		exit(0); /* not _exit: the leak checker reports at exit */
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return STATUS_FAIL;
	if (WIFSIGNALED(status))
		(void)printf("# killed by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAIL;
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : "";
	int n = 0, failed = 0;

	for (const struct test *t = __start_pptests; t < __stop_pptests; t++) {
		int rc;

		if (!strstr(t->name, only) && !strstr(t->file, only))
			continue;
		rc = run_one(t);
		n++;
		failed += rc != 0 && rc != STATUS_SKIP;
		(void)printf("%sok %d - %s %s%s\n", rc == 0 || rc == STATUS_SKIP ? "" : "not ", n,
			t->file, t->name, rc == STATUS_SKIP ? " # SKIP see above" : "");
	}
	(void)printf("1..%d\n", n);
	return failed != 0;
}
