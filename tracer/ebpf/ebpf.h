/* ebpf.h - the source that loads the eBPF programs and reads their ring. */
/* SPDX-License-Identifier: MIT */
/*
 * The other end of probes/ebpf. To be read in this order: source.c (struct source), load.c
 * (programs chosen for this kernel) with calls.c (system calls that they look at) and check.c
 * (why they cannot be had), slots.c (which tasks are traced), ring.c (their records), locks.c
 * with symbols.c (uprobes on lock functions).
 */
#ifndef TRACER_EBPF_EBPF_H
#define TRACER_EBPF_EBPF_H

#include <stddef.h>

struct source;

/* The source; each call returns the one object. */
struct source *source_ebpf(void);

/* Returns the ELF object with all programs; it is part of pptrace itself. */
const void *ebpf_object(size_t *ret_size);

#endif
