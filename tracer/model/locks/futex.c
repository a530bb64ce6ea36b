/* futex.c - which object a futex belongs to: the C library's own, read from its memory. */
/* SPDX-License-Identifier: MIT */
/*
 * glibc's objects (since 2.25, 64-bit) around the word that a waiter sleeps on:
 *   mutex    +0 lock (0, 1, 2 with waiters; robust and PI: owner's tid and bits)
 *            +4 count, +8 owner's tid, +12 users, +16 kind; waits on +0
 *   rwlock   +0 readers, +8 and +12 futexes, +24 writer's tid; waits on +8 or +12, or +0
 *   cond     +36 (waiters << 3 | flags), waits on +40 or +44
 *   sem      +0 value, +4 waiters, +8 private flag; waits on +0
 *   barrier  +0 in, +4 round, +8 count, +12 shared flag, +16 out; waits on +4
 * The record's words begin 12 bytes before the futex, so words[3] is the futex.
 * An owner that is read here was true at the moment of blocking and goes stale.
 */
#include "schema/compat.h"
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"

#include <linux/futex.h>

enum { FUTEX_WORD = 3, WORDS = 10 };

/* Bits of a mutex's kind. */
enum { KIND_ROBUST = 16, KIND_PI = 32, KIND_ALL = 0x3ff };

/* Which of glibc's objects was recognised. */
struct guess {
	int kind;
	unsigned type;
	uint64_t base;
	uint32_t owner; /* tid as the object's memory has it, 0: none or not known */
	uint8_t mode;
};

static uint32_t operation(const struct rec_WAIT_BEGIN *rec)
{
	return (uint32_t)rec->arg1 & FUTEX_CMD_MASK;
}

static bool is_private(const struct rec_WAIT_BEGIN *rec)
{
	return rec->arg1 & FUTEX_PRIVATE_FLAG;
}

/* The thread with a tid as its own PID namespace numbers it. */
static struct thread *inner_thread(const struct model *m, const struct proc *p, uint32_t tid)
{
	struct thread *t;

	if (!tid)
		return NULL;
	t = model_find_thread(m, tid);
	if (t && (!t->ns_tid || t->ns_tid == tid) && t->end == STORE_NULL)
		return t;
	for (t = p->threads; t; t = t->peer) {
		if (t->ns_tid == tid && t->end == STORE_NULL)
			return t;
	}
	return NULL;
}

/*
 * The owner of a shared object in a nested PID namespace: the one thread of another
 * process there that has the number inside. Of two, either could be meant.
 */
static struct thread *nested_owner(const struct model *m, const struct proc *p, uint32_t tid)
{
	struct thread *found = NULL;

	for (const struct proc *q = m->all_procs; q; q = q->next) {
		for (struct thread *t = q->threads; t; t = t->peer) {
			if (q == p || t->ns_tid != tid || t->ns_tid == t->tid ||
				t->end != STORE_NULL)
				continue;
			if (found)
				return NULL;
			found = t;
		}
	}
	return found;
}

/* The other thread of a process with this number, or NULL. */
static struct thread *other_thread(const struct model *m, const struct thread *t, uint32_t tid)
{
	struct thread *other = inner_thread(m, t->proc, tid);

	return other && other->proc == t->proc && other != t ? other : NULL;
}

/*
 * Joining waits on the word that the kernel clears when the thread has ended; it wakes across processes, so it is not private. Up to
 * glibc 2.42 the word is the thread's number; since then it is its state, which may look like the number of another one in a container.
 */
enum { JOINSTATE_MAX = 3 };

static struct thread *joined_thread(
	const struct model *m, const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct thread *target;

	for (target = t->proc->threads; target; target = target->peer) {
		if (target->tid_addr && target->tid_addr == rec->arg0)
			return target;
	}
	if (rec->dev || (uint32_t)rec->arg2 <= JOINSTATE_MAX)
		return NULL;
	target = other_thread(m, t, (uint32_t)rec->arg2);
	return target && !target->tid_addr ? target : NULL;
}

static bool is_join(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct thread *target = NULL;

	if (model_futex_maker(m, t->proc, rec->ip) == FUTEX_OF_MUSL)
		target = other_thread(m, t, model_musl_joined(rec));
	else if (!is_private(rec))
		target = joined_thread(m, t, rec);
	if (!target)
		return false;
	t->wait.reason = WAIT_JOIN;
	t->wait.target_thread = target->id;
	return true;
}

static bool guess_mutex(const struct rec_WAIT_BEGIN *rec, const uint32_t *w, struct guess *g)
{
	uint32_t op = operation(rec), kind = w[7];
	bool tid_word = (kind & (KIND_ROBUST | KIND_PI)) != 0;

	if (kind & ~(uint32_t)KIND_ALL)
		return false;
	if (tid_word ? !(w[3] & FUTEX_WAITERS) && op == FUTEX_WAIT : rec->arg2 != 2)
		return false;
	if ((op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2) != ((kind & KIND_PI) != 0))
		return false;
	*g = (struct guess){.kind = LOCK_MUTEX,
		.type = LOCK_TYPE_OF_KIND(kind),
		.base = rec->arg0,
		.owner = tid_word ? w[3] & FUTEX_TID_MASK : w[5],
		.mode = LOCK_MODE_X};
	return g->owner != 0;
}

