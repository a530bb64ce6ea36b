/* model_state.h - what the model knows while it records; for the model's own files. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_STATE_H
#define TRACER_MODEL_STATE_H

#include "base/buf.h"
#include "base/hash.h"
#include "schema/record.h"
#include "tracer/model.h"
#include "tracer/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The life of an entity (process, thread, pipe, lock): made when it is first
 * heard of, completed when the record that tells its birth arrives (clocks of
 * two sources may differ by microseconds, so that can be later), marked ended,
 * kept for GRACE_NS for records that are late, then written and freed. Whatever
 * changed since it was last written is dirty and is written at the next flush.
 *
 * All times are nanoseconds since the start of the trace.
 */
#define GRACE_NS 50000000LL

/* How many ended processes are kept because nobody has reaped them yet. */
enum { MAX_ZOMBIES = 4096 };

/* Locks that a thread holds beyond this are not looked at for the order of locks. */
enum { MAX_NESTING = 16 };

struct lock;
struct proc;

/* One lock that a thread has. */
struct hold {
	struct lock *lock;
	int64_t request, acquire; /* request STORE_NULL: got it at once */
	int64_t site;             /* STORE_NULL: not known */
	int64_t row;              /* id in lock_hold, 0: not written yet */
	uint64_t file;            /* file lock: the open file description */
	uint32_t depth;
	uint8_t mode; /* enum lock_mode */
};

/* A lock whose holder cannot give it back: its thread has ended, or is the parent's thread after a fork. */
struct abandoned {
	struct abandoned *next, **link; /* of the model's list */
	struct hold hold;
	int64_t thread_id, process_id;
	bool forked; /* the copy in a child of what another thread held */
};

/* A blocked thread. */
struct wait {
	bool open;
	bool library; /* known from the library's records alone */
	bool dirty;   /* the row, if written, is out of date */
	bool timed;
	int64_t row; /* id in wait, 0: not written yet */
	int64_t start;
	int64_t user; /* since when the library's call lasts, STORE_NULL */
	int64_t site;
	int reason;   /* enum wait_reason */
	long syscall; /* -1: none */
	struct lock *lock;
	struct pipe *pipe;
	int64_t target_process, target_thread, target_pgid;
	int64_t sigmask;
	uint64_t futex; /* address of the futex, 0: none */
	uint64_t ip;
	bool owner_inferred; /* target_thread was read from the lock's memory */
	uint8_t mode;        /* enum lock_mode, or END_READ, END_WRITE of a pipe */
	uint8_t side;
	struct rec_poll_item *items; /* the set, owned */
	unsigned n_items;
	char *detail;
};

/* A library call that may block and has not returned. */
struct call {
	bool open;
	bool is_lock; /* LOCK_REQUEST, else SYNC_BEGIN */
	bool timed;
	uint8_t mode;
	uint8_t op; /* enum sync_op */
	int64_t start, site;
	int64_t row;    /* id in sync, 0: not written yet */
	int64_t target; /* join: thread.id, STORE_NULL */
	uint64_t addr, mutex_addr;
	uint32_t depth; /* condition: how often the mutex was held */
	struct lock *lock, *mutex;
};

/* A wait for a lock that ended without anybody's doing: the row, and the call in which it was. */
struct broken {
	int64_t row, start, end, call;
};

/* What MORE records brought for the next record of a thread. */
struct more {
	struct buf argv, data, poll, path;
	bool cut;
};

/* Time that a thread spent in locks within one bucket. */
struct bucket {
	int64_t number, hold_ns, wait_ns, holds;
	bool dirty;
	bool written;
};

struct lane {
	struct bucket *buckets; /* by number */
	size_t n, cap;
	int64_t hold_start; /* since when any lock is held, counted from the last that was added */
};

struct edge;
struct sigrow;
struct handler;
struct timer;

