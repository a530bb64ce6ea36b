/* sweeper.c - a process that outlives a pptrace that is killed, and removes its rings. */
/* SPDX-License-Identifier: MIT */
/*
 * What reads the rings cannot clean up after SIGKILL, and the programs that
 * write them may all end the same way. So a child of pptrace waits for its end.
 * Then it tells the programs that nobody reads any more, so that none waits for
 * room, and removes the file, so that later ones do not even map it.
 */
#include "schema/compat.h"
#include "tracer/shim/shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema/arena.h"

/* Not pptrace's own name: killing all processes of that name should not hit this one. */
#define TASK_NAME "arena-sweeper"

static void tell_closed(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct arena_head *h;
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof *h) {
		h = mmap(NULL, sizeof *h, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (h != MAP_FAILED && h->magic == ARENA_MAGIC) {
			__atomic_store_n(&h->closed, 1, __ATOMIC_RELEASE);
			/* Those who go on have it mapped: its memory would stay taken. */
			if (h->data_at < (uint64_t)st.st_size)
				(void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					(off_t)h->data_at, st.st_size - (off_t)h->data_at);
		}
	}
	(void)close(fd);
}

/* Removes everything but a link to the library: a program that still has it in LD_PRELOAD would see an error of the loader. */
static void sweep(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (e->d_type == DT_LNK || e->d_name[0] == '.')
			continue;
		tell_closed(fd, e->d_name);
		(void)unlinkat(fd, e->d_name, 0);
	}
	(void)rmdir(path);
}

/* Closes all that pptrace had open but one descriptor, above all the terminal and pipes. */
static void close_others(int keep)
{
	if (dup2(keep, 0) < 0)
		_exit(1);
	if (syscall(SYS_close_range, 1, ~0u, 0) == 0)
		return;
	for (int fd = (int)sysconf(_SC_OPEN_MAX); fd > 0; fd--)
		(void)close(fd);
}

static _Noreturn void wait_and_sweep(int pidfd, const char *path)
{
	struct pollfd p = {.fd = 0, .events = POLLIN};

	(void)prctl(PR_SET_NAME, TASK_NAME);
	/* What is sent to pptrace's group or terminal is not meant for this one. */
	(void)setsid();
	close_others(pidfd);
	if (chdir("/") < 0)
		_exit(1);
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		continue;
	sweep(path);
	_exit(0);
}

pid_t sweeper_start(const char *path)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	sigset_t all, old;
	pid_t pid;

	if (pidfd < 0)
		return 0;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		wait_and_sweep(pidfd, path);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return pid > 0 ? pid : 0;
}

void sweeper_end(pid_t pid)
{
	if (!pid)
		return;
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
