/* load.h - the eBPF programs: chosen for this kernel, configured, loaded. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_LOAD_H
#define TRACER_EBPF_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "tracer/ebpf/ebpf.h"
#include "tracer/ebpf/ring.h"

struct buf;
struct kernel_types;
struct pptrace_bpf;
struct source_config;

/* Which of the programs are wanted. */
struct ebpf_variant {
	enum ebpf_edition edition;
	bool uprobes;
	bool session; /* uprobes that see call and return (6.13) */
};

/*
 * Opens and configures the programs of a variant; to be loaded or destroyed. *ret_types must stay
 * until then. Returns NULL with errno.
 */
struct pptrace_bpf *ebpf_open(const struct source_config *config, struct ebpf_room room,
	struct ebpf_variant v, struct kernel_types *ret_types);

/*
 * Loads the programs that fit this kernel and the configuration; nothing is
 * attached yet. Returns 0 and *ret, freed with pptrace_bpf__destroy; or a negative errno
 * with a sentence in why.
 */
int ebpf_load(const struct source_config *config, struct ebpf_room room, struct pptrace_bpf **ret,
	struct buf *why);

/* Period of the cpu clock of which samples are made: no multiple of the scheduler's ticks. */
#define EBPF_SAMPLE_NS 7000000u

/* Options of pidfd_open for a descriptor that stands for one thread: PIDFD_THREAD, from 6.9 on. */
#define EBPF_THREAD_PIDFD ((unsigned)O_EXCL)

#endif
