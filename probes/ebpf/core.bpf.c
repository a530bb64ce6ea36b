/* core.bpf.c - the ring, the slots and the counters that all eBPF programs share. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * bpftool's linker needs to meet a definition before the objects that only name
 * it; this file's name comes first in the alphabet, which is the order of linking.
 */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/fold.h"
#include "probes/ebpf/waits.h"

struct ring_map near SEC(".maps");
struct ring_map far SEC(".maps");
struct slots_map slots SEC(".maps");
struct lost_map lost SEC(".maps");
struct nested_map nested SEC(".maps");
struct ended_map ended SEC(".maps");
struct enter_map enter_handlers SEC(".maps");
struct exit_map exit_handlers SEC(".maps");
struct wait_map wait_handlers SEC(".maps");
struct scratch_map scratch_states SEC(".maps");
struct folds_map folds SEC(".maps");

/* Set by the tracer before it loads the programs. */
const volatile struct probe_config config = {};

/* Depth of the tracer's own PID namespace; found by the iterator, which runs inside the tracer. */
unsigned int own_level;

unsigned long long zero;

unsigned int fold_calls, folding;

/* Run by the tracer itself, once. */
SEC("raw_tp/sys_enter")
int find_level(void *ctx)
{
	own_level = BPF_CORE_READ(task_current(), thread_pid, level);
	return 0;
}

char LICENSE[] SEC("license") = PROBE_LICENSE;

int numbers_find(struct numbers *n)
{
	struct task_struct *task;

	if (!n)
		return 0;
	task = (struct task_struct *)n->task;
	if (own_level == 0) {
		n->pid = BPF_CORE_READ(task, tgid);
		n->tid = BPF_CORE_READ(task, pid);
		return 0;
	}
	n->pid = pid_number(BPF_CORE_READ(task, group_leader, thread_pid), own_level);
	n->tid = pid_number(BPF_CORE_READ(task, thread_pid), own_level);
	return 0;
}

static __noinline u32 nested_number(struct pid *pid, u32 ours)
{
	struct nested_key key = {};

	if (BPF_CORE_READ(pid, level) <= own_level)
		return ours;
	key.nr = pid_inner(pid, &key.ns);
	bpf_map_update_elem(&nested, &key, &ours, BPF_ANY);
	return key.nr;
}

int numbers_nested(struct numbers *n)
{
	struct task_struct *task;

	if (!n)
		return 0;
	task = (struct task_struct *)n->task;
	n->ns_pid = nested_number(BPF_CORE_READ(task, group_leader, thread_pid), n->pid);
	n->ns_tid = nested_number(BPF_CORE_READ(task, thread_pid), n->tid);
	return 0;
}
