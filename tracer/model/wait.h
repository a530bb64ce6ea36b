/* wait.h - what the model's files share: waits, and the library calls in which threads wait. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_WAIT_H
#define TRACER_MODEL_WAIT_H

#include "tracer/model/private.h"

/* Ends the wait of a thread, if there is one. waker: thread.id or STORE_NULL. */
void model_wait_close(struct model *m, struct thread *t, int64_t ts, int64_t waker);
/* The library says that the thread waits in a call that began before or after the kernel's word. */
void model_wait_call(struct model *m, struct thread *t);
/* The library's call is over. */
void model_wait_called(struct model *m, struct thread *t, int64_t ts);
void model_wait_flush(struct model *m, struct thread *t);
void model_wait_free(struct thread *t);
/* A library call that will never return: its row, if there is to be one, gets no end. */
void model_call_end(struct model *m, struct thread *t);
void model_call_flush(struct model *m, struct thread *t);
/* Writes the row of a library call; empties it. */
void model_call_write(
	struct model *m, struct thread *t, int64_t end, int64_t result, int64_t value);
void model_call_close(struct model *m, struct thread *t);
/* Returns the reason of a wait (enum wait_reason), as far as the call and its file tell. */
int model_reason(const struct thread *t, const struct rec_WAIT_BEGIN *rec);
/* Names the object of a wait. */
void model_wait_on_lock(
	struct model *m, struct thread *t, struct lock *lock, int reason, uint8_t mode);
void model_wait_on_pipe(struct wait *w, struct pipe *pipe);
/* Names the wait by the library call that the thread is in; false: it is in none that fits. */
bool model_wait_by_call(struct model *m, struct thread *t);
/* Finds out which object a futex belongs to. */
void model_futex(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec);
/* Begins a wait: what the thread waited for before is closed, or goes on as this one. */
void model_wait_open(struct model *m, struct thread *t, int64_t ts);
/* Says whether a futex address lies in an object of this kind at that address. */
bool model_futex_inside(int kind, uint64_t object, uint64_t futex);

#endif
