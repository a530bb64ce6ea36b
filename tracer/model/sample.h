/* sample.h - what the model's files share: samples of what runs: busy loops, processors; stdio buffers; and what a language says of threads. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_SAMPLE_H
#define TRACER_MODEL_SAMPLE_H

#include "tracer/model/state.h"

void model_sched(struct model *m, const struct rec_SCHED *rec);
void model_sample(struct model *m, const struct rec_SAMPLE *rec);
void model_sample_flush(struct model *m, struct thread *t);
void model_stdio(struct model *m, const struct rec_STDIO *rec);

/* A sample of a thread that runs. */
void model_spin_sample(struct model *m, struct thread *t, const struct rec_SAMPLE *rec);
/* A trylock of it returned. */
void model_spin_try(struct model *m, struct thread *t, const struct lock *lock, int64_t site,
	int result, int64_t ts);
/* The thread blocks. */
void model_spin_end(struct model *m, struct thread *t);
/* The thread has ended. */
void model_spin_done(struct model *m, struct thread *t);

/* Threads, stacks and locks in the words of the program's language. */
void model_runtime_name(struct model *m, const struct rec_RUNTIME_NAME *rec);
void model_runtime_frame(struct model *m, const struct rec_RUNTIME_FRAME *rec);
void model_runtime_lock(struct model *m, const struct rec_RUNTIME_LOCK *rec);

#endif
