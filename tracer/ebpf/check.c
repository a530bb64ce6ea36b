/* check.c - why eBPF programs cannot be had, in words. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/check.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define BTF_FILE "/sys/kernel/btf/vmlinux"

void ebpf_check_words(struct buf *why, int error)
{
	switch (error) {
	case -EPERM:
		buf_adds(why,
			"the kernel refuses eBPF programs to this user: run pptrace as root, or "
			"give it the capabilities CAP_BPF and CAP_PERFMON");
		if (geteuid() == 0)
			buf_adds(why,
				" (this root lacks them: a container or a locked-down kernel)");
		break;
	case -EACCES:
		buf_adds(why, "this kernel's verifier does not accept pptrace's eBPF programs");
		break;
	case -ENOSYS:
		buf_adds(why, "this kernel was built without eBPF");
		break;
	case -EINVAL:
	case -ENOTSUP:
		buf_adds(why, "this kernel is too old or lacks a feature that the eBPF programs "
			      "need: 5.15 or newer with BTF is needed");
		break;
	case -ENOMEM:
		buf_adds(why, "there is not enough memory for the eBPF maps");
		break;
	default:
		buf_addf(why, "the eBPF programs cannot be loaded: %s", strerror(-error));
	}
}

/* A program that returns at once, of a type that takes the same rights as ours. */
static int try_program(void)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(
		BPF_PROG_TYPE_RAW_TRACEPOINT, "pptrace_try", "GPL", insns, ARRAY_SIZE(insns), NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int try_ring(void)
{
	int fd = bpf_map_create(
		BPF_MAP_TYPE_RINGBUF, "pptrace_try", 0, 0, (unsigned)sysconf(_SC_PAGESIZE), NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int ebpf_check(struct buf *why)
{
	int rc;

	if (access(BTF_FILE, R_OK)) {
		buf_adds(why, "this kernel does not describe its types (" BTF_FILE
			      " is missing: CONFIG_DEBUG_INFO_BTF)");
		return -ENOTSUP;
	}
	rc = try_program();
	if (!rc)
		rc = try_ring();
	if (rc)
		ebpf_check_words(why, rc);
	return rc;
}
