/* core.bpf.c - the ring, the slots and the counters that all eBPF programs share. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/probe.h"

struct ring_map ring SEC(".maps");
struct slots_map slots SEC(".maps");
struct lost_map lost SEC(".maps");

/* Set by the tracer before it loads the programs. */
const volatile struct probe_config config = {};

/* Depth of the tracer's own PID namespace; found by the iterator, which runs inside the tracer. */
unsigned int own_level;

char LICENSE[] SEC("license") = "Dual MIT/GPL";
