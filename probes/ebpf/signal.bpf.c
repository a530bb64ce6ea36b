/* signal.bpf.c - signals made, taken and prepared for; timers that make them. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"

#define SEND_SIG_NOINFO ((struct kernel_siginfo *)0)
#define SEND_SIG_PRIV ((struct kernel_siginfo *)1)
#define SI_KERNEL 0x80
#define SIGKILL 9
#define SIGALRM 14
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGNAL_GROUP_EXIT 4
/* SIGQUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ, SYS */
#define CORE_SIGNALS 0x830009f8ull
#define TIMER_ABSTIME 1
#define SIGEV_NONE 1

/* Processes (by when they were started) whose killing signal was already reported: each of their threads takes a SIGKILL. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, u32);
} dying SEC(".maps");

/* Signal of each POSIX timer: (process, timer id) -> number. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} timers SEC(".maps");

/*
 * TP_PROTO(int sig, struct kernel_siginfo *info, struct task_struct *task, int group, int result):
 * in the sender if there is one, in an interrupt for timers and terminals.
 */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_sig_send, int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
	int result)
{
	struct task_struct *current_task = task_current();
	struct slot *target = slot_get(task), *sender = slot_get(current_task);
	struct numbers to = {.task = (u64)task}, by = {.task = (u64)current_task};
	u32 from;
	struct rec_SIG_SEND *rec;
	int code = SI_KERNEL;

	if (!target) {
		/* Keeps clang from joining the two tests by "or", which the verifier refuses for pointers. */
		asm volatile("" : "+r"(sender));
		if (!sender)
			return 0;
	}
	if ((u64)info > 1)
		bpf_probe_read_kernel(&code, sizeof code, &info->si_code);
	from = signal_sender(sig, code);
	/* The task that runs during an interrupt has nothing to do with it. */
	if (!target && from != SENDER_TASK)
		return 0;
	numbers_find(&to);
	if (from == SENDER_TASK)
		numbers_find(&by);
	else
		by = to;
	rec = emit_begin(REC_SIG_SEND, sizeof *rec, by.pid, by.tid);
	if (!rec)
		return 0;
	rec->signo = sig;
	rec->code = (s64)code;
	rec->target_pid = to.pid;
	rec->target_tid = to.tid;
	rec->group = group != 0;
	rec->result = result;
	rec->sender = from;
	EMIT_END(rec);
	return 0;
}

/* An exec kills the other threads of its process. */
static __always_inline bool is_killed_by_exec(struct signal_struct *signal)
{
	struct signal_struct___old *old = (void *)signal;

	if (bpf_core_field_exists(signal->group_exec_task))
		return BPF_CORE_READ(signal, group_exec_task);
	if (bpf_core_field_exists(old->group_exit_task))
		return BPF_CORE_READ(old, group_exit_task);
	return false;
}

/*
 * A signal that ends a process reaches its threads as SIGKILL; what it was is
 * in the exit code. Returns 0 where it was no signal (exit_group, exec), or
 * was reported by another thread.
 */
static __always_inline int signal_fatal(struct task_struct *task, int sig, bool dumps)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	u64 key = BPF_CORE_READ(task, group_leader, start_time);
	u32 one = 1;

	/* One that dumps core is taken as itself, and only the other threads are killed for it. */
	if (sig != SIGKILL) {
		if (dumps && (CORE_SIGNALS >> (sig & 63) & 1))
			bpf_map_update_elem(&dying, &key, &one, BPF_ANY);
		return sig;
	}
	if (!(BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT))
		return is_killed_by_exec(signal) ? 0 : sig;
	if (bpf_map_update_elem(&dying, &key, &one, BPF_NOEXIST))
		return 0;
	return BPF_CORE_READ(signal, group_exit_code) & 0x7f;
}

