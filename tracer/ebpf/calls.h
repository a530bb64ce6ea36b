/* calls.h - which system calls the eBPF programs look at. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_CALLS_H
#define TRACER_EBPF_CALLS_H

#include "schema/probe_config.h"

/* Fills the table (CALLS_MAX entries) with this machine's numbers. */
void ebpf_calls_fill(struct call_info *calls);

/* The same for the numbers of 32-bit programs, for calls whose arguments mean the same. */
void ebpf_calls_fill_compat(struct compat_info *calls);

#endif
