/* target.c - tests of tracer/target/target.c and tracer/shim/preload.c. */
/* SPDX-License-Identifier: MIT */
#include "tracer/target/target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/test.h"
#include "tracer/shim/shim.h"

static char *const no_env[] = {NULL};

TEST(target_find_searches_the_path)
{
	_cleanup_free_ char *path = NULL;

	ASSERT_INT(target_find("sh", &path), 0);
	ASSERT(path[0] == '/');
	ASSERT_INT(target_find("no-such-program-at-all", &path), -ENOENT);
	ASSERT_INT(target_find("/etc/passwd", &path), -EACCES);
	ASSERT_INT(target_find("/etc", &path), -EACCES);
	ASSERT_INT(target_find("", &path), -ENOENT);
	ASSERT_INT(target_find("/etc/passwd/x", &path), -ENOENT);
}

TEST(target_waits_until_it_may_go)
{
	char *const argv[] = {"sh", "-c", "exit 7", NULL};
	struct target t;
	struct pollfd p;

	ASSERT_INT(target_start(&t, "/bin/sh", argv, no_env, NULL), 0);
	ASSERT(!target_reap(&t));
	ASSERT_INT(target_go(&t), 0);
	p = (struct pollfd){.fd = t.pidfd, .events = POLLIN};
	ASSERT_INT(poll(&p, 1, 10000), 1);
	ASSERT(target_reap(&t));
	ASSERT_INT(WEXITSTATUS(t.status), 7);
	target_done(&t);
}

TEST(target_reports_a_failed_exec)
{
	char *const argv[] = {"passwd", NULL};
	struct target t;

	ASSERT_INT(target_start(&t, "/etc/passwd", argv, no_env, NULL), 0);
	ASSERT_INT(target_go(&t), -EACCES);
	target_done(&t);
}

TEST(target_given_up_does_not_run)
{
	char *const argv[] = {"true", NULL};
	struct target t;
	pid_t pid;
	int status;

	ASSERT_INT(target_start(&t, "/bin/true", argv, no_env, NULL), 0);
	pid = t.pid;
	target_done(&t);
	ASSERT_INT(waitpid(pid, &status, 0), pid);
	ASSERT_INT(WEXITSTATUS(status), 125);
}

TEST(target_env_replaces_by_name)
{
	char *const env[] = {"A=1", "AB=2", "C", NULL};
	static const char extra[] = "A=x\0D=4";
	char **copy = target_env(env, extra, sizeof extra);

	ASSERT_STR(copy[0], "A=x");
	ASSERT_STR(copy[1], "AB=2");
	ASSERT_STR(copy[2], "C");
	ASSERT_STR(copy[3], "D=4");
	ASSERT(!copy[4]);
	target_env_free(copy);
}

TEST(preload_check_knows_what_can_bear_it)
{
	char path[] = "/tmp/pptrace-unit.XXXXXX";
	int fd = mkstemp(path);

	ASSERT(fd >= 0);
	ASSERT_INT(preload_check("/bin/sh"), PRELOAD_OK);
	/* What is no program is a script for /bin/sh. */
	ASSERT_INT(preload_check("/etc/passwd"), PRELOAD_OK);
	ASSERT_INT(preload_check("/no/such/file"), PRELOAD_UNREADABLE);
	ASSERT_INT(write(fd, "#! /bin/sh -e\n", 14), 14);
	ASSERT_INT(preload_check(path), PRELOAD_OK);
	ASSERT_INT(pwrite(fd, "#!/etc/passwd \n", 15, 0), 15);
	ASSERT_INT(preload_check(path), PRELOAD_OK);
	(void)close(fd);
	(void)unlink(path);
}