/* Waiters of glibc's newer objects use FUTEX_WAIT_BITSET with all bits. */
static bool guess_rwlock(const struct rec_WAIT_BEGIN *rec, const uint32_t *w, struct guess *g)
{
	enum { WRITERS_WAIT = 12, PHASE = 8, READERS_WAIT = 4 };
	bool at_phase = w[1] && (w[FUTEX_WORD] & ~3u) == 0 && w[5] == 0 && w[6] == 0 && w[8] <= 1;

	if (operation(rec) != FUTEX_WAIT_BITSET || rec->words_valid < 36)
		return false;
	/* At +0, for readers behind a writer that goes first: writers are words[4], the futexes words[5] and [6], writer words[9]. */
	if (rec->words_valid >= 40 && (rec->arg2 & READERS_WAIT) && w[FUTEX_WORD] == rec->arg2 &&
		w[4] && (w[5] & ~3u) == 0 && (w[6] & ~3u) == 0 && w[7] == 0 && w[8] == 0) {
		*g = (struct guess){
			.kind = LOCK_RWLOCK, .base = rec->arg0, .owner = w[9], .mode = LOCK_MODE_S};
		return true;
	}
	/* At +8: readers are words[1], writer words[7], shared words[8]. */
	if (at_phase && (w[8] & ~0x100u) == 0) {
		*g = (struct guess){.kind = LOCK_RWLOCK,
			.base = rec->arg0 - PHASE,
			.owner = w[7],
			.mode = w[7] ? LOCK_MODE_NONE : LOCK_MODE_X};
		return true;
	}
	/* At +12: readers are words[0], phase words[2], writer words[6], shared words[7]. */
	if (w[0] && (w[2] & ~3u) == 0 && w[4] == 0 && w[5] == 0 && w[7] <= 1 &&
		(w[FUTEX_WORD] & ~3u) == 0 && w[FUTEX_WORD]) {
		*g = (struct guess){.kind = LOCK_RWLOCK,
			.base = rec->arg0 - WRITERS_WAIT,
			.owner = w[6],
			.mode = LOCK_MODE_X};
		return true;
	}
	return false;
}

static bool guess_sem(const struct rec_WAIT_BEGIN *rec, const uint32_t *w, struct guess *g)
{
	if (operation(rec) != FUTEX_WAIT_BITSET || rec->arg2 || w[3] || !w[4] || w[4] > 100000 ||
		(w[5] != 0 && w[5] != 128))
		return false;
	*g = (struct guess){.kind = LOCK_SEM, .base = rec->arg0, .mode = LOCK_MODE_X};
	return true;
}

static bool guess_cond(const struct rec_WAIT_BEGIN *rec, const uint32_t *w, struct guess *g)
{
	/* At +40 the count of waiters is words[2], at +44 words[1]; both hold it as n << 3. */
	enum { FIRST = 40, SECOND = 44 };

	if (operation(rec) != FUTEX_WAIT_BITSET || (w[FUTEX_WORD] & 1))
		return false;
	if (w[2] >= 8 && w[2] < 8 << 20 && (rec->arg0 & 7) == 0) {
		*g = (struct guess){.kind = LOCK_COND, .base = rec->arg0 - FIRST};
		return true;
	}
	if (w[1] >= 8 && w[1] < 8 << 20 && (rec->arg0 & 7) == 4) {
		*g = (struct guess){.kind = LOCK_COND, .base = rec->arg0 - SECOND};
		return true;
	}
	return false;
}

static bool guess_barrier(const struct rec_WAIT_BEGIN *rec, const uint32_t *w, struct guess *g)
{
	if (operation(rec) != FUTEX_WAIT || w[4] < 2 || w[4] > 1 << 20 ||
		(w[5] != 0 && w[5] != 128) || !w[2] || w[2] - w[3] >= w[4] ||
		w[3] != (uint32_t)rec->arg2)
		return false;
	*g = (struct guess){.kind = LOCK_BARRIER, .base = rec->arg0 - 4};
	return true;
}

/* An object that the library has recorded and that this futex is a part of. */
static struct lock *known_object(const struct proc *p, uint64_t futex, unsigned *ret_offset)
{
	static const uint8_t offsets[] = {0, 4, 8, 12, 40, 44};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct lock *lock = model_find_lock(p, futex - offsets[i]);

		if (lock && lock->kind != LOCK_FUTEX &&
			model_futex_inside(lock->kind, futex - offsets[i], futex)) {
			*ret_offset = offsets[i];
			return lock;
		}
	}
	return NULL;
}

/* A mutex of musl, and who has it. */
static bool guess_musl(struct model *m, const struct thread *t, const struct rec_WAIT_BEGIN *rec,
	struct guess *g, struct thread **ret_owner)
{
	*g = (struct guess){.kind = LOCK_MUTEX, .mode = LOCK_MODE_X};
	g->owner = model_musl_owner(rec, &g->base, &g->type);
	*ret_owner = inner_thread(m, t->proc, g->owner);
	return *ret_owner && ((*ret_owner)->proc == t->proc || !is_private(rec));
}

