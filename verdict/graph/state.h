/* state.h - who is alive, who waits for what and who holds what, at one moment. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_GRAPH_STATE_H
#define VERDICT_GRAPH_STATE_H

#include "base/hash.h"
#include "schema/names.h"
#include "schema/waits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct sqlite3;
struct sqlite3_stmt;

/* The end of the trace, or its last commit, as a moment. */
#define STATE_END INT64_MAX

/* No index. */
#define STATE_NONE UINT32_MAX

/* One open wait of a thread, the innermost if a signal handler waits on top of another one. */
struct state_wait {
	int64_t id, start_ns, end_ns; /* end_ns INT64_MAX: never */
	enum wait_reason reason;
	int64_t lock_id, pipe_id, target_process_id, target_thread_id, target_pgid;
	int64_t site_id, stack_id;
	uint64_t sigmask; /* 0 where it is not known: then any signal may come */
	uint64_t
		awaits; /* signals that it takes as such (sigwait, signalfd); 0: none, or not known */
	bool repeats; /* it has a time-out, after which the thread began it again each time; timed is false then */
	bool timed, shared,
		exclusive; /* shared: asks for a read lock; exclusive: for a write lock; else not known */
	bool is_private; /* a queue or semaphore that nobody finds who was not given it */
	bool continues;  /* stopped by a signal: SIGCONT ends it */
	bool replaces;   /* asks for a file lock in place of the shared one that it has */
	int side;
	int64_t waker_id; /* who ended it */
	int64_t read_ns; /* when the language's runtime said what it is for; INT64_MIN: it did not */
};

struct state_thread {
	int64_t id, end_ns; /* end_ns INT64_MAX: never */
	uint32_t process;   /* index */
	uint32_t next;      /* next living thread of the process, or STATE_NONE */
	bool alive, waits, is_main;
	bool housekeeping; /* it serves the language's runtime: nothing that the program waits for comes from it */
	bool is_task;   /* the language's runtime alone knows it (a goroutine) */
	bool cut_short; /* it ended, later, by somebody else's doing */
	struct state_wait wait;
};

struct state_process {
	int64_t id, parent_id, end_ns; /* end_ns INT64_MAX: never */
	int64_t memory_id;             /* process in whose memory it runs: its own id, as a rule */
	uint32_t first;                /* first living thread, or STATE_NONE */
	uint32_t
		parent; /* index of the nearest living ancestor: it may reap this one; or STATE_NONE */
	uint32_t child,
		sibling; /* living children (and orphans below it), next of the same parent; or STATE_NONE */
	bool alive, has_zombie;   /* has_zombie: a child has ended and can be reaped */
	int64_t zombie_ns;        /* when the last of those ended */
	uint64_t caught, ignored; /* signals with a handler, ignored signals: bit signo - 1 */
	uint64_t
		orders; /* caught signals by which people tell a program what to do, if it asked for them */
	bool interrupts; /* a program of Ruby: any thread may end any other's wait */
	bool collects; /* a program of Go: the garbage collector may close files that nothing refers to any more */
	bool has_tasks; /* some of its threads are tasks, which its language runs on housekeeping ones */
	bool has_runtime;     /* some of its threads are housekeeping ones */
	uint64_t runtime;     /* signals that the program's language catches by itself */
	uint64_t own_signals; /* of those that are caught: whose handlers are not the program's */
	bool is_node;
	bool is_python;
	bool is_java; /* any thread may interrupt another's wait, if that heeds it */
	bool is_ash; /* a shell of ash's kind (dash, busybox): in sigsuspend it waits for its children */
	unsigned reopens; /* how it may come to files of others: REOPENS_... of schema/record.h */
	bool uring;       /* the kernel may read, write, close and wait in its place */
	unsigned
		cancels; /* how one of its threads may end the wait of another: CANCELS_... of schema/record.h */
	enum hooks hooks; /* whether it has told its language what is to be done at its end */
	bool alarm_kills; /* an armed timer, or a signal on its way, will kill it */
	int64_t stopped_ns; /* when a signal stopped it, where only the sender says so; 0: none did, or it was continued */
	bool alarm_rings; /* the signal of one will be caught */
	uint64_t rings;   /* caught signals that armed timers will send: bit signo - 1 */
	uint64_t sent; /* caught signals that were sent a moment ago: their handlers may run now */
	bool timer_calls; /* an armed timer will start a thread that runs a function of the program */
};

