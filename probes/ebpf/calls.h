/* calls.h - the table of system calls and the programs that handle them. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_CALLS_H
#define PROBES_EBPF_CALLS_H

#include "probes/ebpf/probe.h"

struct enter_map {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, HANDLE_END);
	__type(key, u32);
	__type(value, u32);
};

struct exit_map {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, HANDLE_END);
	__type(key, u32);
	__type(value, u32);
};

extern struct enter_map enter_handlers SEC(".maps");
extern struct exit_map exit_handlers SEC(".maps");

/*
 * A handler is reached by a tail call from on_sys_enter or on_sys_exit, which
 * have found the slot; it has the same context and finds it again. Its section
 * is that of the tracepoint, because programs of one array must agree on it.
 */
#define HANDLER_ENTER(name)                                                                        \
	SEC("tp_btf/sys_enter")                                                                    \
	int BPF_PROG(name, struct pt_regs *regs, long id)
#define HANDLER_EXIT(name)                                                                         \
	SEC("tp_btf/sys_exit")                                                                     \
	int BPF_PROG(name, struct pt_regs *regs, long ret)

#endif
