/* process.bpf.c - tasks that begin, execute, end and change their names. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/ends.h"
#include "probes/ebpf/title.h"

#define SIGCHLD 17
#define SIG_IGN ((void *)1)
#define SA_NOCLDWAIT 2
#define SIGNAL_GROUP_EXIT 4
#define CLONE_SETTLS 0x80000ull
#define ARGV_CHUNKS 512

/* Arguments of the clone call that a task is in. */
struct clone_call {
	u64 flags;
	u64 tls;
};

static __always_inline void clone_arguments(
	struct task_struct *task, u32 call, struct clone_call *ret)
{
	struct pt_regs *regs;
	u64 args[8] = {};

	regs = task_regs(task);
	switch (call) {
	case CALL_CLONE:
		ret->flags = REG_ARG0(regs);
		ret->tls = CLONE_TLS(regs);
		break;
	case CALL_CLONE3: /* struct clone_args: flags first, tls eighth */
		bpf_probe_read_user(args, sizeof args, (void *)REG_ARG0(regs));
		ret->flags = args[0] | (args[4] & 0xff);
		ret->tls = args[7];
		break;
	case CALL_VFORK:
		ret->flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
		break;
	case CALL_FORK:
		ret->flags = SIGCHLD;
		break;
	}
}

/* What a new thread is to run, as glibc has noted it; 0: not known. The tracer sees whether there is code. */
static __always_inline u64 clone_entry(const struct clone_call *call)
{
#ifdef GLIBC_SELF
	u64 self = 0, words[2] = {};

	if (!(call->flags & CLONE_SETTLS) || !(call->flags & CLONE_THREAD))
		return 0;
	bpf_probe_read_user(&self, sizeof self, (void *)(call->tls + GLIBC_SELF));
	if (!self || self != call->tls)
		return 0;
	bpf_probe_read_user(words, sizeof words, (void *)(call->tls + GLIBC_START));
	/* A priority is less than 100, a policy less than 8. */
	return (u32)words[0] < 100 && words[0] >> 32 < 8 ? words[1] : words[0];
#else
	return 0;
#endif
}

/* TP_PROTO(struct task_struct *parent, struct task_struct *child): in the creator, before the child runs. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct slot *slot = slot_get(parent), *mine;
	struct numbers up = {.task = (u64)BPF_CORE_READ(child, real_parent)};
	struct numbers n = {.task = (u64)child};
	struct clone_call call = {};
	struct rec_FORK *rec;

	if (!slot)
		return 0;
	mine = slot_make(child);
	if (!mine) {
		lost_count(REC_FORK);
		return 0;
	}
	numbers_find(&n);
	numbers_nested(&n);
	numbers_find(&up);
	mine->pid = n.pid;
	mine->tid = n.tid;
	mine->flags = SLOT_INIT | (slot->flags & SLOT_NODATA);
	mine->nr = -1;
	mine->last_nr = -1;
	mine->restart_nr = -1;
	mine->loader_start = slot->loader_start;
	mine->loader_end = slot->loader_end;
	mine->title = slot->title;
	slot->child_pid = mine->pid;
	clone_arguments(parent, slot->call, &call);

	rec = EMIT_BEGIN(FORK, slot);
	if (!rec)
		return 0;
	rec->child_pid = mine->pid;
	rec->child_tid = mine->tid;
	rec->child_ns_pid = n.ns_pid;
	rec->child_ns_tid = n.ns_tid;
	rec->flags = call.flags;
	rec->parent_pid = up.pid;
	rec->entry = clone_entry(&call);
	rec->tid_addr = (u64)BPF_CORE_READ(child, clear_child_tid);
	bpf_probe_read_kernel(rec->comm, sizeof rec->comm, child->comm);
	EMIT_END(rec);

	if (mine->pid != slot->pid)
		ends_walk_all(child, mine->pid, mine->tid, END_INHERIT);
	return 0;
}

struct argv_walk {
	u64 addr;
	u64 end;
	u32 pid;
	u32 tid;
};

/* One record of up to 256 bytes of the argument strings. */
static __noinline long argv_step(u32 index, void *arg)
{
	struct argv_walk *walk = arg;
	u64 addr = walk->addr, left = walk->end - addr;
	struct rec_MORE *rec;
	u32 len;

	if (addr >= walk->end)
		return 1;
	rec = emit_begin(REC_MORE, sizeof *rec, walk->pid, walk->tid);
	if (!rec)
		return 1;
	len = left > sizeof rec->data ? sizeof rec->data : left;
	rec->what = MORE_ARGV;
	rec->len = len;
	rec->flags = 0;
	if (len < sizeof rec->data)
		__builtin_memset(rec->data, 0, sizeof rec->data);
	if (len == sizeof rec->data) {
		if (bpf_probe_read_user(rec->data, sizeof rec->data, (void *)addr))
			rec->head.flags |= REC_UNREAD;
		if (left > len && index + 1 == ARGV_CHUNKS)
			rec->flags = MORE_CUT;
	} else if (bpf_probe_read_user(rec->data, len & (sizeof rec->data - 1), (void *)addr)) {
		rec->head.flags |= REC_UNREAD;
	}
	walk->addr += len;
	emit_end(rec);
	return 0;
}