struct state_lock {
	int64_t id, process_id, initial, value, last_taker_id, cycles, foreign_posts;
	int64_t max_hold_ns; /* INT64_MAX: not known */
	int64_t mappers_ns;  /* shared: when it was asked who maps it; -1: never */
	enum lock_kind kind;
	bool pshared, robust, is_pi, reentrant, outside, from_birth, has_stat;
	bool is_pool; /* what a pool's worker waits for that has nothing to do, or a thread that joins itself to rest */
	bool is_work; /* what an idle service of a language may wait for: something in a queue, an event, a notification */
	bool is_result; /* of work that was given to others: a future */
	bool is_polled; /* Python's global lock: who has it is known for as long as the owner does not move */
	bool is_named;     /* semaphore: has a name by which others can open it */
	bool is_ownerless; /* a mutex of Go: the runtime does not note who locked it, which was concluded from the program's code */
	bool is_go;        /* of Go's runtime */
	bool is_never;     /* nobody can end a wait for it: an empty select, a nil channel */
	bool is_atomics;   /* a word of JavaScript's shared memory */
	bool is_recorded;  /* each time that it was taken and released is */
	int64_t holds;     /* how often it was taken; -1: not known */
	bool foreign; /* it, or another of its process, was released by a thread that did not hold it */
	bool is_given_back; /* somebody who had it was seen to wake one who waited for it */
	bool stale; /* what is known of its holder by looking into its memory is out of date */
	uint32_t first_holder, first_waiter; /* indexes, or STATE_NONE */
};

struct state_holder {
	int64_t thread_id, process_id, acquire_ns, site_id, stack_id;
	uint32_t lock, next; /* index of the lock; next holder of it */
	bool shared, inferred;
};

struct state_end {
	int64_t pipe_id, process_id;
	int side;
	bool reads, writes;
};

struct state_pipe {
	int64_t id;
	bool is_fifo; /* one that somebody else may open: it has a name */
	bool known_from_birth, is_two_sided, is_tcp, is_listener;
	bool is_connection;               /* of sockets, not made as a pair */
	bool read_outside, write_outside; /* connected sockets: of side 0, of side 1 */
	bool is_pty;       /* whoever has either side may write what the other reads */
	bool is_master[2]; /* of each side of a pseudo-terminal */
	bool is_to_itself; /* one socket that is connected to itself: what is written to it is read from it */
	bool is_unaccepted;  /* side 1 is still with the socket that listens */
	int64_t listener_id; /* that socket, 0: not known */
	bool under_way;      /* a descriptor of it is in a message that nobody has received */
	uint32_t first_end, n_ends; /* in state.ends */
};

struct state {
	struct sqlite3 *db;
	struct buf *why; /* of who loaded it: the first error */
	int64_t at_ns;   /* as asked */
	int64_t now_ns;  /* the moment itself, the end resolved */
	int64_t last_ns; /* how far the trace goes */
	int64_t cut_ns; /* what happened from then on follows from a signal that came from outside; INT64_MAX: none did */
	bool instant;      /* a snapshot: durations say nothing */
	bool flights_seen; /* whether bytes are under way in TCP connections, and who maps shared memory, is looked at elsewhere */
	bool lost;         /* records were lost that could change a verdict */
	bool timerfds_rest; /* none is armed in the whole trace, which knows of all */
	bool shares_memory; /* some process runs in the memory of another one */
	struct state_thread *threads;
	size_t n_threads, cap_threads;
	struct state_process *processes;
	size_t n_processes, cap_processes;
	struct state_lock *locks;
	size_t n_locks, cap_locks;
	struct state_holder *holders;
	size_t n_holders, cap_holders;
	struct state_pipe *pipes;
	size_t n_pipes, cap_pipes;
	struct state_end *ends;
	size_t n_ends, cap_ends;
	struct hash thread_by_id, process_by_id, lock_by_id, pipe_by_id; /* index + 1 */
};

/*
 * Reads the state at at_ns. Who held a lock then comes from lock_open for
 * STATE_END, and also if open_only: that is right for the moment before
 * somebody ended who never released anything again, and spares a walk through
 * lock_hold. Returns 0, or -EIO with a sentence in why. The caller frees with
 * state_done in either case.
 */