struct thread {
	struct thread *next, **link;             /* all threads */
	struct thread *peer, **peer_link;        /* threads of the process */
	struct thread *ended_next, **ended_link; /* those that wait for the end of their grace */
	struct proc *proc;
	int64_t id, creator_id, start, end; /* end STORE_NULL: runs */
	int64_t entry_site;
	int64_t torn; /* 1: ended by others, 0: by itself, STORE_NULL */
	bool exiting; /* it has called exit */
	uint64_t tid_addr;
	uint32_t tid, ns_tid;
	char name[17];
	bool is_main, lazy, dirty, written, queued;
	struct more *more;
	struct wait wait;
	struct broken broken; /* row 0: none */
	struct pipe *opening; /* FIFO that it waited to open, until its end is known */
	struct call call;
	struct below { /* calls that others were made on top of: in an initialiser, in a signal handler */
		int64_t row; /* id in sync, 0: none */
		uint64_t addr;
		uint8_t op;
	} below[4];
	unsigned n_below; /* ever put there */
	struct hold *held;
	size_t n_held, cap_held;
	int64_t waited;     /* id of the lock that it was blocked for last, 0 since it got it */
	int64_t last_child; /* the last process that it made, STORE_NULL */
	struct lane lane;
	struct hash edges;   /* struct edge */
	struct hash touched; /* ids of locks that it took */
	struct spin *spin;   /* NULL: never sampled */
	struct {             /* a run of samples */
		uint64_t low, high;
		int64_t first, last, cpu;
	} sample;
};

/* A descriptor of a pipe in a process. */
struct end {
	int64_t id, open_ns;
	struct pipe *pipe;
	uint64_t file;
	int fd;
	uint8_t mode, side, via;
	bool cloexec, written;
	bool confirmed; /* the probe has seen it after the fork or exec */
	bool kept;      /* the probe has seen it in the exec that is being told */
};

struct proc {
	struct proc *next, **link;
	struct proc *ended_next; /* in the queue of the ended, then in that of the zombies */
	struct proc *
		files; /* ring of processes that share the descriptors (CLONE_FILES); itself if alone */
	struct proc *vm;   /* whose memory it uses: itself, or the parent until exec after vfork */
	unsigned vm_users; /* how many others use its memory */
	struct thread *threads;
	struct thread *main;
	int64_t id, parent_id, creator_id, start, end, reaped_ns, reaper_id;
	uint32_t origin_pid;
	unsigned n_shared; /* how many of its locks are shared */
	int64_t origin_id; /* process whose memory was copied by fork */
	int64_t forked_ns;
	uint32_t pid, ns_pid, ppid;
	int status;   /* as wait(2) gives it, -1: not known */
	int autoreap; /* -1: not known */
	char name[17];
	char *exe, *command;
	const char *created_by;
	bool lazy, dirty, written, secure, ended, reaped, slim, found;
	bool reopens;      /* it may open pipes of others through /proc */
	int64_t memory_id; /* process in whose memory it runs, also when that one has ended */
	bool compat;       /* it makes 32-bit system calls */
	bool uses_files;   /* it has held or wanted file locks */
	bool unconfirmed;  /* some of its ends were inherited by the model's own reckoning */
	int lock_source;
	int64_t image;     /* of the program: sites are cached by it */
	int64_t mapped_ns; /* when /proc/PID/maps was read last, STORE_NULL: never */
	struct hash ends;  /* by descriptor */
	struct hash locks; /* by address */
	struct sigrow *pending, **pending_end;
	size_t n_pending;
	struct handler **handlers; /* 65, or NULL: all default */
	struct timer *timers;
};

struct pipe {
	struct pipe *next, **link;
	struct pipe *ended_next;
	int64_t id, created, creator_id;
	uint64_t dev, inode, inode2;
	char *path;
	char reader[17], writer[17];
	int kind;
	unsigned outside, ends;
	unsigned waits; /* that point here */
	bool dirty, written, queued;
	int64_t closed_ns; /* when its last end was closed */
	unsigned sent;     /* descriptors under way in messages */
	int64_t sent_ns;   /* since when */
	unsigned received; /* descriptors that came before the word of their being sent */
	int64_t received_ns;
};

/* What a lock's contention is counted in: the table lock_stat. */
struct lock_stat {
	int64_t holds, contended, wait_ns, max_wait_ns, hold_ns, max_hold_ns, max_hold_site;
	int64_t threads, posts, foreign_posts, takes, cycles, last_taker, value;
};

