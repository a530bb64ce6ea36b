/* wait.bpf.c - threads that block, go on, and who woke them. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/waits.h"

/* Size of a kernel stack on the machines that we know; a bigger one costs us wakers, never invents them. */
#define KERNEL_STACK 16384

/*
 * In an interrupt the current task is whatever happened to run, and wakes nobody. The preemption count is not
 * available without the kernel's symbols; but interrupts, hard and soft, run on a stack of their own, and the
 * tracepoint's arguments (ctx) lie on the stack in use.
 */
static __always_inline bool in_interrupt(struct task_struct *task, struct slot *waker, void *ctx)
{
	u64 at;

	/* Through memory, because the verifier does not compare pointers with numbers. */
	*(void *volatile *)&waker->stack = ctx;
	at = *(volatile u64 *)&waker->stack;
	return at - (u64)BPF_CORE_READ(task, stack) >= KERNEL_STACK;
}

/* TP_PROTO(struct task_struct *p): in the waker, before p is made runnable. */
SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	struct slot *slot = slot_get(task), *waker;
	struct task_struct *current_task;

	if (!slot)
		return 0;
	current_task = task_current();
	waker = slot_get(current_task);
	slot->woken = 0;
	if (!waker || waker == slot || in_interrupt(current_task, waker, ctx))
		return 0;
	/*
	 * Who is in no call wakes others only by ending. And nobody gives a futex back but by its own call, or by ending (who
	 * joins it waits for that): this one sends a signal, or has yet to end and tells the other threads of its process to.
	 */
	if ((waker->nr < 0 || (slot->call == CALL_FUTEX && waker->call != CALL_FUTEX)) &&
		!(TASK_FIELD(current_task, flags) & PF_EXITING))
		return 0;
	slot->waker_pid = waker->pid;
	slot->waker_tid = waker->tid;
	slot->woken = 1;
	return 0;
}

static __always_inline void wait_end(struct slot *slot)
{
	bool woken = slot->woken; /* whoever woke it for this: every sleep ends with a waking */
	struct rec_WAIT_END *rec;

	slot->flags &= ~SLOT_WAITING;
	rec = EMIT_BEGIN(WAIT_END, slot);
	if (!rec)
		return;
	rec->waker_pid = woken ? slot->waker_pid : 0;
	rec->waker_tid = woken ? slot->waker_tid : 0;
	EMIT_END(rec);
}

static __always_inline void slice_emit(struct slot *slot)
{
	struct rec_SCHED *rec;

	if (!slot->slice_ts)
		return;
	rec = EMIT_BEGIN(SCHED, slot);
	if (!rec)
		return;
	rec->start = slot->slice_ts;
	rec->cpu = bpf_get_smp_processor_id();
	slot->slice_ts = 0;
	EMIT_END(rec);
}

/* The mapping of a futex that several processes share: its file and the place in it. */
static long vma_shared(struct task_struct *task, struct vm_area_struct *vma, void *arg)
{
	struct wait *w = arg;
	struct inode *inode;
	u64 start = BPF_CORE_READ(vma, vm_start);

	if (!(BPF_CORE_READ(vma, vm_flags) & VM_SHARED))
		return 0;
	inode = BPF_CORE_READ(vma, vm_file, f_inode);
	if (!inode)
		return 0;
	w->obj.inode = BPF_CORE_READ(inode, i_ino);
	w->obj.dev = dev_encode(BPF_CORE_READ(inode, i_sb, s_dev));
	w->offset = w->args[0] - start + (BPF_CORE_READ(vma, vm_pgoff) << 12);
	return 0;
}

static __always_inline u64 wait_futex(struct wait *w, struct task_struct *task)
{
	w->timed = w->args[3] != 0;
	if (!(w->args[1] & FUTEX_PRIVATE))
		VMA_FIND(task, w->args[0], vma_shared, w);
	return w->args[0];
}

/* Which of a socket's two timeouts may end the call: bits END_READ, END_WRITE. */
static __always_inline u32 limit_of(u32 call)
{
	switch (call) {
	case CALL_READ:
	case CALL_READV:
	case CALL_RECV:
	case CALL_RECVMSG:
	case CALL_RECVMMSG:
		return END_READ;
	case CALL_WRITE:
	case CALL_WRITEV:
	case CALL_SEND:
	case CALL_SENDMSG:
	case CALL_SENDMMSG:
		return END_WRITE;
	}
	return END_READ | END_WRITE;
}

static __always_inline void wait_fd(struct wait *w, struct task_struct *task, u32 fd, u32 call)
{
	struct file *file = file_of_fd(task, fd);

	if (!file)
		return;
	file_object((u64)file, &w->obj);
	w->timed = (w->obj.timed & limit_of(call)) != 0;
}

/* Which open file description asks for a lock, and what its struct flock counts from. */
static __always_inline void wait_flock(struct wait *w, struct task_struct *task, bool is_posix)
{
	struct file *file = file_of_fd(task, w->args[0]);
	s16 whence = 0;

	if (!file)
		return;
	w->file = is_posix ? 0 : (u64)file;
	if (bpf_probe_read_user(&whence, sizeof whence, (void *)(w->args[2] + sizeof whence)))
		return;
	if (whence == 1)
		w->offset = BPF_CORE_READ(file, f_pos);
	else if (whence == 2)
		w->offset = BPF_CORE_READ(file, f_inode, i_size);
}

