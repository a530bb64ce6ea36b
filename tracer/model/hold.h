/* hold.h - what the model's files share: who has which lock, in which order, for how long. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_HOLD_H
#define TRACER_MODEL_HOLD_H

#include "tracer/model/state.h"

/* A thread has got a lock. */
void model_hold_begin(struct model *m, struct thread *t, const struct hold *hold);
/* A thread has given a lock back, once; false: it has not got it. */
bool model_hold_end(struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site);
/* A thread has given a lock back, however often it has it: returns how often that was. */
uint32_t model_hold_release(
	struct model *m, struct thread *t, struct lock *lock, int64_t ts, int64_t site);
/* Writes those that are not written yet, with a NULL end. */
void model_holds_flush(struct model *m, struct thread *t);
/* What a thread holds when it ends stays taken; when its program is replaced, it goes. */
void model_holds_abandon(struct model *m, struct thread *t);
void model_holds_drop(struct model *m, struct thread *t);
/* Completes the row of a hold that was ended by others. */
void model_hold_complete(struct model *m, const struct hold *h, int64_t thread_id, int64_t ts);

/* model_open.c */
struct abandoned *model_abandoned_add(
	struct model *m, const struct hold *hold, int64_t thread_id, int64_t process_id);
/* Somebody released the lock or took it anew; all: shared holds too. */
void model_abandoned_drop(struct model *m, struct lock *lock, bool all, int64_t ts);
void model_abandoned_forget(struct model *m, const struct proc *p);
void model_abandoned_done(struct model *m);
void model_open_flush(struct model *m);

/* A thread takes, or waits for, a lock while it holds others. */
void model_edges(struct model *m, struct thread *t, struct lock *to, uint8_t mode, int64_t site,
	bool tried, int64_t ts);
void model_edges_flush(struct model *m, struct thread *t, bool free_all);
void model_edges_free(struct thread *t);

/* Adds time that a thread held, or waited for, locks. */
void model_lane_hold(struct model *m, struct thread *t, int64_t end);
void model_lane_wait(struct model *m, struct thread *t, int64_t start, int64_t end);
void model_lane_took(struct model *m, struct thread *t, int64_t ts);
void model_lane_flush(struct model *m, struct thread *t);
void model_lane_free(struct thread *t);

#endif
