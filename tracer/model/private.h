/* private.h - what the files of the model offer each other. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_PRIVATE_H
#define TRACER_MODEL_PRIVATE_H

/*
 * The files stand in this order: each calls only those before it. First what
 * lasts (processes, pipes, and the locks of the folder locks), then what has a
 * beginning and an end (waits, calls), then the life of it all; files that are
 * not named here only handle records.
 *
 * The parameters are the same everywhere: ts is when it happened, in
 * nanoseconds since the start of the trace; ids are those of the database, and
 * STORE_NULL stands for none.
 */
#include "schema/record.h"
#include "tracer/model/locks/locks.h"
#include "tracer/model/state.h"

/* ---- Processes and threads (process.c) ---- */

/* Returns the newest process with this pid, or NULL. */
struct proc *model_find_proc(const struct model *m, uint64_t pid);
/* Returns the newest thread with this tid, or NULL. */
struct thread *model_find_thread(const struct model *m, uint64_t tid);
/* Makes a process or thread, owned by the model, which frees it when it has ended and nothing refers to it; the newest with that number is what records mean. */
struct proc *model_proc_new(struct model *m, uint32_t pid, int64_t ts);
struct thread *model_thread_new(struct model *m, struct proc *p, uint32_t tid, int64_t ts);
/* Returns the thread of a record's head, or NULL. */
struct thread *model_known_thread(const struct model *m, const struct rec_head *head);
/* The same, made if it is not known. */
struct thread *model_thread(struct model *m, const struct rec_head *head);
/* Notes that a thread has ended: it is kept for a while. model_thread_end does all that goes with it. */
void model_thread_ended(struct model *m, struct thread *t, int64_t ts);
/* From now on a process uses the memory of vm, or its own. */
void model_proc_vm(struct proc *p, struct proc *vm);
/* Keeps the first 16 bytes of a name. */
void model_name(char name[17], const char *comm);

/* Returns the name of a process: the kernel's, completed from its program's path where that is longer. */
const char *model_proc_name(const struct proc *p);
/*
 * What a process calls itself: a child has its parent's; a program that is executed with args (NULL: not known)
 * has none; of a process that was there before the trace, args are the n bytes where its arguments are now.
 */
void model_title_fork(struct model *m, struct proc *child, const struct proc *parent, int64_t ts);
void model_title_exec(struct model *m, struct proc *p, const struct buf *args, int64_t ts);
void model_title_found(struct model *m, struct proc *p, const char *args, size_t n);

/* Writes the row as it is now. */
void model_write_proc(struct model *m, struct proc *p);
void model_write_thread(struct model *m, struct thread *t);
/* Forgets what MORE records brought. */
void model_more_free(struct thread *t);

/* ---- Short events that share rows (folding.c) ---- */

/* Says of one at a time whether it has a row of its own, and counts it. */
bool model_is_single(struct singles *s, int64_t ts);
/* A thread has a row for several that is not written yet; it has none any more. */
void model_folding_enter(struct model *m, struct thread *t);
void model_folding_leave(struct thread *t);

/* ---- Reads and writes that share a row (io_fold.c) ---- */

/* Writes the row of a call, or keeps it for one that several share. */
void model_io_put(struct model *m, struct thread *t, const struct row_pipe_io *row);
/* As model_folds_write and model_folds_free. */
bool model_io_folds_write(struct model *m, const struct thread *t, int64_t before);
void model_io_folds_free(struct thread *t);

/* ---- Detail (detail.c) ---- */

/* Finds out by its program whether detail of a process is kept. To be called when that is known or changes. */
void model_detail_named(struct model *m, struct proc *p);

/* Says whether what is over of that kind gets a row. */
static inline bool model_keeps(const struct model *m, const struct thread *t, enum detail what)
{
	return !(m->config.detail.left_out & what) && !t->proc->left_out;
}

/* ---- Pipes, FIFOs, connected sockets (pipe.c; socket.c: what sockets are called) ---- */

/* Returns the pipe with this inode, or NULL; *ret_side is the side that the inode is. */
struct pipe *model_find_pipe(
	const struct model *m, uint64_t dev, uint64_t inode, uint8_t *ret_side);