int state_load(
	struct state *st, struct sqlite3 *db, int64_t at_ns, bool open_only, struct buf *why);
void state_done(struct state *st);

/* Return the index of what has this id, or STATE_NONE: not there (any more), not known, or no id. */
uint32_t state_thread(const struct state *st, int64_t id);
uint32_t state_process(const struct state *st, int64_t id);
uint32_t state_lock(const struct state *st, int64_t id);
uint32_t state_pipe(const struct state *st, int64_t id);

/* Says whether a process (an index) is the parent of another one, or of one of its ancestors, as far as these live. */
bool state_is_ancestor(const struct state *st, uint32_t ancestor, uint32_t process);

/* Returns what a wait is for if it is a lock, else NULL. */
const struct state_lock *state_lock_of(const struct state *st, const struct state_wait *w);

/* Says whether a thread waits for connections: it accepts them, or polls a socket that listens. */
bool state_accepts(const struct state *st, const struct state_thread *t);

/* Says whether a lock (or NULL) is an object of a language's runtime, which that has named as what is waited for. */
bool state_is_of_runtime(const struct state_lock *l);

/* Says whether a thread is known to wait for a signal as such (sigwait, signalfd): one that comes ends its wait. */
bool state_awaits(const struct state_thread *t, int signo);

/* Says whether a process catches signo and the thread's wait lets it in. */
bool state_catches(const struct state *st, uint32_t thread, int signo);

/*
 * Says whether a process catches any signal that one of its threads lets in. SIGCHLD, those of
 * faults and the C library's own do not count.
 */
bool state_catches_any(const struct state *st, uint32_t process);

/* Says whether the program itself has a handler for a signal that a thread's wait lets in, those of faults and SIGCHLD left out. */
bool state_lets_in(const struct state *st, uint32_t thread);

/* Says whether a thread that waits for signals as such waits for certain ones (sigwait, signalfd), not for any that has a handler. */
bool state_is_for_some(const struct state *st, const struct state_thread *t);

/* Says whether the program itself, not only the runtime of its language, has a handler for such a signal. */
bool state_takes_signals(const struct state *st, uint32_t process);

/*
 * Says whether the program itself has a handler for a signal by which it is told to do something other than to end, and lets it
 * in. What handles all signals alike ends by them (a shell with a trap on EXIT).
 */
bool state_takes_requests(const struct state *st, uint32_t process);

/* The same for the one by which it is told to end (SIGTERM). */
bool state_ends_in_order(const struct state *st, uint32_t process);

/* Says whether this program (a path) is an interpreter of Python. */
bool state_is_python(const char *exe);

/*
 * Returns the signals that a program run by this interpreter (a path) catches without having asked to; hooks: whether it has
 * asked for any.
 */
uint64_t state_runtime_signals(const char *exe, enum hooks hooks);

/* Returns the socket with which the other side of a connection still is, if nobody has accepted that and it is known; or NULL. */
const struct state_pipe *state_listener_of(
	const struct state *st, const struct state_pipe *p, int side);

/* Says whether a process holds the end that a read from this side of a pipe, or (not read) a write to it, waits for. */
bool state_holds_other_end(const struct state *st, const struct state_pipe *p, int side, bool read,
	int64_t process_id);

/* Says whether a process (an index) has the end of a pipe that a thread waits for which reads that, or writes to it. */
bool state_has_other_end(const struct state *st, uint32_t thread, uint32_t process);

/* Says whether the process of a thread that reads a pipe, or writes to it, has the end itself that it waits for. */
bool state_has_own_end(const struct state *st, uint32_t thread);

/* Part of state_load: handlers, timers, signals on their way. */
int state_load_signals(struct state *st, struct buf *why);

/* The second half of state_load: the locks and pipes that open waits are about. */
int state_load_locks(struct state *st, bool open_only, struct buf *why);

/* Of these locks the holders; open_only: not those that released them later. */
int state_load_holders(struct state *st, bool open_only, struct buf *why);

int state_load_pipes(struct state *st, struct buf *why);

/* Begins a query for what is open at the moment: in sql, "@open" with columns start and end is put in as a condition. */
int state_query(struct state *st, const char *sql, const char *start, const char *end,
	struct sqlite3_stmt **ret, struct buf *why);

#endif