/* What the waiter sleeps on, unless the program has locks of its own there. */
static bool guess_object(struct model *m, const struct thread *t, const struct rec_WAIT_BEGIN *rec,
	struct guess *g, struct thread **ret_owner)
{
	enum futex_maker maker = model_futex_maker(m, t->proc, rec->ip);
	uint32_t w[WORDS];
	struct thread *owner;

	memcpy(w, rec->words, sizeof w);
	*ret_owner = NULL;
	if (maker == FUTEX_OF_MUSL)
		return guess_musl(m, t, rec, g, ret_owner);
	if (rec->words_valid < 32 || maker == FUTEX_OF_PROGRAM)
		return false;
	if (guess_mutex(rec, w, g)) {
		owner = inner_thread(m, t->proc, g->owner);
		if (!owner && rec->dev && !is_private(rec))
			owner = nested_owner(m, t->proc, g->owner);
		if (owner && (owner->proc == t->proc || !is_private(rec))) {
			*ret_owner = owner;
			return true;
		}
	}
	if (guess_sem(rec, w, g) || guess_barrier(rec, w, g) || guess_cond(rec, w, g))
		return true;
	if (!guess_rwlock(rec, w, g))
		return false;
	owner = g->owner ? inner_thread(m, t->proc, g->owner) : NULL;
	if (g->owner && (!owner || (owner->proc != t->proc && is_private(rec))))
		return false;
	*ret_owner = owner;
	return true;
}

/* The object at an address; a shared one by what it is mapped from. */
static struct lock *object_at(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec,
	uint64_t base, int kind, unsigned type)
{
	int64_t now = model_time(m, rec->head.ts);
	struct lock *lock;

	if (!rec->dev || is_private(rec))
		return model_lock_at(m, t->proc, base, kind, type);
	lock = model_lock_shared(
		m, t->proc, rec->dev, rec->inode, rec->offset - (rec->arg0 - base), kind);
	if (lock->address == STORE_NULL) {
		lock->address = (int64_t)base;
		model_lock_touch(m, lock);
	}
	if (type && !lock->type) {
		lock->type = type;
		model_lock_touch(m, lock);
	}
	model_lock_user(m, lock, t->proc, now);
	return lock;
}

/*
 * The owner of a mutex that a stack shows to be one. In the child of a fork that
 * may be a thread of the parent: then nobody here can release it.
 */
static struct thread *snapshot_owner(
	struct model *m, const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct thread *owner = NULL;
	struct guess g;
	uint32_t w[WORDS];

	if (guess_object(m, t, rec, &g, &owner) || rec->words_valid < 32)
		return owner;
	memcpy(w, rec->words, sizeof w);
	return guess_mutex(rec, w, &g) ? inner_thread(m, t->proc, g.owner) : NULL;
}

/* What a wait on one of its words says about how a lock is wanted; NONE: a rwlock's readers and writers both wait at +8. */
static uint8_t mode_at(const struct lock *lock, unsigned offset)
{
	enum { READERS = 0, WRITERS = 12 };

	if (lock->kind != LOCK_RWLOCK || offset == WRITERS)
		return LOCK_MODE_X;
	return offset == READERS ? LOCK_MODE_S : LOCK_MODE_NONE;
}

void model_futex(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	struct wait *w = &t->wait;
	struct guess g;
	struct thread *owner = NULL;
	struct lock *lock;
	unsigned offset = 0;
	bool recorded;

	w->futex = rec->arg0;
	if (model_wait_by_call(m, t)) {
		/* A snapshot knows the call from the stack, and of the owner what memory says. */
		if (rec->head.flags & REC_SNAP)
			owner = snapshot_owner(m, t, rec);
		if (owner) {
			w->target_thread = owner->id;
			w->owner_inferred = true;
		}
		return;
	}
	if (is_join(m, t, rec))
		return;
	lock = known_object(t->proc, rec->arg0, &offset);
	recorded = lock && lock->stat.holds;
	if (lock) {
		model_wait_on_lock(
			m, t, lock, (int)lock_info(lock->kind)->reason, mode_at(lock, offset));
		if (lock->kind == LOCK_ONCE)
			w->target_thread = lock->runner;
	}
	if (guess_object(m, t, rec, &g, &owner) && (!lock || lock->kind == g.kind)) {
		if (!lock)
			lock = object_at(m, t, rec, g.base, g.kind, g.type);
		model_wait_on_lock(m, t, lock, (int)lock_info(lock->kind)->reason, g.mode);
		/* Who holds what the library records is known better from its own records. */
		if (owner && (!recorded || t->proc->lock_source <= LOCKS_FUTEX)) {
			w->target_thread = owner->id;
			w->owner_inferred = true;
		}
	}
	if (!lock)
		model_wait_on_lock(
			m, t, object_at(m, t, rec, rec->arg0, LOCK_FUTEX, 0), WAIT_FUTEX, 0);
}
