/* life.c - the end of threads and processes, and what is written and freed when. */
/* SPDX-License-Identifier: MIT */
/*
 * Ended threads and processes stay for GRACE_NS, because records of another
 * source may be late. Then all that only a living one needs is closed, written
 * and freed. A process that nobody has reaped stays as a small zombie; beyond
 * MAX_ZOMBIES the oldest are forgotten, so that memory stays bounded. A thread
 * whose birth nobody has told stays as long as its process, up to MAX_UNBORN of
 * them: who made it may have been held up for longer than it lived.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/locks.h"

/* ---- Ends ---- */

void model_thread_end(struct model *m, struct thread *t, int64_t ts)
{
	if (t->end != STORE_NULL)
		return;
	model_thread_ended(m, t, ts);
	model_wait_close(m, t, ts, STORE_NULL);
	model_fifo_opened(m, t, ts);
	model_spin_done(m, t);
	model_polled_forget(m, t);
}

void model_proc_end(struct model *m, struct proc *p, int64_t ts, int status)
{
	if (p->ended)
		return;
	for (struct thread *t = p->threads; t; t = t->peer)
		model_thread_end(m, t, ts);
	p->ended = p->dirty = true;
	p->end = ts;
	p->status = status;
	model_pipe_ends_exit(m, p, ts);
	p->ended_next = NULL;
	*m->ended_procs_end = p;
	m->ended_procs_end = &p->ended_next;
}

/* Ends the threads of a process that are gone; says whether none is left. */
static bool settle_threads(
	struct model *m, struct proc *p, bool (*gone)(uint64_t pid, uint64_t tid), int64_t ts)
{
	bool left = false;

	for (struct thread *t = p->threads; t; t = t->peer) {
		if (t->end == STORE_NULL && gone(p->pid, t->tid))
			model_thread_end(m, t, ts);
		left = left || t->end == STORE_NULL;
	}
	return !left && gone(p->pid, p->pid);
}

void model_settle_gone(struct model *m, bool (*gone)(uint64_t pid, uint64_t tid), uint64_t now)
{
	int64_t ts = model_time(m, now);

	for (struct proc *p = m->all_procs; p; p = p->next)
		if (!p->ended && settle_threads(m, p, gone, ts))
			model_proc_end(m, p, ts, -1);
}

/* ---- What has changed is written ---- */

static void flush_thread(struct model *m, struct thread *t)
{
	model_holds_flush(m, t);
	model_call_flush(m, t);
	model_mpi_call_flush(m, t);
	model_wait_flush(m, t);
	model_edges_flush(m, t, false);
	model_lane_flush(m, t);
	if (t->dirty)
		model_write_thread(m, t);
}

static void flush_processes(struct model *m)
{
	for (struct thread *t = m->all_threads; t; t = t->next)
		flush_thread(m, t);
	for (struct proc *p = m->all_procs; p; p = p->next) {
		if (!p->retired) {
			model_signal_flush(m, p);
			model_timer_flush(m, p);
		}
		if (p->mpi)
			model_mpi_flush(m, p);
		if (p->dirty)
			model_write_proc(m, p);
	}
}

static void flush_locks(struct model *m)
{
	struct lock *next;

	for (struct lock *lock = m->dirty_locks; lock; lock = next) {
		next = lock->dirty_next;
		lock->in_dirty = false;
		if (lock->dirty)
			model_lock_write(m, lock);
		if (lock->stat_dirty)
			model_stat_write(m, lock);
		if (lock->dead && !lock->refs)
			model_lock_free(lock);
	}
	m->dirty_locks = NULL;
	model_open_flush(m);
}

void model_flush_all(struct model *m)
{
	flush_processes(m);
	model_pipe_flush(m);
	model_pipe_ends_flush(m);
	flush_locks(m);
}

/* ---- What ended long enough ago goes ---- */

static void leave_queue(struct model *m, struct thread *t)
{
	if (!t->ended_link)
		return;
	*t->ended_link = t->ended_next;
	if (t->ended_next)
		t->ended_next->ended_link = t->ended_link;
	else
		m->ended_threads_end = t->ended_link;
	t->ended_link = NULL;
}

static void free_thread(struct model *m, struct thread *t)
{
	leave_queue(m, t);
	m->n_unborn -= t->is_unborn;
	if (hash_get(&m->threads, t->tid) == t)
		(void)hash_del(&m->threads, t->tid);
	if (m->last_thread == t)
		m->last_thread = NULL;
	if (t->proc->main == t)
		t->proc->main = NULL;
	model_wait_free(t);
	model_mpi_call_free(t);
	model_lane_free(m, t);
	model_more_free(t);
	free(t->runtime_name);
	hash_done(&t->touched);
	hash_done(&t->edges);
	model_folding_leave(t);
	model_folds_free(t);
	model_io_folds_free(t);
	free(t->held);
	free(t->spin);
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	*t->peer_link = t->peer;
	if (t->peer)
		t->peer->peer_link = t->peer_link;
	free(t);
}

