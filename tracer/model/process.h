/* process.h - what the model's files share: processes and threads: birth, names, programs, end. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_PROCESS_H
#define TRACER_MODEL_PROCESS_H

#include "tracer/model/state.h"

/* Returns the thread of a record's head, made if it is not known. */
struct thread *model_thread(struct model *m, const struct rec_head *head);

/* Returns the newest process with this pid, or NULL. */
struct proc *model_find_proc(const struct model *m, uint64_t pid);

/* Returns the newest thread with this tid, or NULL. */
struct thread *model_find_thread(const struct model *m, uint64_t tid);

struct proc *model_proc_new(struct model *m, uint32_t pid, int64_t ts);
struct thread *model_thread_new(struct model *m, struct proc *p, uint32_t tid, int64_t ts);
struct proc *model_proc(struct model *m, const struct rec_head *head);

void model_process_flush(struct model *m);
void model_process_done(struct model *m);
void model_write_proc(struct model *m, struct proc *p);
void model_write_thread(struct model *m, struct thread *t);

/* model_retire.c: writes and frees what ended long enough ago; all: at once. */
void model_retire(struct model *m, bool all);

/* A thread has ended at ts: it is kept for a while. Likewise a process, with all its threads. */
void model_thread_end(struct model *m, struct thread *t, int64_t ts);
void model_proc_end(struct model *m, struct proc *p, int64_t ts, int status);

/* From now on a process uses the memory of vm, or its own. */
void model_proc_vm(struct proc *p, struct proc *vm);

/* Keeps the first 16 bytes of a name. */
void model_name(char name[17], const char *comm);

void model_fork(struct model *m, const struct rec_FORK *rec);
void model_exec(struct model *m, const struct rec_EXEC *rec);
void model_exec_fail(struct model *m, const struct rec_EXEC_FAIL *rec);
void model_exit(struct model *m, const struct rec_EXIT *rec);
void model_reap(struct model *m, const struct rec_REAP *rec);
void model_comm(struct model *m, const struct rec_COMM *rec);
void model_more(struct model *m, const struct rec_MORE *rec);
void model_thread_entry(struct model *m, const struct rec_THREAD_ENTRY *rec);
void model_found(struct model *m, const struct rec_FOUND *rec);

/* Forgets what MORE records brought. */
void model_more_free(struct thread *t);

#endif