struct lock {
	struct lock *next, **link; /* all locks */
	struct lock *dirty_next;
	int64_t id, process_id, address, init_site, origin_id, created, destroyed, initial;
	uint64_t dev, inode, offset;
	uint64_t len;         /* file lock: bytes, 0: to the end */
	struct proc *proc;    /* in whose memory it is, NULL: shared, or gone */
	struct thread *owner; /* of an exclusive hold */
	int64_t last_thread;  /* that took it */
	int64_t runner;       /* once: thread inside the initialiser, STORE_NULL */
	char *name;
	uint64_t inferred; /* number of the flush that wrote its inferred owner */
	unsigned type;
	unsigned abandoned; /* holds that nobody can end */
	uint8_t kind, class;
	bool pshared, outside, from_birth, dirty, queued, written, stat_dirty, stat_written, dead;
	bool wanted;      /* somebody was blocked for it */
	unsigned waiting; /* condition: threads inside the wait */
	unsigned refs;    /* holds, abandoned holds, waits and calls that point here */
	struct lock_stat stat;
	int64_t waited_ns;      /* when a thread that was blocked on it went on last */
	struct user *user_list; /* shared: the processes that can reach it */
};

/* The ids that are given next. */
struct ids {
	int64_t process, thread, pipe, pipe_end, lock, site, signal, handler, timer, image;
};

struct site_cache;

struct model {
	struct store *store;
	struct model_config config;
	struct ids ids;
	struct hash procs;   /* by pid: the newest */
	struct hash threads; /* by tid: the newest */
	struct hash pipes;   /* by device and inode */
	struct hash shared;  /* shared locks, by what they are mapped from; file locks */
	struct proc *all_procs;
	struct thread *all_threads;
	struct pipe *all_pipes;
	struct lock *all_locks, *dirty_locks;
	struct abandoned *abandoned;
	size_t n_abandoned;
	uint64_t flushes;
	bool has_open; /* lock_open has rows */
	struct thread *ended_threads, **ended_threads_end;
	struct proc *ended_procs, **ended_procs_end;
	struct proc *zombies, **zombies_end;
	size_t n_zombies;
	struct pipe *ended_pipes, **ended_pipes_end;
	struct site_cache *sites;
	struct thread *last_thread; /* of the last record */
	int64_t now;                /* newest time that was seen */
	int64_t now_ended;          /* when the queues of ended entities were looked at last */
	unsigned lane_shift;        /* a bucket is 1 << lane_shift nanoseconds */
	bool has_lanes;             /* lane has rows */
	bool kernel_waits;          /* waits come from the kernel, not from the library alone */
	bool confirms;              /* the source tells the ends of a new process */
	struct buf blind;           /* sentences for trace.blind_spots that are not written yet */
	unsigned n_named;           /* processes in it */
	uint64_t skipped;
	struct hash programs; /* files of which it is known whether they name /proc/PID/fd */
	struct hash losses;   /* struct loss by source and kind */
	int64_t lost;
};

/* ---- model.c ---- */

/* Counts a record that is malformed or contradicts what is known. */
void model_skip(struct model *m);

/* Converts the time of a record. */
static inline int64_t model_time(const struct model *m, uint64_t ts)
{
	return (int64_t)(ts - m->config.t0);
}

/* ---- model_process.c, model_exec.c ---- */

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

/* ---- model_pipe.c, model_end.c, model_io.c ---- */

/* Finds the pipe of a new end, or makes it known; *ret_side is the side of the socket. */
struct pipe *model_pipe_of(
	struct model *m, struct thread *t, const struct rec_END_OPEN *rec, uint8_t *ret_side);
/* A pipe has one end less. */
void model_pipe_leave(struct model *m, struct pipe *pipe, int64_t ts);
/* Makes a descriptor of a pipe. */
struct end *model_end_new(struct model *m, struct proc *p, struct pipe *pipe, uint64_t fd,
	unsigned mode, int64_t ts, int via);
void model_ends_flush(struct model *m);