/* Returns its name for people: 'pipe 3 (ls -> sort)'; the caller frees it. */
char *model_pipe_name(const struct pipe *pipe);
/* Returns the TCP connection or listening socket with this key, or NULL; gives one to a pipe. */
struct pipe *model_find_socket(const struct model *m, int kind, uint64_t key);
void model_pipe_key(struct model *m, struct pipe *pipe, uint64_t key);
/* Returns the one socket that listens at this Unix address (struct sockaddr), or NULL. */
struct pipe *model_unix_listener(const struct model *m, const char *address, size_t len);
/* Finds the pipe of a new end, or makes it known; *ret_side is the side of the socket. */
struct pipe *model_pipe_of(
	struct model *m, struct thread *t, const struct rec_END_OPEN *rec, uint8_t *ret_side);
/* Returns the FIFO with this inode, made if it is not known. */
struct pipe *model_fifo(struct model *m, uint64_t dev, uint64_t inode);
/* Returns END_READ or END_WRITE, as an open call asks. */
uint8_t model_open_mode(const struct rec_WAIT_BEGIN *rec);
/* A pipe has one end less. */
void model_pipe_leave(struct model *m, struct pipe *pipe, int64_t ts);
/* Lets go of a pipe that a wait pointed to. */
void model_pipe_unwait(struct model *m, struct pipe *pipe, int64_t ts);
/* A thread that waited to open a FIFO has its end now, or will not have it. */
void model_fifo_opened(struct model *m, struct thread *t, int64_t ts);
/* Remembers who reads or writes, for the pipe's name. */
void model_pipe_used(struct pipe *pipe, const struct proc *p, bool writes);
/* A descriptor of a pipe was put into a message on a socket; or came out of one. */
void model_pipe_sent(struct pipe *pipe, int64_t ts);
void model_pipe_received(struct pipe *pipe, int64_t ts);
/* Writes what has changed; frees those that nobody has held for long enough, all: at once; frees all of them. */
void model_pipe_flush(struct model *m);
void model_pipe_retire(struct model *m, bool all);
void model_pipe_done(struct model *m);

/* ---- Their ends: who holds which descriptor (pipe_end.c) ---- */

/* Returns the descriptor of a process, or NULL. */
struct pipe_end *model_find_pipe_end(const struct proc *p, uint64_t fd);
/* Makes a descriptor of a pipe, owned by the process; via: enum end_via. */
struct pipe_end *model_pipe_end_new(struct model *m, struct proc *p, struct pipe *pipe, uint64_t fd,
	unsigned mode, int64_t ts, int via);
/* Gives the child of a fork the descriptors of its parent; share: they stay the same for both. */
void model_pipe_ends_inherit(
	struct model *m, struct proc *child, struct proc *parent, int64_t ts, bool share);
/* After the first own record of a forked process, drops ends that the probe did not confirm. */
void model_pipe_ends_settle(struct model *m, struct proc *p, int64_t ts);
/* Closes what exec has closed: what was not listed before it (END_OPEN with END_EXEC), or is marked to be closed. */
void model_pipe_ends_exec(struct model *m, struct proc *p, int64_t ts);
/* Closes all descriptors of a process. */
void model_pipe_ends_exit(struct model *m, struct proc *p, int64_t ts);
/* Writes those that are not written yet, with a NULL end; frees those of a process. */
void model_pipe_ends_flush(struct model *m);
void model_pipe_ends_free(struct model *m, struct proc *p);

/* ---- Places in the code (site.c) ---- */

/* Returns the id of the site of a code address, STORE_NULL for address 0. is_return: it is a return address. */
int64_t model_site(struct model *m, struct proc *p, uint64_t addr, bool is_return);

/* Says whether there is known to be code at an address. */
bool model_is_code(struct model *m, struct proc *p, uint64_t addr);

/* Says whether the code at an address is that of the library that records locks, which is none of the program's. */
bool model_is_of_shim(const struct model *m, const struct proc *p, uint64_t ip);

/* One frame of a stack: its row in site, and whether its source is a library's. */
struct model_frame {
	int64_t site;
	bool is_library;
};

enum { MODEL_INLINED = 16 /* frames that one address may stand for */ };

/* Fills the frames that an address on a stack stands for, at most MODEL_INLINED, the innermost first; returns how many, at least one. */
size_t model_frames(
	struct model *m, struct proc *p, uint64_t addr, bool is_return, struct model_frame *ret);

/* Returns the site of a line of a language that is not machine code; language is static. */
int64_t model_place(
	struct model *m, const char *language, const char *file, const char *function, int line);
