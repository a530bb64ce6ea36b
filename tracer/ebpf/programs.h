/* programs.h - load the eBPF programs, several at a time. */
/* SPDX-License-Identifier: MIT */
/*
 * The verifier takes a millisecond or more for a program, and libbpf loads one after the other. So libbpf prepares them
 * (maps, relocations) and loads an empty program in the place of each; then the real ones are loaded by several threads,
 * and each takes over the descriptor of its place. libbpf, which would read all types of the kernel to find what each
 * attaches to, never does.
 */
#ifndef TRACER_EBPF_PROGRAMS_H
#define TRACER_EBPF_PROGRAMS_H

#include "tracer/ebpf/ring.h"

struct bpf_object;
struct kernel_types;
struct pptrace_bpf;

/* The maps of records, whose memory takes the kernel as long as several programs: made in a thread meanwhile. */
struct programs_rings;
struct programs_rings *programs_rings_begin(struct ebpf_room room);
void programs_rings_free(struct programs_rings *r);
#define _cleanup_rings_ __attribute__((cleanup(programs_rings_cleanup)))
void programs_rings_cleanup(struct programs_rings **r);

/* To be called before the programs are opened. Returns 0 or a negative errno. */
int programs_expect(void);

/*
 * Loads the opened programs, with those rings. Returns 0; or a negative errno, with what ebpf_check_words
 * needs to know.
 */
int programs_load(
	struct pptrace_bpf *skel, const struct kernel_types *types, struct programs_rings *rings);

/* The same of those programs of an opened object that are to be loaded, without a ring. */
int programs_load_some(struct bpf_object *obj, const struct kernel_types *types);

#endif
