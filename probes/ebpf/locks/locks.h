/* locks.h - the records of lock calls, at the call and at its return. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * To be read in this order: glibc.h (what its objects look like), locks.h (the records of a call), lock.bpf.c (the probes).
 */
#ifndef PROBES_EBPF_LOCKS_LOCKS_H
#define PROBES_EBPF_LOCKS_LOCKS_H

#include "probes/ebpf/file.h"
#include "probes/ebpf/locks/glibc.h"

#define EPERM 1
#define EINTR 4
#define EAGAIN 11
#define ETIMEDOUT 110
#define VM_SHARED 8

/* Shared objects that a process was seen to use: each gets one LOCK_INIT that says what it is mapped from. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct nested_key);
	__type(value, u32);
} shared_seen SEC(".maps");

/* Where a shared object is mapped from. */
struct mapping {
	u64 addr;
	u64 inode;
	u64 offset;
	u32 dev;
	u32 pad;
};

static long vma_mapping(struct task_struct *task, struct vm_area_struct *vma, void *arg)
{
	struct mapping *m = arg;
	struct inode *inode = BPF_CORE_READ(vma, vm_file, f_inode);

	if (!(BPF_CORE_READ(vma, vm_flags) & VM_SHARED) || !inode)
		return 0;
	m->inode = BPF_CORE_READ(inode, i_ino);
	m->dev = dev_encode(BPF_CORE_READ(inode, i_sb, s_dev));
	m->offset = m->addr - BPF_CORE_READ(vma, vm_start) + (BPF_CORE_READ(vma, vm_pgoff) << 12);
	return 0;
}

/* An object that was initialised, or a shared one that this process uses for the first time. */
static __noinline int lock_init_emit(struct slot *slot, struct lock_call *c, u64 value, u64 name)
{
	struct task_struct *task = task_current();
	struct mapping m = {.addr = c->addr};
	bool shared = lock_is_shared(c);
	struct rec_LOCK_INIT *rec;

	if (shared || name)
		VMA_FIND(task, c->addr, vma_mapping, &m);
	rec = EMIT_BEGIN(LOCK_INIT, slot);
	if (!rec)
		return 0;
	rec->addr = c->addr;
	rec->kind = LOCK_KIND(c->cookie);
	rec->type = lock_type_of(c);
	rec->pshared = shared || name;
	rec->value = value;
	rec->dev = m.dev;
	rec->inode = m.inode;
	rec->offset = m.offset;
	rec->site = c->site;
	__builtin_memset(rec->name, 0, sizeof rec->name);
	if (name && bpf_probe_read_user_str(rec->name, sizeof rec->name, (void *)name) < 0)
		rec->head.flags |= REC_UNREAD;
	EMIT_END(rec);
	return 0;
}

/* Returns true for a shared object that this process was not seen to use before. */
static __always_inline bool shared_note(struct slot *slot, struct lock_call *c)
{
	struct task_struct *task = task_current();
	struct nested_key key = {.nr = c->addr};
	u32 one = 1;

	/* An exec brings a new address space. */
	key.ns = (u64)BPF_CORE_READ(task, mm) + slot->pid;
	return lock_is_shared(c) && !bpf_map_update_elem(&shared_seen, &key, &one, BPF_NOEXIST);
}

static __always_inline void shared_first_use(struct slot *slot, struct lock_call *c)
{
	if (shared_note(slot, c))
		lock_init_emit(slot, c, 0, 0);
}

static __always_inline void sync_begin(
	struct slot *slot, const struct lock_call *c, u32 op, u64 target, u64 value)
{
	struct rec_SYNC_BEGIN *rec = EMIT_BEGIN(SYNC_BEGIN, slot);

	if (!rec)
		return;
	rec->op = op;
	rec->addr = op == SYNC_JOIN ? 0 : c->addr;
	rec->mutex = op == SYNC_COND_WAIT ? c->arg : 0;
	rec->target = target;
	rec->timed = LOCK_ATTEMPT(c->cookie) == LOCK_TIMED;
	rec->value = value;
	rec->site = c->site;
	EMIT_END(rec);
}

static __always_inline void sync_end(
	struct slot *slot, const struct lock_call *c, u32 op, u64 target, s64 result, s64 value)
{
	struct rec_SYNC_END *rec = EMIT_BEGIN(SYNC_END, slot);

