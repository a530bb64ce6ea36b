/* signal.h - what the model's files share: signals, handlers and timers. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_SIGNAL_H
#define TRACER_MODEL_SIGNAL_H

#include "tracer/model/state.h"

void model_sig_send(struct model *m, const struct rec_SIG_SEND *rec);
void model_sig_deliver(struct model *m, const struct rec_SIG_DELIVER *rec);
void model_sig_action(struct model *m, const struct rec_SIG_ACTION *rec);
void model_timer(struct model *m, const struct rec_TIMER *rec);

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

#endif
