/* waits.h - the record of a thread that blocks. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_WAITS_H
#define PROBES_EBPF_WAITS_H

#include "probes/ebpf/file.h"
#include "probes/ebpf/title.h"

#define TASK_INTERRUPTIBLE 1
#define TASK_STOPPED_ 4
#define TASK_TRACED_ 8
#define TASK_KILLABLE_ 0x100
#define TASK_WAKING 0x200
#define TASK_STATES 0x10f

#define FUTEX_PRIVATE 128
#define FUTEX_CMD(op) ((op)&0x7f & ~FUTEX_PRIVATE)
#define F_SETLKW 7
#define F_OFD_SETLKW 38
#define VM_SHARED 8

struct wait_map {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, HANDLE_END);
	__type(key, u32);
	__type(value, u32);
};

extern struct wait_map wait_handlers SEC(".maps");

/*
 * Handlers that on_switch leads to (as calls.h says of the others); the task blocks and is still current, with its slot:
 * HANDLER_WAIT(name) { ... return 0; }
 */
#ifdef EDITION_CASTS
#define HANDLER_WAIT(name)                                                                         \
	SEC("tp_btf/sched_switch")                                                                 \
	int name(void *ctx)                                                                        \
	{                                                                                          \
		return 0;                                                                          \
	}                                                                                          \
	static __always_inline int name##_body(struct task_struct *task, struct slot *slot);       \
	int name##_part(struct slot *slot)                                                         \
	{                                                                                          \
		return slot ? name##_body(task_current(), slot) : 0;                               \
	}                                                                                          \
	static __always_inline int name##_body(struct task_struct *task, struct slot *slot)

#define OF_WAIT(handler) GLOBAL int handler##_part(struct slot *slot);
#include "schema/calls.def"

#else
#define HANDLER_WAIT(name)                                                                         \
	static __always_inline int name##_body(struct task_struct *task, struct slot *slot);       \
	SEC("tp_btf/sched_switch")                                                                 \
	int BPF_PROG(name, bool preempt, struct task_struct *prev, struct task_struct *next)       \
	{                                                                                          \
		struct slot *slot = slot_get(prev);                                                \
                                                                                                   \
		return slot ? name##_body(prev, slot) : 0;                                         \
	}                                                                                          \
	static __always_inline int name##_body(struct task_struct *task, struct slot *slot)
#endif

/* What is found out about a wait before its record is made. */
struct wait {
	u64 args[6];
	u64 ip;
	u64 sp;
	u64 offset;
	u64 file; /* flock and OFD lock: the open file description */
	s64 nr;
	u32 reason;
	u32 timed;
	u32 state;
	u32 pad;
	u64 sigmask; /* the signals that the thread has blocked */
	u64 task;    /* for wait_send */
	struct object obj;
};

/* Fills in what every wait has: the call, its arguments, where the thread is. */
static __always_inline void wait_start(struct wait *w, struct task_struct *task, struct slot *slot)
{
	u32 state = task_state(task);
	struct pt_regs *regs;

	__builtin_memset(w, 0, sizeof *w);
	w->nr = slot->nr;
	w->sigmask = task->blocked.sig[0];
	w->state = state & TASK_WAKING ? 0 : state & TASK_STATES;
	regs = task_regs(task);
	if (slot->flags & SLOT_COMPAT) {
		w->args[0] = COMPAT_ARG0(regs);
		w->args[1] = COMPAT_ARG1(regs);
		w->args[2] = COMPAT_ARG2(regs);
		w->args[3] = COMPAT_ARG3(regs);
		w->args[4] = COMPAT_ARG4(regs);
		w->args[5] = COMPAT_ARG5(regs);
	} else {
		w->args[0] = REG_ARG0(regs);
		w->args[1] = REG_ARG1(regs);
		w->args[2] = REG_ARG2(regs);
		w->args[3] = REG_ARG3(regs);
		w->args[4] = REG_ARG4(regs);
		w->args[5] = REG_ARG5(regs);
	}
	w->ip = REG_IP(regs);
	w->sp = REG_SP(regs);
}

/*
 * The futex word and what lies around it. A page that is not there cannot be
 * waited for here; the word itself was read by the kernel a moment ago, so at
 * worst the neighbours on the next or previous page are missing.
 */
static __always_inline u64 wait_words(char *words, u64 addr)
{
	if (!bpf_probe_read_user(words, 40, (void *)(addr - 12)))
		return 40;
	/* Nothing is mapped below an object at the beginning of a page: its own words are enough. */
	__builtin_memset(words, 0, 40);
	if (!bpf_probe_read_user(words + 12, 28, (void *)addr))
		return 40;
	__builtin_memset(words, 0, 40);
	if (!bpf_probe_read_user(words, 16, (void *)(addr - 12)))
		return 16;
	__builtin_memset(words, 0, 16);
	return 0;
}

/*
 * The kernel makes task->io_uring when a task sets up or enters a ring, and frees it at exec; a child that
 * only inherits the descriptor has none, and nothing under way.
 */
static __always_inline void wait_uring(struct task_struct *task, struct slot *slot)
{
	struct rec_URING *rec;

	if ((slot->flags & SLOT_URING) || !bpf_core_field_exists(task->io_uring) ||
		!BPF_CORE_READ(task, io_uring))
		return;
	rec = EMIT_BEGIN(URING, slot);
	if (!rec)
		return;
	slot->flags |= SLOT_URING;
	rec->fd = (s64)-1;
	EMIT_END(rec);
}

/* Sends the record and marks the thread as waiting. */
static __always_inline void wait_emit(
	struct wait *w, struct task_struct *task, struct slot *slot, u64 futex)
{
	struct rec_WAIT_BEGIN *rec;

	wait_uring(task, slot);
	title_look(task, slot);
	rec = EMIT_BEGIN(WAIT_BEGIN, slot);
	if (!rec)
		return;
	slot->flags |= SLOT_WAITING | SLOT_SLEPT;
	if (slot->flags & SLOT_COMPAT)
		rec->head.flags |= REC_COMPAT;
	rec->syscall = w->nr;
	rec->reason = w->reason;
	rec->arg0 = w->args[0];
	rec->arg1 = w->args[1];
	rec->arg2 = w->args[2];
	rec->arg3 = w->args[3];
	rec->arg4 = w->args[4];
	rec->arg5 = w->args[5];
	rec->file_kind = w->obj.kind;
	rec->dev = w->obj.dev;
	rec->inode = w->obj.inode;
	rec->offset = w->offset;
	rec->peer = object_is_connected(&w->obj)  ? w->obj.inode2
		    : w->reason == WAIT_FILE_LOCK ? w->file
						  : w->obj.peer;
	rec->timed = w->timed;
	rec->sigmask = w->sigmask;
	rec->state = w->state;
	rec->ip = w->ip;
	rec->sp = w->sp;
	rec->words_valid = 0;
	__builtin_memset(rec->words, 0, sizeof rec->words);
	if (futex)
		rec->words_valid = wait_words(rec->words, futex);
	EMIT_END(rec);
}

/*
 * The same as a function of its own, known to the linker: the verifier looks at it once, not again for each kind of
 * call that leads to it.
 */
GLOBAL int wait_send(struct wait *w, struct slot *slot, u64 futex);

/* The end of a handler. */
static __always_inline void wait_done(struct wait *w, struct task_struct *task, struct slot *slot)
{
#ifdef EDITION_CASTS
	w->task = (u64)task;
	wait_send(w, slot, 0);
#else
	wait_emit(w, task, slot, 0);
#endif
}

#endif