	if (!rec)
		return;
	rec->op = op;
	rec->addr = op == SYNC_JOIN || op == SYNC_DETACH || op == SYNC_CREATE ? 0 : c->addr;
	rec->mutex = op == SYNC_COND_WAIT ? c->arg : 0;
	rec->target = target;
	rec->start = c->start;
	rec->result = result;
	rec->value = value;
	rec->site = c->site;
	EMIT_END(rec);
}

static __always_inline u32 thread_target(u64 pthread)
{
	return number_ours(task_current(), user_u32(pthread + PTHREAD_TID));
}

static __always_inline void unlock_emit(struct slot *slot, const struct lock_call *c)
{
	struct task_struct *task = task_current();
	struct rec_LOCK_RELEASE *rec;
	u32 type = lock_type_of(c) & LOCK_TYPE_BASE;
	u64 ns, result = 0;

	/* These types refuse to be unlocked by others; the owner is a number of the innermost namespace. */
	if ((type == LOCK_RECURSIVE || type == LOCK_ERRORCHECK) &&
		user_u32(c->addr + MUTEX_OWNER) != pid_inner(BPF_CORE_READ(task, thread_pid), &ns))
		result = EPERM;
	rec = EMIT_BEGIN(LOCK_RELEASE, slot);
	if (!rec)
		return;
	rec->addr = c->addr;
	rec->kind = LOCK_KIND(c->cookie);
	rec->result = result;
	rec->site = c->site;
	EMIT_END(rec);
}

static __always_inline void request_emit(struct slot *slot, const struct lock_call *c)
{
	u32 type = lock_type_of(c);
	struct rec_LOCK_REQUEST *rec;

	if (LOCK_ATTEMPT(c->cookie) == LOCK_TRY || !lock_is_taken(c, type))
		return;
	rec = EMIT_BEGIN(LOCK_REQUEST, slot);
	if (!rec)
		return;
	rec->addr = c->addr;
	rec->kind = LOCK_KIND(c->cookie);
	rec->type = type;
	rec->mode = LOCK_WHAT(c->cookie);
	rec->timed = LOCK_ATTEMPT(c->cookie) == LOCK_TIMED;
	rec->site = c->site;
	EMIT_END(rec);
}

static __always_inline void destroy_emit(struct slot *slot, const struct lock_call *c)
{
	struct rec_LOCK_DESTROY *rec = EMIT_BEGIN(LOCK_DESTROY, slot);

	if (!rec)
		return;
	rec->addr = c->addr;
	rec->kind = LOCK_KIND(c->cookie);
	EMIT_END(rec);
}

/* A call that does not block: signal, broadcast, post, detach. */
static __always_inline void point_emit(struct slot *slot, const struct lock_call *c)
{
	u32 op = LOCK_WHAT(c->cookie);
	bool glibc = c->cookie & LOCK_COOKIE_GLIBC;
	s64 value = -1;

	if (op == SYNC_DETACH) {
		sync_end(slot, c, op, glibc ? thread_target(c->addr) : 0, 0, 0);
		return;
	}
	if (glibc)
		value = op == SYNC_SEM_POST ? (s64)user_u32(c->addr) + 1
					    : (s64)(user_u32(c->addr + COND_WREFS) >> 3);
	sync_end(slot, c, op, 0, 0, value);
}

static __always_inline void wait_begin_emit(struct slot *slot, const struct lock_call *c)
{
	u32 op = LOCK_WHAT(c->cookie);
	u64 value = 0;

	if (LOCK_ATTEMPT(c->cookie) == LOCK_TRY)
		return;
	if (c->cookie & LOCK_COOKIE_GLIBC) {
		if (op == SYNC_SEM_WAIT)
			value = user_u32(c->addr);
		else if (op == SYNC_BARRIER_WAIT)
			value = user_u32(c->addr + BARRIER_COUNT);
	}
	sync_begin(slot, c, op, 0, value);
}

/* pthread_once: 0 never run, 2 done (glibc). Leaves in arg what the return must say. */
static __always_inline bool once_begin(struct slot *slot, struct lock_call *c)
{
	u32 word = user_u32(c->addr);

	if (word & 2)
		return false;
	c->arg = word & 1 ? SYNC_ONCE_WAIT : SYNC_ONCE_RUN;
	sync_begin(slot, c, c->arg, 0, 0);
	return true;
}

