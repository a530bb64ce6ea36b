/* pipe.h - what the model's files share: pipes, FIFOs and socketpairs: their ends, and what goes through them. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_PIPE_H
#define TRACER_MODEL_PIPE_H

#include "tracer/model/private.h"

/* Finds the pipe of a new end, or makes it known; *ret_side is the side of the socket. */
struct pipe *model_pipe_of(
	struct model *m, struct thread *t, const struct rec_END_OPEN *rec, uint8_t *ret_side);
/* A pipe has one end less. */
void model_pipe_leave(struct model *m, struct pipe *pipe, int64_t ts);
/* Makes a descriptor of a pipe. */
struct end *model_end_new(struct model *m, struct proc *p, struct pipe *pipe, uint64_t fd,
	unsigned mode, int64_t ts, int via);
void model_ends_flush(struct model *m);

/* A descriptor of a pipe was put into a message on a socket; or came out of one. */
void model_pipe_sent(struct pipe *pipe, int64_t ts);
void model_pipe_received(struct pipe *pipe, int64_t ts);

/* Gives the child of a fork the descriptors of its parent. */
void model_ends_inherit(
	struct model *m, struct proc *child, struct proc *parent, int64_t ts, bool share);
/* After the first own record of a forked process, drops ends that the probe did not confirm. */
void model_ends_settle(struct model *m, struct proc *p, int64_t ts);
/* Closes what exec has closed: what was not listed before it (END_OPEN with END_EXEC), or is marked to be closed. */
void model_ends_exec(struct model *m, struct proc *p, int64_t ts);
/* Closes all descriptors of a process. */
void model_ends_exit(struct model *m, struct proc *p, int64_t ts);
void model_ends_free(struct model *m, struct proc *p);

/* Returns the pipe with this inode, or NULL; *ret_side is the side that the inode is. */
struct pipe *model_find_pipe(
	const struct model *m, uint64_t dev, uint64_t inode, uint8_t *ret_side);
/* Returns the descriptor of a process, or NULL. */
struct end *model_find_end(const struct proc *p, uint64_t fd);
/* Returns the FIFO with this inode, made if it is not known; and END_READ or END_WRITE, as an open call asks. */
struct pipe *model_fifo(struct model *m, uint64_t dev, uint64_t inode);
uint8_t model_open_mode(const struct rec_WAIT_BEGIN *rec);
/* A thread that waited to open a FIFO has its end now, or will not have it. */
void model_fifo_opened(struct model *m, struct thread *t, int64_t ts);
/* Lets go of a pipe that a wait pointed to. */
void model_pipe_unwait(struct model *m, struct pipe *pipe, int64_t ts);
/* Remembers who reads or writes, for the pipe's name. */
void model_pipe_used(struct pipe *pipe, const struct proc *p, bool writes);
void model_pipe_flush(struct model *m);
void model_pipe_retire(struct model *m, bool all);
void model_pipe_done(struct model *m);

#endif
