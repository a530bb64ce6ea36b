/* capability.c - what this machine lets pptrace do, found out by trying it. */
/* SPDX-License-Identifier: MIT */
#include "tracer/doctor/capability.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/shim/shim.h"
#include "tracer/source.h"

/* Numbers of features younger than the headers that we build against. */
enum { ATTACH_UPROBE_MULTI = 48 };

static int fail(struct buf *why, const char *what, int rc)
{
	buf_addf(why, "%s: %s", what, strerror(-rc));
	return rc;
}

static void advise(struct buf *remedy, int rc)
{
	if (rc == -EPERM || rc == -EACCES)
		buf_adds(remedy, CAPABILITY_REMEDY);
}

static int try_btf(struct buf *why, struct buf *remedy)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		return 0;
	int rc = -errno;

	buf_adds(remedy, "use a kernel with CONFIG_DEBUG_INFO_BTF, as all distributions provide");
	return fail(why, "/sys/kernel/btf/vmlinux cannot be read", rc);
}

/* "return 0": enough to learn whether a kind of program may be loaded. */
static const struct bpf_insn return_zero[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT},
};

static int load(enum bpf_prog_type type, struct bpf_prog_load_opts *opts)
{
	int fd;

	libbpf_set_print(NULL);
	fd = bpf_prog_load(
		type, "pptrace_try", "Dual MIT/GPL", return_zero, ARRAY_SIZE(return_zero), opts);
	return fd < 0 ? -errno : fd;
}

static int try_load(struct buf *why, struct buf *remedy)
{
	int fd = load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL);

	if (fd >= 0) {
		(void)close(fd);
		return 0;
	}
	advise(remedy, fd);
	return fail(why, "the kernel refuses to load a program", fd);
}

static int try_tp_btf(struct buf *why, struct buf *remedy)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id("sched_process_fork", BPF_TRACE_RAW_TP);
	_cleanup_close_ int prog = -1, link = -1;
	int rc;

	if (id < 0)
		return fail(
			why, "the tracepoint sched_process_fork is not in the kernel's BTF", id);
	opts.attach_btf_id = (unsigned)id;
	prog = rc = load(BPF_PROG_TYPE_TRACING, &opts);
	if (rc >= 0) {
		link = bpf_raw_tracepoint_open(NULL, prog);
		rc = link < 0 ? -errno : 0;
	}
	if (rc >= 0)
		return 0;
	advise(remedy, rc);
	return fail(why, "a tracepoint program cannot be attached", rc);
}

static int try_ringbuf(struct buf *why, struct buf *remedy)
{
	int fd = bpf_map_create(
		BPF_MAP_TYPE_RINGBUF, "pptrace_try", 0, 0, (unsigned)sysconf(_SC_PAGESIZE), NULL);
	int rc = -errno;

	if (fd >= 0) {
		(void)close(fd);
		return 0;
	}
	advise(remedy, rc);
	return fail(why, "no ring buffer can be made", rc);
}

/* What counts in the end: the very programs that record are loaded and attached, and taken away again. */
static int try_programs(struct buf *why, struct buf *remedy)
{
	struct source_config config = {.locks = LOCKS_MODE_FUTEX, .quiet = true};
	struct source *s = source_ebpf();
	int rc = s->available(why);

	if (rc == 0)
		rc = s->attach(s, &config, why);
	if (rc == 0)
		s->detach(s);
	else
		advise(remedy, rc);
	return rc;
}

/* An offset inside our own text: the probe is never hit there and is gone at once. */
static void probed_function(void)
{
	__asm__ volatile("");
}

static unsigned long file_offset(const void *address)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/maps", "re");
	unsigned long at = (unsigned long)(uintptr_t)address, start, end, offset;
	char line[512];

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 && at >= start &&
			at < end)
			return at - start + offset;
	return 0;
}