void model_end_open(struct model *m, const struct rec_END_OPEN *rec);
void model_end_close(struct model *m, const struct rec_END_CLOSE *rec);
void model_pipe_io(struct model *m, const struct rec_PIPE_IO *rec);
/* A descriptor of a pipe was put into a message on a socket; or came out of one. */
void model_pipe_sent(struct pipe *pipe, int64_t ts);
void model_pipe_received(struct pipe *pipe, int64_t ts);
void model_outside(struct model *m, const struct rec_OUTSIDE *rec);

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

/* ---- model_signal.c, model_timer.c ---- */

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

/* ---- model_wait.c, model_futex.c ---- */

void model_wait_begin(struct model *m, const struct rec_WAIT_BEGIN *rec);
void model_wait_end(struct model *m, const struct rec_WAIT_END *rec);
void model_wait_site(struct model *m, const struct rec_WAIT_SITE *rec);
void model_exiting(struct model *m, const struct rec_EXITING *rec);
void model_filtered(struct model *m, const struct rec_FILTERED *rec);
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
/* Returns the reason of a wait (enum wait_reason), as far as the call and its file tell (model_reason.c). */
int model_reason(const struct thread *t, const struct rec_WAIT_BEGIN *rec);
/* Names the object of a wait. */
void model_wait_on_lock(
	struct model *m, struct thread *t, struct lock *lock, int reason, uint8_t mode);
/* Names the wait by the library call that the thread is in; false: it is in none that fits. */
bool model_wait_by_call(struct model *m, struct thread *t);
/* Finds out which object a futex belongs to. */
void model_futex(struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec);
/* Begins a wait: what the thread waited for before is closed, or goes on as this one. */
void model_wait_open(struct model *m, struct thread *t, int64_t ts);
/* Says whether a futex address lies in an object of this kind at that address. */
bool model_futex_inside(int kind, uint64_t object, uint64_t futex);

/* ---- model_lock.c, model_hold.c, model_sync.c, model_file_lock.c ---- */

void model_lock_init(struct model *m, const struct rec_LOCK_INIT *rec);
void model_lock_destroy(struct model *m, const struct rec_LOCK_DESTROY *rec);
void model_lock_request(struct model *m, const struct rec_LOCK_REQUEST *rec);
void model_lock_acquire(struct model *m, const struct rec_LOCK_ACQUIRE *rec);
void model_lock_release(struct model *m, const struct rec_LOCK_RELEASE *rec);
void model_sync_begin(struct model *m, const struct rec_SYNC_BEGIN *rec);
void model_sync_end(struct model *m, const struct rec_SYNC_END *rec);
void model_file_lock(struct model *m, const struct rec_FILE_LOCK *rec);
void model_shared_map(struct model *m, const struct rec_SHARED_MAP *rec);

/* Returns the object at an address of a process, made if it is not known. kind 0: any. */
struct lock *model_lock_at(struct model *m, struct proc *p, uint64_t addr, int kind, unsigned type);
/* Returns the object at an address, or NULL. */
struct lock *model_find_lock(const struct proc *p, uint64_t addr);
/* Returns the shared object that is mapped from there, made if it is not known. */
struct lock *model_lock_shared(
	struct model *m, struct proc *p, uint64_t dev, uint64_t inode, uint64_t offset, int kind);
/* A hold, wait or call lets go of a lock. */
void model_lock_unref(struct model *m, struct lock *lock);
/* A thread was blocked for a lock. */
void model_stat_waited(
	struct model *m, struct thread *t, struct lock *lock, int64_t start, int64_t end);
/* Marks that the row of a lock is out of date. */
void model_lock_touch(struct model *m, struct lock *lock);
/* A process can reach a shared lock. */
void model_lock_user(struct model *m, struct lock *lock, struct proc *p, int64_t ts);
/* A process shares the open file description through which a thread has a file lock. */
void model_lock_share(
	struct model *m, struct lock *lock, struct proc *p, int64_t taker_id, int64_t ts);
/* It does not any more. */
void model_lock_unshare(struct model *m, struct lock *lock, const struct proc *p, int64_t ts);
/* The taker has the lock no more: nobody does, or those who shared it do so with heir. */
void model_lock_share_end(
	struct model *m, struct lock *lock, int64_t taker_id, struct thread *heir, int64_t ts);
