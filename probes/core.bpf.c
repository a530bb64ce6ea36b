/* core.bpf.c - the ring, the slots and the counters that all eBPF programs share. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * bpftool's linker needs to meet a definition before the objects that only name
 * it; this file's name comes first in the alphabet, which is the order of linking.
 */
#include "probes/calls.h"
#include "probes/path.h"
#include "probes/waits.h"

struct ring_map ring SEC(".maps");
struct slots_map slots SEC(".maps");
struct lost_map lost SEC(".maps");
struct nested_map nested SEC(".maps");
struct enter_map enter_handlers SEC(".maps");
struct exit_map exit_handlers SEC(".maps");
struct wait_map wait_handlers SEC(".maps");
struct path_map path_buffer SEC(".maps");

/* Set by the tracer before it loads the programs. */
const volatile struct probe_config config = {};

/* Depth of the tracer's own PID namespace; found by the iterator, which runs inside the tracer. */
unsigned int own_level;

char LICENSE[] SEC("license") = "Dual MIT/GPL";
