/* capability.c - what this machine lets pptrace do, found out by trying it. */
/* SPDX-License-Identifier: MIT */
#include "tracer/doctor/capability.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arch.h"
#include "base/buf.h"
#include "base/mem.h"
#include "tracer/doctor/try.h"
#include "tracer/shim/shim.h"

static int try_cpu_clock(struct buf *why, struct buf *remedy)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
		.size = sizeof attr,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 10000000,
		.disabled = 1};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int rc = -errno;

	if (fd >= 0) {
		(void)close(fd);
		return 0;
	}
	try_advise(remedy, rc);
	return try_failed(why, "the processor cannot be sampled by its clock", rc);
}

static int try_tracefs(struct buf *why, struct buf *remedy)
{
	if (access("/sys/kernel/tracing/events", R_OK | X_OK) == 0 ||
		access("/sys/kernel/debug/tracing/events", R_OK | X_OK) == 0)
		return 0;
	int rc = -errno;

	(void)remedy;
	return try_failed(why, "tracefs is not readable", rc);
}

static int try_shim(struct buf *why, struct buf *remedy)
{
	_cleanup_free_ char *library = preload_library();

	if (!library) {
		buf_adds(why,
			"libpptrace-shim.so was not found next to pptrace or in the library directory");
		buf_adds(remedy, "build it with make, or install with make install");
		return -ENOENT;
	}
	return 0;
}

static int try_arena(struct buf *why, struct buf *remedy)
{
	_cleanup_free_ char *path = arena_make(geteuid());
	int rc = -errno;

	if (path) {
		arena_remove(path);
		return 0;
	}
	buf_adds(remedy, "mount a tmpfs at /dev/shm");
	return try_failed(why, "no directory for rings can be made in /dev/shm or /tmp", rc);
}

/* Reads the memory of a child that did not allow it: what `why` and the second look at a deadlock do. */
static int try_read_memory(struct buf *why, struct buf *remedy)
{
	int value = 42, copy = 0, rc;
	struct iovec local = {&copy, sizeof copy}, remote = {&value, sizeof value};
	pid_t child = fork();

	if (child == 0) {
		/* Like a program without privileges, as the traced ones are; pptrace itself may have some (setcap). */
		(void)prctl(PR_SET_DUMPABLE, 1);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	if (child < 0)
		return try_failed(why, "cannot fork", -errno);
	(void)waitpid(child, NULL, WUNTRACED);
	rc = process_vm_readv(child, &local, 1, &remote, 1, 0) == sizeof copy ? 0 : -errno;
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	if (rc == 0)
		return 0;
	try_advise(remedy, rc);
	return try_failed(why, "the memory of another process of the same user cannot be read", rc);
}

static int try_yama(struct buf *why, struct buf *remedy)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	if (!f || fscanf(f, "%d", &scope) != 1 || scope == 0 || geteuid() == 0)
		return 0;
	buf_addf(
		why, "Yama (ptrace_scope %d) protects processes that pptrace did not start", scope);
	buf_adds(remedy, "run `why` as root, or: sysctl kernel.yama.ptrace_scope=0");
	return -EPERM;
}

static int try_counter(struct buf *why, struct buf *remedy)
{
	if (arch_counter_steady())
		return 0;
	(void)remedy;
	buf_adds(why, "the processor's counter is not invariant");
	return -ENOTSUP;
}

static const struct capability others[] = {
	{"cpu-clock samples", "finding busy waits", "busy-wait is never found", try_cpu_clock},
	{"tracefs", "not needed by pptrace, which attaches through BTF", "", try_tracefs},
	{"preload library", "every lock operation; --backend=shim",
		"only contended locks are recorded", try_shim},
	{"memory for rings", "the preload library", "the preload library is not used", try_arena},
	{"invariant counter", "cheap time stamps in the preload library",
		"it reads the kernel's clock instead, a few nanoseconds slower", try_counter},
	{"reading memory of processes", "why, and the check before a deadlock is reported",
		"verdicts are less detailed", try_read_memory},
	{"reading other processes", "why for processes that pptrace did not start",
		"why works only as root", try_yama},
};

void capability_each(capability_each_fn *each, void *arg)
{
	size_t n;
	const struct capability *list = try_ebpf_list(&n);

	for (size_t i = 0; i < n; i++)
		each(arg, &list[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		each(arg, &others[i]);
}