/* What is to be said at the call. Returns false if the return does not matter. */
static __always_inline bool call_begin(struct slot *slot, struct lock_call *c)
{
	switch (LOCK_ACTION(c->cookie)) {
	case LOCK_DO_LOCK:
		shared_first_use(slot, c);
		request_emit(slot, c);
		return true;
	case LOCK_DO_UNLOCK:
		unlock_emit(slot, c);
		return false;
	case LOCK_DO_DESTROY:
		destroy_emit(slot, c);
		return false;
	case LOCK_DO_WAIT:
		shared_first_use(slot, c);
		wait_begin_emit(slot, c);
		return true;
	case LOCK_DO_POINT:
		if (LOCK_WHAT(c->cookie) != SYNC_DETACH)
			shared_first_use(slot, c);
		point_emit(slot, c);
		return false;
	case LOCK_DO_ONCE:
		return once_begin(slot, c);
	case LOCK_DO_JOIN:
		c->arg = c->cookie & LOCK_COOKIE_GLIBC ? thread_target(c->addr) : 0;
		if (LOCK_ATTEMPT(c->cookie) != LOCK_TRY)
			sync_begin(slot, c, SYNC_JOIN, c->arg, 0);
		return true;
	}
	return true;
}

/* sem_wait and its kin return -1 and set errno, which is out of reach; it can only be this. */
static __always_inline s64 sem_error(const struct lock_call *c, int result)
{
	if (!result)
		return 0;
	switch (LOCK_ATTEMPT(c->cookie)) {
	case LOCK_TRY:
		return EAGAIN;
	case LOCK_TIMED:
		return ETIMEDOUT;
	}
	return EINTR;
}

static __always_inline void acquire_emit(struct slot *slot, const struct lock_call *c, int result)
{
	struct rec_LOCK_ACQUIRE *rec = EMIT_BEGIN(LOCK_ACQUIRE, slot);

	if (!rec)
		return;
	rec->addr = c->addr;
	rec->kind = LOCK_KIND(c->cookie);
	rec->type = lock_type_of(c);
	rec->mode = LOCK_WHAT(c->cookie);
	rec->attempt = LOCK_ATTEMPT(c->cookie);
	rec->result = (s64)result;
	rec->request = c->start;
	rec->site = c->site;
	EMIT_END(rec);
}

static __always_inline void wait_end_emit(struct slot *slot, const struct lock_call *c, int result)
{
	u32 op = LOCK_WHAT(c->cookie);
	s64 value = 0, error = result;

	if (op == SYNC_SEM_WAIT) {
		error = sem_error(c, result);
		value = c->cookie & LOCK_COOKIE_GLIBC ? user_u32(c->addr) : 0;
		if (LOCK_ATTEMPT(c->cookie) == LOCK_TRY)
			op = SYNC_SEM_TRYWAIT;
	}
	sync_end(slot, c, op, 0, error, value);
}

/* What is to be said at the return. */
static __always_inline void call_end(
	struct slot *slot, struct lock_call *c, int result, u64 pointer)
{
	u64 pthread = 0;

	switch (LOCK_ACTION(c->cookie)) {
	case LOCK_DO_LOCK:
		acquire_emit(slot, c, result);
		break;
	case LOCK_DO_WAIT:
		wait_end_emit(slot, c, result);
		break;
	case LOCK_DO_INIT:
		if (result)
			break;
		shared_note(slot, c);
		lock_init_emit(slot, c, c->arg, 0);
		break;
	case LOCK_DO_SEM_OPEN:
		if (!pointer)
			break;
		c->arg = c->addr;
		c->addr = pointer;
		lock_init_emit(slot, c, user_u32(pointer), c->arg);
		break;
	case LOCK_DO_ONCE:
		sync_end(slot, c, c->arg, 0, result, 0);
		break;
	case LOCK_DO_JOIN:
		sync_end(slot, c, SYNC_JOIN, c->arg, result, 0);
		break;
	case LOCK_DO_CREATE:
		if (!result && (c->cookie & LOCK_COOKIE_GLIBC) &&
			!bpf_probe_read_user(&pthread, sizeof pthread, (void *)c->addr))
			pthread = thread_target(pthread);
		sync_end(slot, c, SYNC_CREATE, pthread, result, 0);
		break;
	}
}

#endif
