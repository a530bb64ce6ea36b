/* mutex_owner.c - who owns the mutex that a thread waits for, read from the memory of its process. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/memory/memory.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* glibc's pthread_mutex_t on machines with 64 bits, and what may lie before it in WAIT_BEGIN.words. */
enum {
	WORDS_BEFORE = 12,
	MUTEX_OWNER = WORDS_BEFORE + 8,
	MUTEX_KIND = WORDS_BEFORE + 16,
	MUTEX_TYPE = 3, /* bits of its kind */
	MUTEX_PI = 32,
	MUTEX_SHARED = 128,
	MUTEX_ELISION = 256 | 512,
	LIBRARY_SLOTS = 64 /* words of the stack that glibc's functions for locks may use */
};

/* Reads what a blocked lock operation on a PI mutex would have shown; false if there is none at addr that a thread of the process has. */
static bool read_pi_mutex(const struct snap_process *p, uint64_t addr, struct rec_WAIT_BEGIN *wait)
{
	uint32_t m[5];
	bool is_owned = false;

	if (addr < WORDS_BEFORE || !proc_memory(p, addr, m, sizeof m) ||
		(m[4] & ~(uint32_t)(MUTEX_TYPE | MUTEX_ELISION)) != MUTEX_PI ||
		(m[0] & FUTEX_TID_MASK) != m[2])
		return false;
	for (size_t k = 0; k < p->n_threads && m[2]; k++)
		is_owned |= (uint32_t)p->threads[k].ns_tid == m[2];
	if (!is_owned || !proc_memory(p, addr - WORDS_BEFORE, wait->words, sizeof wait->words))
		return false;
	wait->words_valid = sizeof wait->words;
	return true;
}

/* The only one among words of the stack that is the address of a PI mutex which another thread has; 0: none is, or more than one. */
static uint64_t only_pi_mutex(
	const struct snap_process *p, const struct snap_thread *t, const uint64_t *slots, size_t n)
{
	uint64_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct rec_WAIT_BEGIN wait;
		uint32_t owner;

		if (slots[i] == found || slots[i] % sizeof(uint32_t) ||
			!read_pi_mutex(p, slots[i], &wait))
			continue;
		memcpy(&owner, wait.words + MUTEX_OWNER, sizeof owner);
		if (owner == (uint32_t)t->ns_tid)
			continue;
		if (found)
			return 0;
		found = slots[i];
	}
	return found;
}

/*
 * A PI mutex that would deadlock is refused by the kernel, and glibc then lets the
 * thread wait forever on a word of its own stack, below the frame that called
 * it. Which mutex it asked for the calling code says if that is a global variable; else glibc's functions have saved
 * its address among those words. If neither does, the wait is one on some futex, and no object of the program.
 */
void mutex_find_refused(struct snap_process *p, struct snap_thread *t)
{
	uint64_t slots[LIBRARY_SLOTS], addr;
	size_t n = 0;

	if (t->wait.syscall != SYS_futex || !t->site || t->args[3] || t->args[0] < t->sp ||
		!proc_memory(p, t->sp, slots, sizeof slots))
		return;
	while (n < LIBRARY_SLOTS && slots[n] != t->site)
		n++;
	if (n == LIBRARY_SLOTS || t->args[0] >= t->sp + n * sizeof *slots)
		return;
	addr = code_first_argument(p, t->site);
	if (!addr)
		addr = only_pi_mutex(p, t, slots, n);
	t->wait.words_valid = 0;
	if (!addr || !read_pi_mutex(p, addr, &t->wait))
		return;
	t->wait.arg0 = t->args[0] = addr;
	t->wait.arg1 = t->args[1] = FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG;
}

uint32_t mutex_owner(const struct snap_process *p, const struct snap_thread *t)
{
	uint32_t owner, kind;

	memcpy(&owner, t->wait.words + MUTEX_OWNER, sizeof owner);
	memcpy(&kind, t->wait.words + MUTEX_KIND, sizeof kind);
	if (t->wait.syscall != SYS_futex || t->wait.words_valid < sizeof t->wait.words ||
		kind & ~(uint32_t)(MUTEX_TYPE | MUTEX_SHARED | MUTEX_ELISION) ||
		owner > INT32_MAX || p->ns_pid != p->pid)
		return 0;
	return owner;
}

/* Says whether no thread that can reach the mutex has this number. */
static bool has_no_owner(
	const struct snapshot *s, const struct snap_process *p, uint32_t owner, bool is_shared)
{
	char path[64];

	if (p->core)
		return !is_shared && !proc_of_thread(s, (pid_t)owner);
	/* A number that is alive is not taken for one that is not. */
	if (kill((pid_t)owner, 0) != 0)
		return errno == ESRCH;
	if (is_shared || proc_of_thread(s, (pid_t)owner))
		return false;
	(void)snprintf(path, sizeof path, "/proc/%d/task/%u", (int)p->live, owner);
	return access(path, F_OK) != 0 && errno == ENOENT &&
	       syscall(SYS_kcmp, p->live, owner, KCMP_VM, 0, 0) > 0;
}

uint32_t mutex_gone_owner(
	struct snapshot *s, const struct snap_process *p, const struct snap_thread *t)
{
	uint32_t owner = mutex_owner(p, t), now;

	/* A thread that took the mutex meanwhile, and has ended since, has released it. */
	if (!owner || !has_no_owner(s, p, owner, t->wait.dev != 0) ||
		!proc_memory(p, t->args[0] + MUTEX_OWNER - WORDS_BEFORE, &now, sizeof now) ||
		now != owner || !mutex_is_new(s, p, t))
		return 0;
	return owner;
}

static bool is_mapper(const struct snapshot *s, const struct snap_thread *t, pid_t pid)
{
	for (size_t i = 0; i < s->n_shared; i++) {
		const struct snap_shared *m = &s->shared[i];

		if (m->dev != t->wait.dev || m->inode != t->wait.inode)
			continue;
		for (size_t k = 0; k < m->n_mappers; k++)
			if (m->mappers[k] == pid)
				return true;
		return m->n_mappers == 0; /* nobody has been looked for */
	}
	return true;
}

void mutex_forget_stranger(
	const struct snapshot *s, const struct snap_process *p, struct snap_thread *t)
{
	uint32_t owner = t->wait.dev ? mutex_owner(p, t) : 0;
	const struct snap_process *q = owner ? proc_of_thread(s, (pid_t)owner) : NULL;

	if (q && !q->is_zombie && !is_mapper(s, t, q->pid))
		memset(t->wait.words + MUTEX_OWNER, 0, sizeof owner);
}

bool mutex_is_new(struct snapshot *s, const struct snap_process *p, const struct snap_thread *t)
{
	uint64_t where = t->wait.dev ? t->wait.offset : t->args[0];
	uint64_t key = hash_mix(t->wait.dev ? t->wait.inode : (uint64_t)p->pid, where, 0);

	return !hash_set(&s->gone, key, s);
}