/* Says whether a process shares the description of a taker. */
bool model_lock_is_shared(const struct lock *lock, const struct proc *p, int64_t taker_id);
/* Yields those who share a taker's description, *pos beginning with 0; false: no more. */
bool model_lock_next_share(
	const struct lock *lock, int64_t taker_id, size_t *pos, int64_t *ret_process);

/* The memory of a lock is gone or is another object's: it is freed when nothing points to it. */
void model_lock_kill(struct model *m, struct lock *lock);
/* A lock of a process that is found under an address. */
struct lock *model_lock_private(
	struct model *m, struct proc *vm, uint64_t addr, int kind, unsigned type);
/* Frees the list of those who can reach a lock. */
void model_lock_users_free(struct lock *lock);
/* Makes a lock; p NULL: shared. */
struct lock *model_lock_new(
	struct model *m, struct proc *p, uint64_t addr, int kind, unsigned type);
void model_lock_leave(struct model *m, struct lock *lock, const struct proc *p, int64_t ts);
/*
 * The wait of a thread is over. Where nobody tells of releases: the owner of a
 * mutex would have woken the only thread that is blocked on it; if another did,
 * it released what it had not taken, and that is counted.
 */
void model_stat_foreign(struct model *m, struct thread *t, const struct thread *waker, int64_t ts);
/* Marks that the sums of a lock are out of date. */
void model_stat_touch(struct model *m, struct lock *lock);
void model_stat_write(struct model *m, struct lock *lock);

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

/* The child of a fork has copies of its parent's locks. */
void model_locks_fork(struct model *m, struct proc *child, struct proc *parent,
	struct thread *forker, int64_t ts);
/* The memory of a process is gone (exec or exit): so are its private locks. */
void model_locks_forget(struct model *m, struct proc *p, int64_t ts);
/* Children share the description of a flock; it goes with the last process that does. */
void model_file_locks_fork(
	struct model *m, struct proc *child, const struct proc *parent, int64_t ts);
void model_file_locks_exit(struct model *m, struct thread *t, int64_t ts);
/* A process execs: it shares no longer what was closed by that. */
void model_file_locks_exec(struct model *m, struct proc *p, int64_t ts);
void model_file_users_exit(struct model *m, const struct proc *p, int64_t ts);
uint8_t model_file_lock_mode(const struct rec_WAIT_BEGIN *rec);
struct lock *model_file_lock_wanted(
	struct model *m, struct thread *t, const struct rec_WAIT_BEGIN *rec);
void model_lock_flush(struct model *m);
void model_lock_done(struct model *m);

/* ---- model_edge.c, model_stat.c ---- */

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

/* ---- model_site.c ---- */

/* Returns the id of the site of a code address, STORE_NULL for address 0. is_return: it is a return address. */
int64_t model_site(struct model *m, struct proc *p, uint64_t addr, bool is_return);
/* Returns the site of an address unless that lies in a library: STORE_NULL. */
int64_t model_own_site(struct model *m, struct proc *p, uint64_t addr);
/* Returns the name of a variable, which the caller frees, or NULL. */
char *model_variable(struct model *m, struct proc *p, uint64_t addr);
/* Sees to it that the mappings of a process have been read once while it lives. */
void model_map(struct model *m, struct proc *p);
void model_module(struct model *m, const struct rec_MODULE *rec);
void model_sites_fork(struct model *m, struct proc *child, struct proc *parent);
void model_sites_exec(struct model *m, struct proc *p);
void model_sites_done(struct model *m);

/* ---- model_misc.c ---- */

void model_sched(struct model *m, const struct rec_SCHED *rec);
void model_sample(struct model *m, const struct rec_SAMPLE *rec);
void model_sample_flush(struct model *m, struct thread *t);

/* ---- model_spin.c ---- */

/* A sample of a thread that runs. */
void model_spin_sample(struct model *m, struct thread *t, const struct rec_SAMPLE *rec);
/* A trylock of it returned. */
void model_spin_try(struct model *m, struct thread *t, const struct lock *lock, int64_t site,
	int result, int64_t ts);
/* The thread blocks. */
void model_spin_end(struct model *m, struct thread *t);
/* The thread has ended. */
void model_spin_done(struct model *m, struct thread *t);
void model_stdio(struct model *m, const struct rec_STDIO *rec);

#endif