static int try_uprobe_multi(struct buf *why, struct buf *remedy)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.expected_attach_type = (enum bpf_attach_type)ATTACH_UPROBE_MULTI);
	/* Layout of union bpf_attr for BPF_LINK_CREATE of this kind; the installed header does not know it yet. */
	struct {
		uint32_t prog_fd, target_fd, attach_type, flags;
		uint64_t path, offsets, ref_ctr_offsets, cookies;
		uint32_t cnt, multi_flags, pid, pad;
	} attr = {.attach_type = ATTACH_UPROBE_MULTI, .cnt = 1};
	uint64_t offset = file_offset((const void *)(uintptr_t)probed_function);
	_cleanup_close_ int prog = load(BPF_PROG_TYPE_KPROBE, &opts), link = -1;
	int rc = prog;

	if (prog >= 0) {
		attr.prog_fd = (uint32_t)prog;
		attr.path = (uint64_t)(uintptr_t) "/proc/self/exe";
		attr.offsets = (uint64_t)(uintptr_t)&offset;
		link = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr);
		rc = link < 0 ? -errno : 0;
	}
	if (rc >= 0)
		return 0;
	advise(remedy, rc);
	if (rc == -EINVAL)
		buf_adds(remedy, "use Linux 6.6 or later");
	return fail(why, "user probes cannot be attached to many functions at once", rc);
}

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
	advise(remedy, rc);
	return fail(why, "the processor cannot be sampled by its clock", rc);
}

static int try_tracefs(struct buf *why, struct buf *remedy)
{
	if (access("/sys/kernel/tracing/events", R_OK | X_OK) == 0 ||
		access("/sys/kernel/debug/tracing/events", R_OK | X_OK) == 0)
		return 0;
	int rc = -errno;

	buf_adds(remedy, "not needed: pptrace attaches to tracepoints through BTF");
	return fail(why, "tracefs is not readable", rc);
}

static int try_shim(struct buf *why, struct buf *remedy)
{
	_cleanup_free_ char *library = preload_library();

	if (!library) {
		buf_adds(why, "libpptrace-shim.so is neither beside pptrace nor installed");
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
	return fail(why, "no directory for rings can be made in /dev/shm or /tmp", rc);
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
		return fail(why, "cannot fork", -errno);
	(void)waitpid(child, NULL, WUNTRACED);
	rc = process_vm_readv(child, &local, 1, &remote, 1, 0) == sizeof copy ? 0 : -errno;
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	if (rc == 0)
		return 0;
	advise(remedy, rc);
	return fail(why, "the memory of another process of the same user cannot be read", rc);
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

static int try_tsc(struct buf *why, struct buf *remedy)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/cpuinfo", "re");
	char line[4096];

	while (f && fgets(line, sizeof line, f))
		if (strstr(line, "nonstop_tsc") && strstr(line, "constant_tsc"))
			return 0;
	(void)remedy;
	buf_adds(why, "the processor's counter is not invariant");
	return -ENOTSUP;
}

static const struct capability capabilities[] = {
	{"BTF of the kernel", "eBPF recording", "only --backend=shim works", try_btf},
	{"loading BPF programs", "eBPF recording", "only --backend=shim works", try_load},
	{"BPF at tracepoints", "eBPF recording", "only --backend=shim works", try_tp_btf},
	{"BPF ring buffer", "eBPF recording", "only --backend=shim works", try_ringbuf},
	{"eBPF programs of pptrace", "eBPF recording", "only --backend=shim works", try_programs},
	{"uprobe_multi", "--locks=uprobe", "locks through the shim or futex waits only",
		try_uprobe_multi},
	{"cpu-clock samples", "finding busy waits", "busy-wait is never found", try_cpu_clock},
	{"tracefs", "not needed by pptrace", "nothing is lost", try_tracefs},
	{"preload library", "every lock operation; --backend=shim",
		"only locks that block are recorded", try_shim},
	{"memory for rings", "the preload library", "the preload library is not used", try_arena},
	{"invariant TSC", "cheap time stamps in the preload library",
		"it asks the kernel's clock, which takes some nanoseconds longer", try_tsc},
	{"reading memory of processes", "why, and the check before a deadlock is reported",
		"verdicts say less", try_read_memory},
	{"reading processes of others", "why for processes that pptrace did not start",
		"why works only as root", try_yama},
};

const struct capability *capability_list(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(capabilities);
	return capabilities;
}
