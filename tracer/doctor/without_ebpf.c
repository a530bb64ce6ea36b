/* without_ebpf.c - in place of try_ebpf.c where pptrace is built with EBPF=0. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/doctor/try.h"

static int try_nothing(struct buf *why, struct buf *remedy)
{
	buf_adds(why, "this pptrace was built with EBPF=0");
	buf_adds(remedy, "build it with libbpf 1.0 or later, clang and bpftool: make");
	return -ENOSYS;
}

static const struct capability capabilities[] = {
	{"eBPF programs of pptrace", "eBPF recording", "only --backend=shim works", try_nothing},
};

const struct capability *try_ebpf_list(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(capabilities);
	return capabilities;
}