WALK_STEP(argv_step, SCRATCH_ARGV)

static __always_inline void argv_emit(struct task_struct *task, struct slot *slot)
{
	WALK_STATE(struct argv_walk, walk, SCRATCH_ARGV);

	if (!walk)
		return;
	walk->pid = slot->pid;
	walk->tid = slot->pid;
	walk->addr = BPF_CORE_READ(task, mm, arg_start);
	walk->end = BPF_CORE_READ(task, mm, arg_end);
	WALK(ARGV_CHUNKS, argv_step, walk);
}

/* Signals that were ignored before the trace stay ignored in the first program. */
static __noinline long ignored_step(u32 index, void *arg)
{
	struct task_struct *task = task_current();
	struct slot *slot = slot_get(task);
	struct rec_SIG_ACTION *rec;
	void *handler = NULL;

	if (!slot || index >= 64)
		return 1;
	handler = BPF_CORE_READ(signal_action(task, index + 1), sa.sa_handler);
	if (handler != SIG_IGN)
		return 0;
	rec = emit_begin(REC_SIG_ACTION, sizeof *rec, slot->pid, slot->pid);
	if (!rec)
		return 0;
	rec->signo = index + 1;
	rec->handler = 1;
	rec->flags = 0;
	rec->mask = 0;
	emit_end(rec);
	return 0;
}

WALK_STEP(ignored_step, SCRATCH_IGNORED)

/* What an adopted task brings along: recorded at its first exec, when the descriptors of its start are closed. */
static __always_inline void fresh_emit(struct task_struct *task, struct slot *slot)
{
	slot->flags &= ~SLOT_FRESH;
	ends_walk_all(task, slot->pid, slot->pid, END_FOUND);
	WALK(64, ignored_step, NULL);
}

#ifdef EDITION_CASTS
/* Reports the files of which the kernel itself has mapped code. */
GLOBAL int exec_modules(struct slot *slot);
#endif

/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm): the new program is in place. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct slot *slot = slot_get(task);
	struct rec_EXEC *rec;
	struct inode *inode;
	char title[64];
	u32 old_tid;
	long n;

	if (!slot)
		return 0;
	fold_end(slot);
	old_tid = slot->tid;
	slot->tid = slot->pid;
	slot->flags &= ~SLOT_URING;
	if (slot->flags & SLOT_FRESH)
		fresh_emit(task, slot);
	argv_emit(task, slot);
	slot->title = title_read(task, title);
	ends_walk_all(task, slot->pid, slot->pid, END_EXEC);

	if (BPF_CORE_READ_BITFIELD(bprm, secureexec))
		slot->flags |= SLOT_NODATA;
	rec = EMIT_BEGIN(EXEC, slot);
	if (!rec)
		goto out;
	inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
	rec->old_tid = old_tid;
	rec->secure = BPF_CORE_READ_BITFIELD(bprm, secureexec);
	rec->dev = dev_encode(BPF_CORE_READ(inode, i_sb, s_dev));
	rec->inode = BPF_CORE_READ(inode, i_ino);
	rec->lock_source =
		rec->secure && config.lock_source == LOCKS_SHIM ? LOCKS_FUTEX : config.lock_source;
	bpf_probe_read_kernel(rec->comm, sizeof rec->comm, task->comm);
	__builtin_memset(rec->path, 0, sizeof rec->path);
	n = bpf_probe_read_kernel_str(rec->path, sizeof rec->path, BPF_CORE_READ(bprm, filename));
	if (n == sizeof rec->path)
		rec->head.flags |= REC_CUT;
	EMIT_END(rec);
