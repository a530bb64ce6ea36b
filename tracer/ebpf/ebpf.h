/* ebpf.h - the source that loads the eBPF programs and reads their ring. */
/* SPDX-License-Identifier: MIT */
/*
 * The other end of probes/ebpf. To be read in this order: source.c (struct source), load.c (the edition of the
 * programs, out of object.c, that this kernel takes) with calls.c (system calls that they look at), kernel.c (the types
 * that the kernel describes, with types.c, roots.c and cut.c), programs.c (how they are loaded) and check.c (why they cannot be loaded), slots.c (which tasks are traced), ring.c (their records), locks.c with symbols.c (uprobes
 * on lock functions). By itself: iterate.c (what the kernel knows of all tasks now). Built with EBPF=0,
 * without.c stands in place of all of them.
 */
#ifndef TRACER_EBPF_EBPF_H
#define TRACER_EBPF_EBPF_H

#include <stddef.h>

struct source;

/* The source; each call returns the one object. */
struct source *source_ebpf(void);

/* The editions of probes/ebpf/kernel/edition.h, from the newest kernel's to the oldest one's. */
enum ebpf_edition { EBPF_CASTS, EBPF_PLAIN, EBPF_OLD, EBPF_EDITIONS };

/* Returns the ELF object with all programs of an edition; it is part of pptrace itself. */
const void *ebpf_object(enum ebpf_edition edition, size_t *ret_size);

/* For tests: from now on no edition newer than this one is tried. */
void ebpf_begin_with(enum ebpf_edition edition);

/* Returns what an edition is called: "casts", "plain", "old". */
const char *ebpf_edition_name(enum ebpf_edition edition);

/*
 * Calls each with every row that an iterator over tasks (SEC("iter/task") in probes/ebpf) writes, all of that many
 * bytes. Returns 0, or -EPERM where that is not permitted, or not in the first PID namespace.
 */
int ebpf_iterate(const char *name, size_t row, void (*each)(void *arg, const void *row), void *arg);

#endif
