/* try_ebpf.c - what of eBPF this kernel lets pptrace do, found out by trying it. */
/* SPDX-License-Identifier: MIT */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/doctor/try.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/source.h"

/* Numbers of features younger than the headers that we build against. */
enum { ATTACH_UPROBE_MULTI = 48 };

static int try_btf(struct buf *why, struct buf *remedy)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		return 0;
	int rc = -errno;

	buf_adds(remedy, "use a kernel with CONFIG_DEBUG_INFO_BTF, as all distributions provide");
	return try_failed(why, "/sys/kernel/btf/vmlinux cannot be read", rc);
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
	try_advise(remedy, fd);
	return try_failed(why, "the kernel refuses to load a program", fd);
}

static int try_tp_btf(struct buf *why, struct buf *remedy)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id("sched_process_fork", BPF_TRACE_RAW_TP);
	_cleanup_close_ int prog = -1, link = -1;
	int rc;

	if (id < 0)
		return try_failed(
			why, "the tracepoint sched_process_fork is not in the kernel's BTF", id);
	opts.attach_btf_id = (unsigned)id;
	prog = rc = load(BPF_PROG_TYPE_TRACING, &opts);
	if (rc >= 0) {
		link = bpf_raw_tracepoint_open(NULL, prog);
		rc = link < 0 ? -errno : 0;
	}
	if (rc >= 0)
		return 0;
	try_advise(remedy, rc);
	return try_failed(why, "a tracepoint program cannot be attached", rc);
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
	try_advise(remedy, rc);
	return try_failed(why, "a ring buffer cannot be created", rc);
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
		try_advise(remedy, rc);
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
	try_advise(remedy, rc);
	if (rc == -EINVAL)
		buf_adds(remedy, "use Linux 6.6 or later");
	return try_failed(why, "uprobe_multi is not supported", rc);
}

static const struct capability capabilities[] = {
	{"BTF of the kernel", "eBPF recording", "only --backend=shim works", try_btf},
	{"loading BPF programs", "eBPF recording", "only --backend=shim works", try_load},
	{"BPF at tracepoints", "eBPF recording", "only --backend=shim works", try_tp_btf},
	{"BPF ring buffer", "eBPF recording", "only --backend=shim works", try_ringbuf},
	{"eBPF programs of pptrace", "eBPF recording", "only --backend=shim works", try_programs},
	{"uprobe_multi", "--locks=uprobe", "locks through the shim or futex waits only",
		try_uprobe_multi},
};

const struct capability *try_ebpf_list(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(capabilities);
	return capabilities;
}
