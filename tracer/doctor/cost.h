/* cost.h - what recording costs on this machine, measured. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_DOCTOR_COST_H
#define TRACER_DOCTOR_COST_H

#include <stdbool.h>

struct buf;

/*
 * Measures, with what is available, and adds one line for each figure:
 * a system call of an untraced program while a recording runs, a pipe write and
 * read of a traced one, a lock operation through an uprobe and through the
 * preload library. Takes a second or two.
 */
void cost_measure(struct buf *text);

/* To be called first by the command that measures: true if this process is a child that cost_measure started, which has done its part. */
bool cost_child(void);

#endif
