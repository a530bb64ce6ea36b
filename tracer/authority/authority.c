/* authority.c - which processes pptrace may act on. */
/* SPDX-License-Identifier: MIT */
#include "tracer/authority/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/authority/private.h"

/* Says whether pptrace has a child, ended or not. */
static bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 ||
	       errno != ECHILD;
}

struct authority *authority_new(void)
{
	struct authority *a = xcalloc(1, sizeof *a);

	(void)pthread_mutex_init(&a->lock, NULL);
	a->had_children = has_children();
	return a;
}

void authority_free(struct authority *a)
{
	if (!a)
		return;
	hash_done(&a->proven);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

void authority_kernel(struct authority *a, bool (*has)(void *arg, int pidfd, pid_t pid), void *arg)
{
	a->has = has;
	a->arg = arg;
}

void authority_root(struct authority *a, pid_t pid)
{
	(void)authority_task_read(pid, &a->root);
}

/* ---- Whose it is ---- */

bool authority_is_elevated(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (getuid() == 0)
		return false;
	return geteuid() != getuid() || getegid() != getgid() ||
	       syscall(SYS_capget, &head, caps) < 0 || caps[0].effective || caps[1].effective;
}

/* Says whether the four numbers of a line of /proc/PID/status (real, effective, saved, of files) are all that one. */
static bool all_are(const char *line, unsigned wanted)
{
	unsigned n[4];

	if (sscanf(line, "%u %u %u %u", &n[0], &n[1], &n[2], &n[3]) != 4)
		return false;
	return n[0] == wanted && n[1] == wanted && n[2] == wanted && n[3] == wanted;
}

/*
 * What the kernel asks of a process without privileges (ptrace(2), access mode
 * checking): all user and group IDs are ours, and the process is dumpable, as
 * otherwise its directory belongs to root.
 */
static bool is_users_own(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/status", (int)pid);
	_cleanup_free_ char *folder = xasprintf("/proc/%d", (int)pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	bool uid = false, gid = false;
	char line[256];
	struct stat st;

	while (f && !(uid && gid) && fgets(line, sizeof line, f)) {
		if (!strncmp(line, "Uid:", 4))
			uid = all_are(line + 4, getuid());
		else if (!strncmp(line, "Gid:", 4))
			gid = all_are(line + 4, getgid());
	}
	return uid && gid && stat(folder, &st) == 0 && st.st_uid == getuid();
}

static bool may_touch(pid_t pid)
{
	return !authority_is_elevated() || is_users_own(pid);
}

/* ---- Holding ---- */

/*
 * The directory in /proc means one process or thread just as well, where pidfd_open is not available (a container's
 * filter) or does not take threads.
 */
static int open_task(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	char path[32];

	if (fd >= 0 || errno == ESRCH || errno == EMFILE || errno == ENFILE)
		return fd >= 0 ? fd : -errno;
	(void)snprintf(path, sizeof path, "/proc/%d", (int)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

/* A process that has not been reaped still has its number. */
static bool is_there(int held)
{
	return syscall(SYS_pidfd_send_signal, held, 0, NULL, 0) == 0 || errno != ESRCH;
}

/* The process of a thread; 0: it is gone. */
static pid_t process_of(pid_t tid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/status", (int)tid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[256];

	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, "Tgid:", 5))
			return (pid_t)atoi(line + 5);
	return 0;
}

/* The kernel is asked for the process; what it says of a thread is read while that is held. */
static bool kernel_has(struct authority *a, pid_t pid)
{
	pid_t process = process_of(pid);
	_cleanup_close_ int pidfd = process ? (int)syscall(SYS_pidfd_open, process, 0) : -1;

	return pidfd >= 0 && a->has(a->arg, pidfd, process) && process_of(pid) == process;
}

static bool belongs(struct authority *a, pid_t pid)
{
	return !a || (a->has ? kernel_has(a, pid) : authority_descends(a, pid));
}

int authority_hold(struct authority *a, pid_t pid)
{
	_cleanup_close_ int held = -1;

	if (pid <= 0)
		return -ESRCH;
	if (a && pid == getpid())
		return -EPERM;
	held = open_task(pid);
	if (held < 0)
		return held;
	if (!belongs(a, pid) || !may_touch(pid))
		return -EPERM;
	return is_there(held) ? steal_fd(&held) : -ESRCH;
}

bool authority_still(int held, pid_t pid)
{
	return may_touch(pid) && is_there(held);
}

bool authority_covers(struct authority *a, pid_t pid)
{
	_cleanup_close_ int held = authority_hold(a, pid);

	return held >= 0;
}

int authority_signal(struct authority *a, pid_t pid, int signo)
{
	_cleanup_close_ int held = authority_hold(a, pid);

	if (held < 0)
		return held;
	return syscall(SYS_pidfd_send_signal, held, signo, NULL, 0) < 0 ? -errno : 0;
}
