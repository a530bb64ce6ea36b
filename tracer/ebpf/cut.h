/* cut.h - the kernel's types, cut down to those that the eBPF programs name. */
/* SPDX-License-Identifier: MIT */
/*
 * For each type that relocations (CO-RE) begin with, libbpf goes through all types of the kernel, a hundred thousand
 * and more. A description of some hundred types, with what lies in them, gives the same answers.
 */
#ifndef TRACER_EBPF_CUT_H
#define TRACER_EBPF_CUT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct type_wanted;
struct types;

/*
 * Adds a description (BTF) of the wanted types, which types_find has looked for, with all types that lie in them; what they
 * only point to is left out. Returns 0; -ENOENT if a wanted type is not there, -ENOTSUP if there are too many of one name or
 * kinds that are not known; -EINVAL if the kernel's description contradicts itself.
 */
int cut_types(
	const struct types *kernel, const struct type_wanted *wanted, size_t n, struct buf *ret);

#endif
