/* object.h - the eBPF programs that are built into pptrace. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_OBJECT_H
#define TRACER_EBPF_OBJECT_H

#include <stddef.h>

/* Returns the ELF object with all programs; it is part of pptrace itself. */
const void *ebpf_object(size_t *ret_size);

#endif
