/* ebpf_calls.h - which system calls the eBPF programs look at. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_CALLS_H
#define TRACER_EBPF_CALLS_H

#include <stdint.h>

#include "schema/probe_config.h"

/* Fills the table (CALLS_MAX entries) with this machine's numbers. */
void ebpf_calls_fill(struct call_info *calls);

/*
 * Fills the table from numbers of 32-bit calls to native numbers plus one, for
 * the calls whose arguments mean the same; 0: not known.
 */
void ebpf_calls_fill_compat(uint16_t *numbers);

#endif