/* TP_PROTO(int sig, struct kernel_siginfo *info, struct k_sigaction *ka): in the task that takes it. */
SEC("tp_btf/signal_deliver")
int BPF_PROG(on_sig_deliver, int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
{
	struct task_struct *task = task_current();
	struct slot *slot = slot_get(task);
	struct rec_SIG_DELIVER *rec;
	int code = SI_KERNEL;

	if (!slot)
		return 0;
	sig = signal_fatal(task, sig, !ka->sa.sa_handler);
	if (!sig)
		return 0;
	if ((u64)info > 1)
		bpf_probe_read_kernel(&code, sizeof code, &info->si_code);
	rec = EMIT_BEGIN(SIG_DELIVER, slot);
	if (!rec)
		return 0;
	rec->signo = sig;
	rec->code = (s64)code;
	rec->handler = (u64)ka->sa.sa_handler;
	rec->flags = ka->sa.sa_flags;
	rec->syscall = (s64)slot->last_nr;
	slot->last_nr = -1;
	EMIT_END(rec);
	return 0;
}

static __always_inline void sigaction_emit(struct task_struct *task, struct slot *slot, u32 sig)
{
	struct rec_SIG_ACTION *rec;
	struct k_sigaction *action;

	if (sig < 1 || sig > 64)
		return;
	rec = EMIT_BEGIN(SIG_ACTION, slot);
	if (!rec)
		return;
	action = signal_action(task, sig);
	rec->signo = sig;
	rec->handler = (u64)BPF_CORE_READ(action, sa.sa_handler);
	rec->flags = BPF_CORE_READ(action, sa.sa_flags);
	rec->mask = BPF_CORE_READ(action, sa.sa_mask.sig[0]);
	EMIT_END(rec);
}

/* What a call said about a timer. */
struct timer {
	u32 which;
	s32 id;
	u32 signo;
	bool absolute;
	u64 value_ns;
	u64 interval_ns;
};

/* Seconds and a fraction in the given unit; both structs begin with the interval. */
static __always_inline int timer_read(struct timer *t, u64 addr, u64 unit)
{
	s64 v[4] = {};

	if (!addr || bpf_probe_read_user(v, sizeof v, (void *)addr))
		return -1;
	t->interval_ns = v[0] * 1000000000 + v[1] * unit;
	t->value_ns = v[2] * 1000000000 + v[3] * unit;
	return 0;
}

static __always_inline void timer_emit(struct slot *slot, struct timer *t)
{
	struct rec_TIMER *rec = EMIT_BEGIN(TIMER, slot);
	u64 now;

	if (!rec)
		return;
	if (t->absolute && t->value_ns) {
		now = rec->head.ts;
		if (t->value_ns >= config.realtime_offset)
			now += config.realtime_offset;
		t->value_ns = t->value_ns > now ? t->value_ns - now : 1;
	}
	rec->which = t->which;
	rec->timer_id = (s64)t->id;
	rec->signo = t->signo;
	rec->value_ns = t->value_ns;
	rec->interval_ns = t->interval_ns;
	EMIT_END(rec);
}

/* Remembers which signal a timer sends. */
static __always_inline void timer_created(struct slot *slot, u64 event, u64 where)
{
	struct {
		u64 value;
		u32 signo;
		u32 notify;
	} sev = {.signo = SIGALRM};
	u32 id = 0;
	u64 key;

	if (bpf_probe_read_user(&id, sizeof id, (void *)where))
		return;
	if (event)
		bpf_probe_read_user(&sev, sizeof sev, (void *)event);
	if (sev.notify == SIGEV_NONE)
		sev.signo = 0;
	key = (u64)slot->pid << 32 | id;
	bpf_map_update_elem(&timers, &key, &sev.signo, BPF_ANY);
}

static __always_inline u32 timer_signo(struct slot *slot, u32 id)
{
	u64 key = (u64)slot->pid << 32 | id;
	u32 *signo = bpf_map_lookup_elem(&timers, &key);

	return signo ? *signo : 0;
}

/* rt_sigaction, alarm, setitimer, timer_create, timer_settime, timer_delete, timerfd_settime */
HANDLER_EXIT(exit_timer)
{
	struct timer t = {};
	u32 which;

	if (ret < 0)
		return 0;
	switch (slot->call) {
	case CALL_SIGACTION:
		if (REG_ARG1(regs))
			sigaction_emit(task, slot, REG_ARG0(regs));
		return 0;
	case CALL_ALARM:
		t.which = TIMER_REAL;
		t.signo = SIGALRM;
		t.value_ns = (u64)(u32)REG_ARG0(regs) * 1000000000;
		break;
	case CALL_SETITIMER:
		which = REG_ARG0(regs);
		t.which = which + TIMER_REAL;
		t.signo = which == 0 ? SIGALRM : which == 1 ? SIGVTALRM : SIGPROF;
		if (timer_read(&t, REG_ARG1(regs), 1000))
			return 0;
		break;
	case CALL_TIMER_CREATE:
		timer_created(slot, REG_ARG1(regs), REG_ARG2(regs));
		return 0;
	case CALL_TIMER_SETTIME:
		t.which = TIMER_POSIX;
		t.id = REG_ARG0(regs);
		t.signo = timer_signo(slot, t.id);
		t.absolute = REG_ARG1(regs) & TIMER_ABSTIME;
		if (timer_read(&t, REG_ARG2(regs), 1))
			return 0;
		break;
	case CALL_TIMER_DELETE:
		t.which = TIMER_POSIX;
		t.id = REG_ARG0(regs);
		break;
	case CALL_TIMERFD_SETTIME:
		t.which = TIMER_FD;
		t.id = REG_ARG0(regs);
		t.absolute = REG_ARG1(regs) & TIMER_ABSTIME;
		if (timer_read(&t, REG_ARG2(regs), 1))
			return 0;
		break;
	default:
		return 0;
	}
	timer_emit(slot, &t);
	return 0;
}
