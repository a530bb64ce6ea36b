/* lock.c - locks and other objects that threads wait on: identity, birth, end, who can reach them. */
/* SPDX-License-Identifier: MIT */
/*
 * A private object is an address in a process, from its initialisation (or
 * first use) to its destruction, the next initialisation, or the end of the
 * memory by exec or exit. A shared one is what its address is mapped from;
 * each process that uses it, and its children by fork, find it under their own
 * address. After fork the child's copies are made when they are first touched,
 * but for those that are held, which are made at once.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"
#include "schema/names.h"

static void queue_lock(struct model *m, struct lock *lock)
{
	if (lock->in_dirty)
		return;
	lock->in_dirty = true;
	lock->dirty_next = m->dirty_locks;
	m->dirty_locks = lock;
}

void model_lock_touch(struct model *m, struct lock *lock)
{
	lock->dirty = true;
	queue_lock(m, lock);
}

void model_stat_touch(struct model *m, struct lock *lock)
{
	lock->stat_dirty = true;
	queue_lock(m, lock);
}

void model_lock_unref(struct model *m, struct lock *lock)
{
	lock->refs--;
	if (lock->dead && !lock->refs)
		queue_lock(m, lock); /* freed when the queue is written */
}

struct lock *model_lock_new(struct model *m, struct proc *p, uint64_t addr, int kind, unsigned type)
{
	struct lock *lock = xcalloc(1, sizeof *lock);

	lock->id = m->ids.lock++;
	lock->kind = (uint8_t)kind;
	lock->type = type;
	lock->proc = p;
	lock->process_id = p ? p->id : STORE_NULL;
	lock->address = (int64_t)addr;
	lock->init_site = lock->origin_id = lock->destroyed = lock->initial = STORE_NULL;
	lock->runner = lock->last_thread = STORE_NULL;
	lock->created = m->now;
	lock->mappers_ns = STORE_NULL;
	lock->from_birth = !p || !p->found;
	lock->stat = (struct lock_stat){
		.max_hold_site = STORE_NULL, .last_taker = STORE_NULL, .value = STORE_NULL};
	lock->link = &m->all_locks;
	lock->next = m->all_locks;
	if (lock->next)
		lock->next->link = &lock->next;
	m->all_locks = lock;
	model_lock_touch(m, lock);
	if (p)
		model_map(m, p);
	return lock;
}

struct lock *model_find_lock(const struct proc *p, uint64_t addr)
{
	return hash_get(&p->vm->locks, addr);
}

/* The id of the parent's object of which this is the child's copy, or STORE_NULL. */
static int64_t origin_of(const struct model *m, const struct proc *vm, uint64_t addr, int kind)
{
	const struct proc *parent = vm->origin_id ? model_find_proc(m, vm->origin_pid) : NULL;
	const struct lock *lock = parent && parent->id == vm->origin_id && parent->vm == parent
					  ? model_find_lock(parent, addr)
					  : NULL;

	return lock && lock->kind == kind && lock->created <= vm->forked_ns ? lock->id : STORE_NULL;
}

/* Names a lock after the variable that it is; one that is not found may be later, when more files are mapped. */
static void find_name(struct model *m, struct lock *lock)
{
	if (lock->name || !lock->proc)
		return;
	lock->name = model_variable(m, lock->proc, (uint64_t)lock->address);
	lock->dirty |= lock->name != NULL;
}

/* The memory of an object is gone or is another object's. */
void model_lock_kill(struct model *m, struct lock *lock)
{
	find_name(m, lock);
	lock->dead = true;
	lock->proc = NULL;
	queue_lock(m, lock);
}

/* A lock of a process that is found under an address. */
struct lock *model_lock_private(
	struct model *m, struct proc *vm, uint64_t addr, int kind, unsigned type)
{
	struct lock *lock = model_lock_new(m, vm, addr, kind, type);

	lock->origin_id = origin_of(m, vm, addr, kind);
	(void)hash_set(&vm->locks, addr, lock);
	return lock;
}

struct lock *model_lock_at(struct model *m, struct proc *p, uint64_t addr, int kind, unsigned type)
{
	struct proc *vm = p->vm;
	struct lock *lock = hash_get(&vm->locks, addr);

	if (lock && lock->kind == kind) {
		if (type && !lock->type) {
			lock->type = type;
			model_lock_touch(m, lock);
		}
		return lock;
	}
	if (lock && (lock->kind == LOCK_FUTEX || kind == LOCK_FUTEX || lock->pshared)) {
		/* What looked like a bare futex is this object. */
		if (lock->kind == LOCK_FUTEX)
			lock->kind = (uint8_t)kind;
		lock->type = type ? type : lock->type;
		model_lock_touch(m, lock);
		return lock;
	}
	if (lock)
		model_lock_kill(m, lock);
	return model_lock_private(m, vm, addr, kind, type);
}

static uint64_t shared_key(uint64_t dev, uint64_t inode, uint64_t offset)
{
	return hash_mix(hash_mix(dev, inode, 2), offset, 3);
}

struct lock *model_lock_shared(
	struct model *m, struct proc *p, uint64_t dev, uint64_t inode, uint64_t offset, int kind)
{
	uint64_t key = shared_key(dev, inode, offset);
	struct lock *lock = hash_get(&m->shared, key);

	if (lock) {
		if (lock->kind == LOCK_FUTEX && kind != LOCK_FUTEX) {
			lock->kind = (uint8_t)kind;
			model_lock_touch(m, lock);
		}
		return lock;
	}
	lock = model_lock_new(m, NULL, 0, kind, 0);
	lock->address = STORE_NULL;
	lock->pshared = true;
	lock->from_birth = !p->found;
	lock->dev = dev;
	lock->inode = inode;
	lock->offset = offset;
	(void)hash_set(&m->shared, key, lock);
	return lock;
}

void model_lock_write(struct model *m, struct lock *lock)
{
	const char *type = lock->kind == LOCK_FILE ? names_file_lock(lock->class)
						   : names_lock_type(lock->type);
	bool of_file = lock->kind == LOCK_FILE;
	struct row_lock row;

	find_name(m, lock);
	row = (struct row_lock){.id = lock->id,
		.kind = lock_info(lock->kind)->name,
		.type = lock->runtime_type ? lock->runtime_type : type,
		.process_id = lock->process_id,
		.address = of_file ? STORE_NULL : lock->address,
		.pshared = lock->pshared,
		.name = lock->name,
		.init_site_id = lock->init_site,
		.origin_id = lock->origin_id,
		.dev = lock->dev ? (int64_t)lock->dev : STORE_NULL,
		.inode = lock->dev ? (int64_t)lock->inode : STORE_NULL,
		.offset = lock->dev ? (int64_t)lock->offset : STORE_NULL,
		.created_ns = lock->created,
		.destroyed_ns = lock->destroyed,
		.initial = lock->initial,
		.mappers_ns = lock->mappers_ns,
		.outside = lock->outside,
		.from_birth = lock->from_birth};
	store_write(m->store, STORE_LOCK, &row, &lock->written);
	lock->dirty = false;
}

void model_lock_free(struct lock *lock)
{
	model_lock_users_free(lock);
	*lock->link = lock->next;
	if (lock->next)
		lock->next->link = lock->link;
	free(lock->name);
	free(lock->runtime_type);
	free(lock);
}

void model_lock_unlist(struct model *m, const struct lock *lock)
{
	uint64_t key = shared_key(lock->dev, lock->inode, lock->offset);

	if (hash_get(&m->shared, key) == lock)
		(void)hash_del(&m->shared, key);
}
