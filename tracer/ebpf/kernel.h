/* kernel.h - what the running kernel says of its types. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_KERNEL_H
#define TRACER_EBPF_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "schema/probe_config.h"
#include "tracer/ebpf/types.h"

/* Its types, and a file in memory with those that relocations of an object need (cut.h), which libbpf is given. */
struct kernel_types {
	void *bytes;
	size_t len;
	bool mapped;
	struct types types; /* none where the kernel does not describe them */
	int cut; /* -1: there is no such file, and libbpf has to look through all types */
	char cut_path[32];

	/* What a program that casts needs; 0 where it is not known. */
	struct probe_casts casts;
	uint32_t cast_call; /* the kernel's function */
	char *object;       /* the object with calls of it, or NULL: the object has none */
};

/* Reads them for an object. Always gives something, which kernel_types_done frees; the file must stay until then. */
struct kernel_types kernel_types(const void *object, size_t size);
void kernel_types_done(struct kernel_types *k);

#define _cleanup_types_ __attribute__((cleanup(kernel_types_done)))
#define KERNEL_TYPES_NONE ((struct kernel_types){.cut = -1})

/* Returns the path for libbpf, or NULL. */
const char *kernel_types_path(const struct kernel_types *k);

#endif