/* Fills in what the call says about the wait; returns the address of a futex or 0. */
static __always_inline u64 wait_call(struct wait *w, struct task_struct *task, struct slot *slot)
{
	u32 call = slot->call;

	if ((call >= CALL_READ && call <= CALL_SENDFILE) || call == CALL_FD_WAIT ||
		call == CALL_ACCEPT) {
		wait_fd(w, task, w->args[0], call);
		/* splice moves from a pipe, or from a file to one. */
		if (call == CALL_SPLICE && w->obj.kind != FILE_PIPE && w->obj.kind != FILE_FIFO)
			wait_fd(w, task, w->args[2], call);
		if (call == CALL_RECVMMSG && w->args[4])
			w->timed = 1;
		return 0;
	}
	switch (call) {
	case CALL_FUTEX:
		return wait_futex(w, task);
	case CALL_FLOCK:
		wait_fd(w, task, w->args[0], call);
		w->reason = WAIT_FILE_LOCK;
		w->file = (u64)file_of_fd(task, w->args[0]);
		return 0;
	case CALL_FCNTL:
		wait_fd(w, task, w->args[0], call);
		if ((u32)w->args[1] != F_SETLKW && (u32)w->args[1] != F_OFD_SETLKW)
			return 0;
		w->reason = WAIT_FILE_LOCK;
		wait_flock(w, task, (u32)w->args[1] == F_SETLKW);
		return w->args[2] + 12; /* words begin 12 bytes before: there is the struct flock */
	case CALL_FORK:
	case CALL_VFORK:
	case CALL_CLONE:
	case CALL_CLONE3:
		if (!(w->state & TASK_KILLABLE_))
			return 0; /* the kernel's own business */
		w->reason = WAIT_VFORK;
		w->obj.peer = slot->child_pid;
		return 0;
	case CALL_SLEEP:
		w->timed = 1;
		return 0;
	case CALL_SIGTIMEDWAIT:
		w->timed = w->args[2] != 0;
		return w->args[0] + 12; /* as above: there are the signals that it awaits */
	case CALL_TIMED_BY3:
		w->timed = w->args[3] != 0;
		return 0;
	case CALL_TIMED_BY4:
		w->timed = w->args[4] != 0;
		return 0;
	}
	return 0;
}

int wait_send(struct wait *w, struct slot *slot, u64 futex)
{
	if (w && slot)
		wait_emit(w, (struct task_struct *)w->task, slot, futex);
	return 0;
}

/* The process that has stopped a task with ptrace. */
static __always_inline u32 tracer_of(struct task_struct *task)
{
	struct numbers by = {.task = (u64)BPF_CORE_READ(task, parent)};

	numbers_find(&by);
	return by.pid;
}

static __always_inline void wait_begin(void *ctx, struct task_struct *task, struct slot *slot)
{
	struct wait w;
	u64 futex;
	u32 next;

	next = 0;
	switch (slot->call) {
	case CALL_POLL:
	case CALL_PPOLL:
		next = HANDLE_wait_poll;
		break;
	case CALL_SELECT:
	case CALL_PSELECT:
		next = HANDLE_wait_select;
		break;
	case CALL_EPOLL_WAIT:
	case CALL_EPOLL_PWAIT2:
		next = HANDLE_wait_epoll;
		break;
	case CALL_OPEN:
	case CALL_OPENAT:
		next = HANDLE_wait_open;
		break;
	case CALL_CONNECT:
		next = HANDLE_wait_connect;
		break;
	case CALL_WAIT4:
	case CALL_WAITID:
		next = HANDLE_wait_child;
		break;
	}
	if (slot->nr < 0)
		next = 0;
	slot_handler(slot, next);
	if (next)
		bpf_tail_call(ctx, &wait_handlers, next);
	wait_start(&w, task, slot);
	w.task = (u64)task;
	if (w.state & (TASK_STOPPED_ | TASK_TRACED_)) {
		w.reason = WAIT_STOPPED;
		w.nr = -1;
		if (w.state & TASK_TRACED_)
			w.offset = tracer_of(task);
		wait_send(&w, slot, 0);
		return;
	}
	futex = 0;
	if (slot->nr >= 0)
		futex = wait_call(&w, task, slot);
	wait_send(&w, slot, futex);
}

/*
 * TP_PROTO(bool preempt, struct task_struct *prev, struct task_struct *next[, unsigned int prev_state]):
 * prev is still current. The fourth argument came with 5.18; the task's own
 * state serves everywhere, and a waker that is already at it shows as TASK_WAKING.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct slot *slot = slot_get(next);
	u32 state;

	if (slot) {
		if (slot->flags & SLOT_WAITING)
			wait_end(slot);
		if (config.sched)
			slot->slice_ts = bpf_ktime_get_ns();
	}
	slot = slot_get(prev);
	if (!slot)
		return 0;
	if (config.sched)
		slice_emit(slot);
	state = task_state(prev);
	if (preempt || !state || (prev->flags & PF_EXITING))
		return 0;
	if (slot->nr < 0 && !(slot->flags & SLOT_COMPAT) &&
		!(state & (TASK_STOPPED_ | TASK_TRACED_)))
		return 0;
	wait_begin(ctx, prev, slot);
	return 0;
}
