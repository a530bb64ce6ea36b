/* join.c - which threads are joined. */
/* SPDX-License-Identifier: MIT */
/*
 * glibc joins by waiting, with a shared futex, until the kernel clears a word at the thread's end. Up to 2.42 that word holds the
 * thread's number. Since 2.43 it is another one of its struct pthread, which holds a small number (joinstate, in nptl/descr.h); the
 * number of the thread lies before it, behind its place in the list of all threads.
 */
#include "tracer/snapshot/private.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include "base/mem.h"

enum {
	PTHREAD_BYTES = 2048, /* more than lie between both words */
	STATES = 16,          /* more than a joinstate can be */
	LIST_BYTES = 16       /* two pointers, before the number */
};

/* Says whether a thread waits for a shared word to change; returns it. */
static bool shared_word(const struct snap_process *p, const struct snap_thread *t, uint32_t *ret)
{
	uint64_t op = t->args[1] & FUTEX_CMD_MASK;

	return !t->has_run && t->wait.syscall == SYS_futex && t->wait.words_valid &&
	       !(t->args[1] & FUTEX_PRIVATE_FLAG) &&
	       (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET) &&
	       proc_memory(p, t->args[0], ret, sizeof *ret) && *ret && *ret == (uint32_t)t->args[2];
}

static struct snap_thread *thread_of_number(const struct snap_process *p, uint32_t tid)
{
	for (size_t i = 0; i < p->n_threads; i++)
		if ((uint32_t)p->threads[i].ns_tid == tid)
			return &p->threads[i];
	return NULL;
}

/* Says whether a place in a list is there: the next one has it as the one before. */
static bool is_listed(const struct snap_process *p, uint64_t place)
{
	uint64_t next, back;

	return proc_memory(p, place, &next, sizeof next) &&
	       proc_memory(p, next + sizeof next, &back, sizeof back) && back == place;
}

/* Looks for the number before the word that a joiner waits on: the nearest that stands where a struct pthread has it. */
static struct snap_thread *thread_before(
	const struct snap_process *p, const struct snap_thread *joiner, uint64_t word)
{
	_cleanup_free_ char *bytes = xmalloc(PTHREAD_BYTES);
	uint64_t start = (word & ~(uint64_t)7) - PTHREAD_BYTES;

	if (!proc_memory(p, start, bytes, PTHREAD_BYTES))
		return NULL;
	for (size_t at = PTHREAD_BYTES; at >= LIST_BYTES + 8;) {
		struct snap_thread *t;
		uint32_t tid;

		at -= 8;
		memcpy(&tid, bytes + at, sizeof tid);
		t = tid ? thread_of_number(p, tid) : NULL;
		if (t && t != joiner && is_listed(p, start + at - LIST_BYTES))
			return t;
	}
	return NULL;
}

void join_find(struct snap_process *p)
{
	for (size_t i = 0; i < p->n_threads; i++) {
		const struct snap_thread *t = &p->threads[i];
		struct snap_thread *joined;
		uint32_t word;

		if (!shared_word(p, t, &word))
			continue;
		/* In a container numbers are small, too; what holds one stands behind a place in the list. */
		joined = word >= STATES || is_listed(p, t->args[0] - LIST_BYTES)
				 ? thread_of_number(p, word)
				 : thread_before(p, t, t->args[0]);
		if (joined)
			joined->tid_addr = t->args[0];
	}
}
