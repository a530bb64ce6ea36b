/* cost.h - what recording costs on this machine, measured. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_COST_H
#define TRACER_COST_H

struct buf;

/*
 * Measures, with what is available, and adds one line for each figure:
 * a system call of an untraced program while a recording runs, a pipe write and
 * read of a traced one, a lock operation through an uprobe and through the
 * preload library. Takes a second or two.
 */
void cost_measure(struct buf *text);

#endif
