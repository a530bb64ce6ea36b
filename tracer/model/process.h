/* process.h - what the model's files share: processes and threads, their signals, places and samples. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_PROCESS_H
#define TRACER_MODEL_PROCESS_H

#include "tracer/model/private.h"

/* Returns the thread of a record's head, or NULL. */
struct thread *model_known_thread(const struct model *m, const struct rec_head *head);

/* The same, made if it is not known. */
struct thread *model_thread(struct model *m, const struct rec_head *head);

/* Returns the newest process with this pid, or NULL. */
struct proc *model_find_proc(const struct model *m, uint64_t pid);

/* Returns the newest thread with this tid, or NULL. */
struct thread *model_find_thread(const struct model *m, uint64_t tid);

struct proc *model_proc_new(struct model *m, uint32_t pid, int64_t ts);
struct thread *model_thread_new(struct model *m, struct proc *p, uint32_t tid, int64_t ts);
struct proc *model_proc(struct model *m, const struct rec_head *head);

void model_process_done(struct model *m);
void model_write_proc(struct model *m, struct proc *p);
void model_write_thread(struct model *m, struct thread *t);

/* Writes all that has changed, with a NULL end where it goes on. */
void model_flush_all(struct model *m);

/* Writes and frees what ended long enough ago; all: at once. */
void model_retire(struct model *m, bool all);

/* Notes that a thread has ended; what it was in the middle of is for model_thread_end. */
void model_thread_ended(struct model *m, struct thread *t, int64_t ts);

/* A thread has ended at ts: it is kept for a while. Likewise a process, with all its threads. */
void model_thread_end(struct model *m, struct thread *t, int64_t ts);
void model_proc_end(struct model *m, struct proc *p, int64_t ts, int status);

/* From now on a process uses the memory of vm, or its own. */
void model_proc_vm(struct proc *p, struct proc *vm);

/* Keeps the first 16 bytes of a name. */
void model_name(char name[17], const char *comm);

/* Forgets what MORE records brought. */
void model_more_free(struct thread *t);

/* ---- Signals, handlers and timers ---- */

/* A thread came back from sigwait: the signal that was sent to it meanwhile was taken so. */
void model_signal_waited(struct model *m, struct thread *t, int64_t since, int64_t ts);
/* A process ended: what was pending stays untaken, but for the signal that killed it. */
void model_signal_exit(struct model *m, struct proc *p, int64_t ts);
void model_signal_killed(struct model *m, struct proc *p, int signo, int64_t ts);
/* Frees what model_signal.c and model_timer.c keep in a process. */
void model_signal_free(struct proc *p);
void model_timer_free(struct proc *p);
void model_handlers_inherit(
	struct model *m, struct proc *child, const struct proc *parent, int64_t ts);
/* Handlers become default, ignored stays. */
void model_handlers_exec(struct model *m, struct proc *p, int64_t ts);
void model_handlers_exit(struct model *m, struct proc *p, int64_t ts);
void model_signal_flush(struct model *m, struct proc *p);
void model_timers_exec(struct model *m, struct proc *p, int64_t ts);
void model_timers_exit(struct model *m, struct proc *p, int64_t ts);
/* A signal that a timer sends arrived: a timer that fires once has expired. */
void model_timer_fired(struct model *m, struct proc *p, int signo, int64_t ts);
void model_timer_flush(struct model *m, struct proc *p);

/* ---- Places in the code ---- */

/* Returns the id of the site of a code address, STORE_NULL for address 0. is_return: it is a return address. */
int64_t model_site(struct model *m, struct proc *p, uint64_t addr, bool is_return);
/*
 * Says whether the futex call that ends at ip is the program's own, so that it
 * waits for none of the C library's objects. False if that is not known.
 */
bool model_is_own_futex(struct model *m, struct proc *p, uint64_t ip);
/* Returns the site of a line of a language that is not machine code; language is static. */
int64_t model_place(
	struct model *m, const char *language, const char *file, const char *function, int line);
/* Returns the name of a variable, which the caller frees, or NULL. */
char *model_variable(struct model *m, struct proc *p, uint64_t addr);
/* Sees to it that the mappings of a process have been read once while it lives. */
void model_map(struct model *m, struct proc *p);
void model_sites_fork(struct model *m, struct proc *child, struct proc *parent);
void model_sites_exec(struct model *m, struct proc *p);
void model_sites_done(struct model *m);

/* ---- Samples of what runs ---- */

void model_sample_flush(struct model *m, struct thread *t);

/* A sample of a thread that runs. */
void model_spin_sample(struct model *m, struct thread *t, const struct rec_SAMPLE *rec);
/* A trylock of it returned. */
void model_spin_try(struct model *m, struct thread *t, const struct lock *lock, int64_t site,
	int result, int64_t ts);
/* The thread blocks. */
void model_spin_end(struct model *m, struct thread *t);
/* The thread has ended. */
void model_spin_done(struct model *m, struct thread *t);

void model_runtime_lock(struct model *m, const struct rec_RUNTIME_LOCK *rec);

#endif
