/* kernel.h - what the running kernel says of its types. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_KERNEL_H
#define TRACER_EBPF_KERNEL_H

#include <stddef.h>

struct probe_casts;

/* A file in memory with the types that relocations of an object need (cut.h), for libbpf; kernel_cut_done closes it. */
struct kernel_cut {
	int fd; /* -1: there is none, and libbpf has to look through all types */
	char path[32];
};

/*
 * Makes it for an object. Also says which numbers the types have that programs cast to, 0 where that is not known;
 * ret_casts may be NULL.
 */
struct kernel_cut kernel_cut(const void *object, size_t size, struct probe_casts *ret_casts);

/* Returns what libbpf is to be given, which may be NULL, until kernel_cut_done. */
const char *kernel_cut_path(const struct kernel_cut *cut);
void kernel_cut_done(struct kernel_cut *cut);

#define _cleanup_cut_ __attribute__((cleanup(kernel_cut_done)))

#endif
