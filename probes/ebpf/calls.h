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
 * A handler is reached by a tail call from on_sys_enter or on_sys_exit, which have found the slot:
 * HANDLER_ENTER(name) { ... return 0; } has task, slot, regs and id, HANDLER_ENDS and HANDLER_EXIT have task, slot, regs and ret.
 *
 * It is a program of its own, whose section is that of the tracepoint, because programs of one array must agree on it.
 * The verifier then looks at what handlers have in common once in each of them, which is most of what it does. So in the
 * newest edition it is a function (name_part) that one program calls for all handlers of a place (enter_any, ends_any,
 * exit_any, wait_any): slot->handler says which. Two for the ends of calls, as the kernel copies the whole program for
 * many an instruction that it replaces. The empty program is there because all editions have the same ones; it is not loaded.
 */
#ifdef EDITION_CASTS
#define HANDLER_OF(section, name, number)                                                          \
	SEC(section)                                                                               \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		return 0;                                                                          \
	}                                                                                          \
	static __always_inline int name##_body(void *ctx, struct task_struct *task,                \
		struct slot *slot, struct pt_regs *regs, long number);                             \
	int name##_part(struct slot *slot, long number)                                            \
	{                                                                                          \
		struct task_struct *task = task_current();                                         \
                                                                                                   \
		return slot ? name##_body(NULL, task, slot, task_regs(task), number) : 0;          \
	}                                                                                          \
	static __always_inline int name##_body(void *ctx, struct task_struct *task,                \
		struct slot *slot, struct pt_regs *regs, long number)
#define GO_ON(ctx, slot, name) return HANDLE_##name

#define OF_ENTER(handler) GLOBAL int handler##_part(struct slot *slot, long id);
#define OF_ENDS(handler) GLOBAL int handler##_part(struct slot *slot, long ret);
#define OF_EXIT(handler) GLOBAL int handler##_part(struct slot *slot, long ret);
#include "schema/calls.def"

#else
#define HANDLER_OF(section, name, number)                                                          \
	static __always_inline int name##_body(void *ctx, struct task_struct *task,                \
		struct slot *slot, struct pt_regs *regs, long number);                             \
	SEC(section)                                                                               \
	int BPF_PROG(name, struct pt_regs *regs, long number)                                      \
	{                                                                                          \
		struct task_struct *task = task_current();                                         \
		struct slot *slot = slot_get(task);                                                \
                                                                                                   \
		return slot ? name##_body(ctx, task, slot, regs, number) : 0;                      \
	}                                                                                          \
	static __always_inline int name##_body(void *ctx, struct task_struct *task,                \
		struct slot *slot, struct pt_regs *regs, long number)
#define GO_ON(ctx, slot, name) bpf_tail_call(ctx, &exit_handlers, HANDLE_##name)
#endif

#define HANDLER_ENTER(name) HANDLER_OF("tp_btf/sys_enter", name, id)
#define HANDLER_ENDS(name) HANDLER_OF("tp_btf/sys_exit", name, ret)
#define HANDLER_EXIT(name) HANDLER_OF("tp_btf/sys_exit", name, ret)

#endif