out:
#ifdef EDITION_CASTS
	exec_modules(slot);
#endif
	return 0;
}

/* True if the kernel reaps a child of this parent itself. */
static __always_inline bool parent_ignores(struct task_struct *task)
{
	struct sighand_struct *hand = BPF_CORE_READ(task, real_parent, sighand);
	struct k_sigaction action = {};

	if (task->exit_signal != SIGCHLD)
		return false;
	bpf_probe_read_kernel(&action.sa.sa_handler, sizeof action.sa.sa_handler,
		&hand->action[SIGCHLD - 1].sa.sa_handler);
	if (action.sa.sa_handler == SIG_IGN)
		return true;
	bpf_probe_read_kernel(&action.sa.sa_flags, sizeof action.sa.sa_flags,
		&hand->action[SIGCHLD - 1].sa.sa_flags);
	return action.sa.sa_flags & SA_NOCLDWAIT;
}

/* A task that ends of its own accord is inside exit or exit_group; one that was killed may be anywhere. */
static __always_inline u64 exit_by(struct task_struct *task)
{
	struct pt_regs *regs;
	unsigned long nr;

	regs = task_regs(task);
	nr = REG_NUMBER(regs);
	if (TASK_IS_COMPAT(task))
		return nr == 1 || nr == 252 ? EXIT_BY_ITSELF : EXIT_BY_OTHER;
	return nr == NR_EXIT || nr == NR_EXIT_GROUP ? EXIT_BY_ITSELF : EXIT_BY_OTHER;
}

/* TP_PROTO(struct task_struct *p[, bool group_dead]): in the task that ends, after its exit code is set. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct slot *slot = slot_get(task);
	struct signal_struct *signal;
	struct rec_EXIT *rec;
	u32 pid, status;
	bool last;

	if (!slot)
		return 0;
	fold_end(slot);
	rec = EMIT_BEGIN(EXIT, slot);
	if (!rec)
		return 0;
	signal = BPF_CORE_READ(task, signal);
	rec->status = task->exit_code;
	rec->last = BPF_CORE_READ(signal, live.counter) == 0;
	rec->group_status = 0;
	rec->autoreap = 0;
	rec->by = exit_by(task);
	if (rec->last) {
		rec->group_status = BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT
					    ? BPF_CORE_READ(signal, group_exit_code)
					    : BPF_CORE_READ(task, group_leader, exit_code);
		rec->autoreap = parent_ignores(task);
	}
	pid = slot->pid;
	status = rec->group_status;
	last = rec->last;
	EMIT_END(rec);
	if (last)
		bpf_map_update_elem(&ended, &pid, &status, BPF_ANY);
	return 0;
}

/* TP_PROTO(struct task_struct *p): nothing will ask for the task any more. Task storage goes by itself. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
#ifdef EDITION_OLD
	u64 key = slot_key(task);

	bpf_map_delete_elem(&slots, &key);
#endif
	return 0;
}

/* TP_PROTO(struct task_struct *task, const char *comm): the new name, which the task does not have yet. */
SEC("tp_btf/task_rename")
int BPF_PROG(on_comm, struct task_struct *task, const char *comm)
{
	struct slot *slot = slot_get(task);
	struct rec_COMM *rec;

	/* An exec renames the task too, and is recorded itself. */
	if (!slot || slot->call == CALL_EXECVE || slot->call == CALL_EXECVEAT)
		return 0;
	rec = EMIT_BEGIN(COMM, slot);
	if (!rec)
		return 0;
	__builtin_memset(rec->comm, 0, sizeof rec->comm);
	bpf_probe_read_kernel_str(rec->comm, sizeof rec->comm, comm);
	EMIT_END(rec);
	return 0;
}