/* Writes the rows for several events of a thread that began before a time. */
static void write_shared(struct model *m, struct thread *t, int64_t before)
{
	bool holds = model_folds_write(m, t, before), calls = model_io_folds_write(m, t, before);

	if (!holds && !calls)
		model_folding_leave(t);
}

void model_folds_flush(struct model *m, bool all)
{
	int64_t before = all ? INT64_MAX : m->now - LOCK_FOLD_NS;
	struct thread *next;

	for (struct thread *t = m->folding; t; t = next) {
		next = t->folding.next;
		write_shared(m, t, before);
	}
}

/* Writes the last of a thread. */
static void settle_thread(struct model *m, struct thread *t)
{
	if (t->proc->ended)
		model_file_locks_exit(m, t, t->end);
	model_holds_abandon(m, t);
	write_shared(m, t, INT64_MAX);
	model_call_end(m, t);
	model_mpi_call_flush(m, t);
	model_wait_flush(m, t);
	model_sample_flush(m, t);
	model_edges_flush(m, t, true);
	model_lane_flush(m, t);
	if (t->dirty)
		model_write_thread(m, t);
}

/* Nobody needs it any more, but for the record of its birth if that is still to come. */
static void retire_thread(struct model *m, struct thread *t)
{
	settle_thread(m, t);
	if (!t->is_early || t->proc->ended || m->n_unborn == MAX_UNBORN) {
		free_thread(m, t);
		return;
	}
	leave_queue(m, t);
	t->is_unborn = true;
	m->n_unborn++;
}

void model_thread_born(struct model *m, struct thread *t)
{
	t->is_early = false;
	if (!t->is_unborn)
		return;
	t->is_unborn = false;
	m->n_unborn--;
	model_thread_ended(m, t, t->end);
}

/* Others that use the memory of a process that is gone keep it as their own. */
static void leave_memory(struct model *m, struct proc *p)
{
	model_proc_vm(p, p);
	for (struct proc *q = m->all_procs; q && p->vm_users; q = q->next) {
		if (q != p && q->vm == p)
			model_proc_vm(q, q);
	}
}

/* Closes and frees what only a living process needs. */
static void retire_proc(struct model *m, struct proc *p)
{
	p->retired = true;
	while (p->threads) {
		settle_thread(m, p->threads);
		free_thread(m, p->threads);
	}
	model_locks_forget(m, p, p->end);
	leave_memory(m, p);
	model_file_users_exit(m, p, p->end);
	model_signal_exit(m, p, p->end);
	model_handlers_exit(m, p, p->end);
	model_timers_exit(m, p, p->end);
	model_pipe_ends_exit(m, p, p->end);
	model_pipe_ends_free(m, p);
	model_sites_exec(m, p);
	if (p->mpi)
		model_mpi_flush(m, p);
	if (p->dirty)
		model_write_proc(m, p);
}

static void free_proc(struct model *m, struct proc *p)
{
	if (p->dirty)
		model_write_proc(m, p);
	if (hash_get(&m->procs, p->pid) == p)
		(void)hash_del(&m->procs, p->pid);
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	model_mpi_rank_free(p);
	free(p->exe);
	free(p->program);
	free(p->arg0);
	free(p->title);
	free(p->command);
	free(p);
}

static void keep_zombie(struct model *m, struct proc *p)
{
	p->ended_next = NULL;
	*m->zombies_end = p;
	m->zombies_end = &p->ended_next;
	m->n_zombies++;
}

static void drop_zombies(struct model *m)
{
	while (m->zombies && (m->zombies->reaped || m->n_zombies > MAX_ZOMBIES)) {
		struct proc *p = m->zombies;

		m->zombies = p->ended_next;
		if (!m->zombies)
			m->zombies_end = &m->zombies;
		m->n_zombies--;
		free_proc(m, p);
	}
}

static void retire_procs(struct model *m, int64_t before)
{
	while (m->ended_procs && m->ended_procs->end < before) {
		struct proc *p = m->ended_procs;

		m->ended_procs = p->ended_next;
		if (!m->ended_procs)
			m->ended_procs_end = &m->ended_procs;
		retire_proc(m, p);
		if (p->reaped)
			free_proc(m, p);
		else
			keep_zombie(m, p);
	}
	drop_zombies(m);
}

void model_retire(struct model *m, bool all)
{
	int64_t before = all ? INT64_MAX : m->now - GRACE_NS;

	while (m->ended_threads && m->ended_threads->end < before)
		retire_thread(m, m->ended_threads);
	retire_procs(m, before);
	model_pipe_retire(m, all);
}

void model_process_done(struct model *m)
{
	while (m->all_threads) {
		model_edges_free(m->all_threads);
		free_thread(m, m->all_threads);
	}
	while (m->all_procs) {
		struct proc *p = m->all_procs;

		model_signal_free(p);
		model_timer_free(p);
		model_pipe_ends_free(m, p);
		hash_done(&p->locks);
		p->dirty = false;
		free_proc(m, p);
	}
}

void model_lock_done(struct model *m)
{
	model_abandoned_done(m);
	while (m->all_locks)
		model_lock_free(m->all_locks);
}