/* Says whose code has made the futex call that ends at ip. */
enum futex_maker model_futex_maker(struct model *m, struct proc *p, uint64_t ip);
/* Returns the name of a variable, which the caller frees, or NULL. */
char *model_variable(struct model *m, struct proc *p, uint64_t addr);
/* Sees to it that the mappings of a process have been read once while it lives. */
void model_map(struct model *m, struct proc *p);
/* The child of a fork has its parent's mappings; exec and exit drop them. */
void model_sites_fork(struct model *m, struct proc *child, struct proc *parent);
void model_sites_exec(struct model *m, struct proc *p);
void model_sites_done(struct model *m);

/* ---- What processes do on signals, and their timers (timer.c) ---- */

/* Handlers are inherited by fork; by exec they become default, and ignored stays. */
void model_handlers_inherit(
	struct model *m, struct proc *child, const struct proc *parent, int64_t ts);
void model_handlers_exec(struct model *m, struct proc *p, int64_t ts);
void model_handlers_exit(struct model *m, struct proc *p, int64_t ts);
void model_timers_exec(struct model *m, struct proc *p, int64_t ts);
void model_timers_exit(struct model *m, struct proc *p, int64_t ts);
/* A signal that a timer sends arrived: a timer that fires once has expired. */
void model_timer_fired(struct model *m, struct proc *p, int signo, int64_t ts);
/* Writes handlers and timers that are not written yet; frees those of a process. */
void model_timer_flush(struct model *m, struct proc *p);
void model_timer_free(struct proc *p);

/* ---- Signals, from being sent to being taken (signal.c) ---- */

/* A thread came back from sigwait: the signal that was sent to it meanwhile was taken so. */
void model_signal_waited(
	struct model *m, struct thread *t, int64_t since, int64_t awaits, int64_t ts);
/* A process was killed by a signal. */
void model_signal_killed(struct model *m, struct proc *p, int signo, int64_t ts);
/* A process ended: what was pending stays untaken. */
void model_signal_exit(struct model *m, struct proc *p, int64_t ts);
void model_signal_flush(struct model *m, struct proc *p);
void model_signal_free(struct proc *p);

/* ---- Samples of what runs, and loops that only wait (sample.c) ---- */

/* A trylock of a thread returned. */
void model_spin_try(struct model *m, struct thread *t, const struct lock *lock, int64_t site,
	int result, int64_t ts);
/* The same of several tries with the same result. */
void model_spin_tries(struct model *m, struct thread *t, const struct lock *lock, int64_t site,
	int result, int64_t first, int64_t last, int64_t count);
/* The thread blocks; or has ended. */
void model_spin_end(struct model *m, struct thread *t);
void model_spin_done(struct model *m, struct thread *t);
void model_sample_flush(struct model *m, struct thread *t);

/* ---- Ranks of MPI jobs (mpi.c) ---- */

/* Returns the id of the communicator with this number, 0: nobody has told of it. */
int64_t model_mpi_comm_id(const struct model *m, uint64_t key);
/* A process tells of a communicator, whose members may have been told before. */
void model_mpi_comm_told(struct model *m, struct thread *t, const struct rec_MPI_COMM *rec);
void model_mpi_members_add(struct model *m, struct thread *t, const struct rec_MPI_MEMBERS *rec);
/* Counts a message, or a receive that is posted (enum mpi_event); of n its communicator, peer and tag count. */
void model_mpi_count(
	struct model *m, struct proc *p, const struct mpi_need *n, unsigned event, int64_t site);
/* The rank has made its collective call number seq on a communicator. */
void model_mpi_enter(
	struct model *m, struct proc *p, uint64_t comm, int64_t seq, const char *op, int64_t site);
/* Writes what has been counted since the last time. Only for a process that has struct mpi_rank. */
void model_mpi_flush(struct model *m, struct proc *p);
void model_mpi_rank_free(struct proc *p);
void model_mpi_done(struct model *m);
/* Returns the call that a thread is in, or was in last, made if there is none. */
struct mpi_call *model_mpi_call(struct thread *t);
void model_mpi_call_free(struct thread *t);
/* Returns what the wait in such a call is for, as a sentence without a subject; the caller frees it. */
char *model_mpi_detail(const struct model *m, const struct thread *t);
/* Writes what the wait of a thread needs; the wait has its row. */
void model_mpi_needs_write(struct model *m, const struct thread *t);
/* Writes the row of the call; the second only if it has none yet. */
void model_mpi_sync_write(struct model *m, struct thread *t, int64_t end, int64_t result);
void model_mpi_call_flush(struct model *m, struct thread *t);

