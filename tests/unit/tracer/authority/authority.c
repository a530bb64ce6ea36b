/* authority.c - tests of tracer/authority. */
/* SPDX-License-Identifier: MIT */
#include "tracer/authority/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/test.h"

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)pause();
		_exit(0);
	}
	ASSERT(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* A command with one child, whose number it tells; after that the command waits, or ends. */
static pid_t command(pid_t *ret_child, bool ends)
{
	int tell[2];
	pid_t pid;

	ASSERT(pipe(tell) == 0);
	pid = fork();
	if (pid == 0) {
		pid_t child = fork();

		if (child) {
			(void)!write(tell[1], &child, sizeof child);
			if (ends)
				_exit(0);
		}
		(void)pause();
		_exit(0);
	}
	ASSERT(read(tell[0], ret_child, sizeof *ret_child) == sizeof *ret_child);
	(void)close(tell[0]);
	(void)close(tell[1]);
	return pid;
}

TEST(authority_covers_the_command_and_what_descends_from_it)
{
	struct authority *a = authority_new();
	pid_t child, root;

	root = command(&child, false);
	ASSERT(!authority_covers(a, root)); /* nobody is named yet */
	authority_root(a, root);
	ASSERT(authority_covers(a, root));
	ASSERT(authority_covers(a, child));
	ASSERT(!authority_covers(a, getpid()));
	ASSERT(!authority_covers(a, getppid()));
	ASSERT(!authority_covers(a, 1));
	ASSERT(!authority_covers(a, 0));
	ASSERT(!authority_covers(a, -1));
	ASSERT(!authority_covers(a, -child));
	ASSERT_INT(authority_signal(a, getppid(), 0), -EPERM);
	ASSERT_INT(authority_signal(a, child, SIGKILL), 0);
	end(root);
	ASSERT_INT(authority_signal(a, root, SIGKILL), -ESRCH);
	authority_free(a);
}

TEST(authority_covers_orphans_that_come_down_to_the_subreaper)
{
	struct authority *a = authority_new();
	pid_t child, root;

	ASSERT(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	root = command(&child, true);
	authority_root(a, root);
	ASSERT(waitpid(root, NULL, 0) == root);
	ASSERT(authority_covers(a, child));
	end(child);
	ASSERT(!authority_covers(a, child));
	authority_free(a);
}

TEST(authority_does_not_cover_children_from_before_the_command)
{
	pid_t old = sleeper(), child, root, late;
	struct authority *a = authority_new();

	root = command(&child, false);
	authority_root(a, root);
	late = sleeper(); /* as an orphan of old would come down to us */
	ASSERT(authority_covers(a, child));
	ASSERT(!authority_covers(a, old));
	ASSERT(!authority_covers(a, late));
	ASSERT_INT(authority_signal(a, old, SIGKILL), -EPERM);
	end(old);
	end(late);
	end(child);
	end(root);
	authority_free(a);
}

static bool none(void *arg, int pidfd, pid_t pid)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	ASSERT(poll(&p, 1, 0) == 0); /* it is a pidfd, of a process that runs */
	*(pid_t *)arg = pid;
	return false;
}

TEST(authority_asks_the_kernel_where_it_knows)
{
	struct authority *a = authority_new();
	pid_t pid = sleeper(), asked = 0;

	authority_root(a, pid);
	authority_kernel(a, none, &asked);
	ASSERT(!authority_covers(a, pid));
	ASSERT_INT(asked, pid);
	end(pid);
	authority_free(a);
}

TEST(authority_notices_that_a_held_process_is_gone)
{
	pid_t pid = sleeper();
	_cleanup_close_ int held = authority_hold(NULL, pid);

	ASSERT(held >= 0);
	ASSERT(authority_still(held, pid));
	end(pid);
	ASSERT(!authority_still(held, pid));
	ASSERT_INT(authority_hold(NULL, pid), -ESRCH);
}

static bool all(void *arg, int pidfd, pid_t pid)
{
	(void)pidfd;
	return pid == *(pid_t *)arg;
}

static void *wait_for_end(void *arg)
{
	pid_t tid = gettid();
	char c;

	(void)!write(((int *)arg)[1], &tid, sizeof tid);
	(void)!read(((int *)arg)[2], &c, 1);
	return NULL;
}

TEST(authority_holds_threads_of_its_processes)
{
	static int pipes[3]; /* outlives the stack of the child's first thread */
	struct authority *a = authority_new();
	int told[2];
	pid_t pid, tid;

	ASSERT(pipe(told) == 0);
	pid = fork();
	if (pid == 0) {
		int end_of[2];
		pthread_t thread;

		(void)!pipe(end_of);
		pipes[1] = told[1];
		pipes[2] = end_of[0];
		(void)pthread_create(&thread, NULL, wait_for_end, pipes);
		pthread_exit(NULL); /* its first thread is a zombie from now on */
	}
	ASSERT(read(told[0], &tid, sizeof tid) == sizeof tid);
	ASSERT(tid != pid);
	authority_root(a, pid);
	for (int by_kernel = 0; by_kernel < 2; by_kernel++) {
		_cleanup_close_ int held = authority_hold(a, tid);

		ASSERT(held >= 0 && authority_still(held, tid));
		ASSERT(authority_covers(a, pid));
		authority_kernel(a, all, &pid);
	}
	ASSERT_INT(authority_signal(a, pid, SIGKILL), 0);
	ASSERT(waitpid(pid, NULL, 0) == pid);
	ASSERT(!authority_covers(a, tid));
	authority_free(a);
}

TEST(authority_opens_regular_files_alone)
{
	char dir[] = "/tmp/pptrace-authority.XXXXXX";
	_cleanup_close_ int writer = -1;
	int fd;

	ASSERT(mkdtemp(dir) && chdir(dir) == 0);
	ASSERT(mkfifo("fifo", 0600) == 0 && symlink("fifo", "link") == 0);
	ASSERT_INT(authority_open("fifo", 100), -EACCES);
	ASSERT_INT(authority_open("link", 100), -EACCES);
	/* To open the FIFO for writing finds nobody who reads it. */
	writer = open("fifo", O_WRONLY | O_NONBLOCK);
	ASSERT(writer < 0 && errno == ENXIO);
	ASSERT_INT(authority_open("/dev/zero", 100), -EACCES);
	ASSERT_INT(authority_open("/proc/self/maps", 100), -EACCES);
	ASSERT_INT(authority_open(".", 100), -EACCES);
	ASSERT_INT(authority_open("nothing", 100), -ENOENT);
	fd = open("file", O_WRONLY | O_CREAT, 0600);
	ASSERT(write(fd, "12345", 5) == 5 && close(fd) == 0);
	ASSERT_INT(authority_open("file", 4), -EACCES);
	fd = authority_open("file", 5);
	ASSERT(fd >= 0 && close(fd) == 0);
	ASSERT(unlink("file") == 0 && unlink("fifo") == 0 && unlink("link") == 0);
	ASSERT(chdir("/") == 0 && rmdir(dir) == 0);
}

TEST(authority_opens_below_the_root_of_a_process)
{
	char dir[] = "/tmp/pptrace-authority.XXXXXX";
	pid_t pid;
	int ready[2], fd;
	char c;

	if (geteuid() != 0)
		SKIP("needs root, to change a process's root");
	ASSERT(mkdtemp(dir) && pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		if (chdir(dir) || chroot(".") || symlink("/etc/passwd", "/out") ||
			symlink("/../../etc/passwd", "/up") || mkdir("/etc", 0700) ||
			close(open("/etc/passwd", O_WRONLY | O_CREAT, 0600)) ||
			write(ready[1], "", 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	ASSERT(read(ready[0], &c, 1) == 1);
	/* Its own, empty one. */
	fd = authority_open_inside(pid, "/out", 0);
	ASSERT(fd >= 0 && close(fd) == 0);
	fd = authority_open_inside(pid, "/up", 0);
	ASSERT(fd >= 0 && close(fd) == 0);
	ASSERT_INT(authority_open_inside(pid, "/nothing", 0), -ENOENT);
	end(pid);
	ASSERT(chdir(dir) == 0 && unlink("out") == 0 && unlink("up") == 0);
	ASSERT(unlink("etc/passwd") == 0 && rmdir("etc") == 0 && chdir("/") == 0 &&
		rmdir(dir) == 0);
}
