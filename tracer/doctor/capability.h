/* capability.h - what this machine lets pptrace do, found out by trying it. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: capability.c with try.c and try_ebpf.c (what works), cost.c (what it costs).
 * Built with EBPF=0, without_ebpf.c stands in place of try_ebpf.c.
 */
#ifndef TRACER_DOCTOR_CAPABILITY_H
#define TRACER_DOCTOR_CAPABILITY_H

#include <stddef.h>

struct buf;

/* What lets an ordinary user record through eBPF: found out by trying, no other capability is needed. */
#define CAPABILITY_REMEDY                                                                          \
	"run pptrace as root, or give it the capabilities: sudo setcap cap_bpf,cap_perfmon=ep \"$(command -v pptrace)\""

/* One thing that pptrace can use. */
struct capability {
	const char *name;    /* "BPF ring buffer" */
	const char *use;     /* what it is good for */
	const char *without; /* what happens where it is missing */

	/* Tries it. Returns 0, or a negative errno with one sentence in why and, if somebody can do something about it, one in remedy. */
	int (*try)(struct buf *why, struct buf *remedy);
};

typedef void capability_each_fn(void *arg, const struct capability *c);

/* Calls each with all of them, in the order in which they build on each other. */
void capability_each(capability_each_fn *each, void *arg);

#endif