/* Says whether a thread is in such a call. */
static inline bool model_mpi_inside(const struct thread *t)
{
	return t->mpi && t->mpi->open;
}

/* ---- Blocked threads (wait.c) ---- */

/* Begins a wait: what the thread waited for before is closed, or continues as this one. */
void model_wait_open(struct model *m, struct thread *t, int64_t ts);
/* Names the object of a wait; lock may be NULL. */
void model_wait_on_lock(
	struct model *m, struct thread *t, struct lock *lock, int reason, uint8_t mode);
void model_wait_on_pipe(struct wait *w, struct pipe *pipe);
/* Ends the wait of a thread, if there is one. waker: thread.id or STORE_NULL. */
void model_wait_close(struct model *m, struct thread *t, int64_t ts, int64_t waker);
/* Says whether those that want a lock of a language wake up now and then, see that it is not free, and go back to sleep. */
bool model_lock_is_polled(const struct lock *lock);

/* Goes on with a wait for a monitor that the thread left only to see whether it is free. */
void model_wait_resume(struct model *m, struct thread *t);
void model_wait_flush(struct model *m, struct thread *t);
void model_wait_free(struct thread *t);

/* ---- Waits with a time-out that begin again (repeat.c) ---- */

/* At the begin of a wait: goes on with the last one, if that ended by its time-out and this one is the same again. */
void model_wait_repeat(struct thread *t);

/* Says whether a wait has begun again so often that it is one wait. */
bool model_wait_repeats(const struct wait *w);

/* At the end of a wait: notes it if only time has ended it. */
void model_series_note(struct thread *t, int64_t ts, bool was_woken);

/* The thread has done something else: the next wait is a new one. lock: only if that was waited for; NULL: whatever it was. */
void model_series_end(struct thread *t, const struct lock *lock);

/* ---- Why a system call blocks (reason.c) ---- */

/* Returns the reason of a wait (enum wait_reason), as far as the call and its file tell. */
int model_reason(const struct thread *t, const struct rec_WAIT_BEGIN *rec);

/* Returns the end of a pipe to which splice or tee writes, or NULL. */
const struct pipe_end *model_spliced_to(const struct thread *t, const struct rec_WAIT_BEGIN *rec);

/* ---- Library calls in which threads wait (call.c) ---- */

/* Says whether a futex address lies in an object of this kind at that address. */
bool model_futex_inside(int kind, uint64_t object, uint64_t futex);
/* Names the wait by the library call that the thread is in; false: it is in none that fits. */
bool model_wait_by_call(struct model *m, struct thread *t);
/* The library says that the thread waits in a call that began before or after the kernel's record. */
void model_wait_call(struct model *m, struct thread *t);
/* The library's call is over. */
void model_wait_called(struct model *m, struct thread *t, int64_t ts);
/* Writes the row of a call; result and value may be STORE_NULL, and end: it is not over. */
void model_call_write(
	struct model *m, struct thread *t, int64_t end, int64_t result, int64_t value);
/* Empties the call of a thread. */
void model_call_close(struct model *m, struct thread *t);
/* A library call that will never return: its row, if there is to be one, gets no end. */
void model_call_end(struct model *m, struct thread *t);
void model_call_flush(struct model *m, struct thread *t);

/* ---- The end of threads and processes; what is written and freed when (life.c) ---- */

/* A thread has ended. Likewise a process, with all its threads; status as wait(2) gives it, or -1. */
void model_thread_end(struct model *m, struct thread *t, int64_t ts);
/* The birth of a thread has been told. */
void model_thread_born(struct model *m, struct thread *t);
void model_proc_end(struct model *m, struct proc *p, int64_t ts, int status);
/* Writes the rows that several short events share, if they were begun some time ago, or all. */
void model_folds_flush(struct model *m, bool all);
/* Writes and frees what ended long enough ago; all: at once. */
void model_retire(struct model *m, bool all);
/* Writes all that has changed, with a NULL end where it continues. */
void model_flush_all(struct model *m);
/* Frees all processes and threads; all locks: writes nothing. */
void model_process_done(struct model *m);
void model_lock_done(struct model *m);

/* ---- Handlers of records, each in the file of its topic ---- */

#define NUM(name, meaning)
#define TEXT(name, size, meaning)
#define EVENT(NAME, name, number, meaning, fields)                                                 \
	void model_##name(struct model *m, const struct rec_##NAME *rec);
#include "schema/events.def"
#undef EVENT
#undef NUM
#undef TEXT

#endif
