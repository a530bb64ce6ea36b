/* roots.h - the kernel's types that the eBPF programs name. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_ROOTS_H
#define TRACER_EBPF_ROOTS_H

#include <stddef.h>

struct type_wanted;

/*
 * Reads out of an object which types its relocations (CO-RE) begin with, each once. Returns 0 and *ret, which the
 * caller frees and whose names are in the object; -EINVAL if that is none; -ENOTSUP if there is a relocation
 * that needs more of the kernel than such types with all that lies in them.
 */
int roots_find(const void *object, size_t size, struct type_wanted **ret, size_t *ret_n);

#endif
