/* state.h - what the model knows while it records; for the model's own files. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_STATE_H
#define TRACER_MODEL_STATE_H

#include "base/buf.h"
#include "base/hash.h"
#include "schema/names.h"
#include "schema/record.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"

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

/* How many threads that ended before their birth was told are kept for it. */
enum { MAX_UNBORN = 1024 };

/* Locks that a thread holds beyond this are not looked at for the order of locks. */
enum { MAX_NESTING = 16 };

struct lock;
struct proc;

/* One lock that a thread has. */
struct hold {
	struct lock *lock;
	int64_t request, acquire; /* request STORE_NULL: got it at once */
	int64_t site;             /* STORE_NULL: not known */
	int64_t stack;            /* in frame; 0: none was told */
	int64_t row;              /* id in lock_hold, 0: not written yet */
	uint64_t file;            /* file lock: the open file description */
	uint32_t depth;
	uint8_t mode; /* enum lock_mode */
	bool handed;  /* file lock: another process has taken it */
};

/* The callers of lock calls, as the preload library told them once. */
struct lock_stack {
	struct lock_stack *next; /* of all that the model has */
	int64_t id;              /* in frame */
	int64_t site;            /* the innermost of the program's own code */
	uint64_t innermost;      /* return address of the lock call */
};

/* A lock whose holder cannot release it: its thread has ended, or is the parent's thread after a fork. */
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
	bool is_private; /* queue or semaphore: without a key or name */
	bool continues;  /* stopped: by a signal, so that SIGCONT ends it */
	int64_t row;     /* id in wait, 0: not written yet */
	int64_t start;
	int64_t begun;   /* this round of it, if the thread left it and came back */
	uint32_t rounds; /* how often it began again after its time-out */
	uint64_t key;    /* what it is for, and what is held meanwhile; 0: no time-out */
	int64_t user;    /* since when the library's call lasts, STORE_NULL */
	int64_t site;
	int64_t stack; /* in frame; STORE_NULL: none was taken */
	int64_t read;  /* when the language's runtime said what it is for; STORE_NULL: it did not */
	int n_frames;  /* of it */
	bool has_runtime; /* it is the stack of the language, not of the machine */
	uint64_t framed;  /* stamp of the records that told it so */
	int reason;       /* enum wait_reason */
	long syscall;     /* -1: none */
	struct lock *lock;
	struct pipe *pipe;
	int64_t target_process, target_thread, target_pgid;
	int64_t sigmask, awaits;
	uint64_t futex; /* address of the futex, 0: none */
	uint64_t ip;
	bool owner_inferred; /* target_thread was read from the lock's memory */
	uint8_t mode;        /* enum lock_mode, or END_READ, END_WRITE of a pipe */
	uint8_t side;
	struct rec_poll_item *items; /* the set, owned */
	unsigned n_items;
	char *detail;
};

/* A lock that a thread asks for again and again (polled.c). */
struct polled {
	struct lock *lock; /* refused again and again; a reference of its own. NULL: none */
	int64_t first, last;
	unsigned n;
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

/* What a call of MPI needs. */
struct mpi_need {
	unsigned role, op; /* enum mpi_role, enum mpi_op of what began it */
	uint64_t comm;     /* its number, 0: not known */
	int64_t peer, tag, seq;
};

/* A call of MPI, and what is told before the next one. */
struct mpi_call {
	bool open, any;
	unsigned op; /* enum mpi_op */
	int64_t row; /* id in sync, 0: not written yet */
	int64_t start, site;
	struct mpi_need first; /* as the call itself says: for its row */
	struct mpi_need *needs;
	size_t n_needs, cap_needs;
	struct buf members; /* of the communicator that is told next */
};

/* A wait for a lock, or a monitor, that ended without anybody's doing: the row, and the call in which it was. */
struct broken {
	int64_t row, start, end, call;
	/* Of a monitor of a language's runtime: what the runtime had said; monitor 0: it is none. */
	uint64_t monitor, futex;
	int64_t owner, read, site, stack;
};

/* Place in the list of threads that have rows for several events which are not written yet (folding.c); link NULL: in none. */
struct folding {
	struct thread *next, **link;
};

/* How many of a thread's short events may still have rows of their own (folding.c). */
struct singles {
	int64_t window; /* of the last one */
	unsigned left;
	bool begun;
};

/* A wait with a time-out that ended by it; row 0: none (repeat.c). */
struct series {
	int64_t row, start, begun, end;
	uint64_t key;
	int64_t lock; /* its id, 0: none */
	uint32_t rounds;
};

/* What MORE records carried for the next record of a thread. */
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
struct folds;
struct io_folds;
struct mpi_rank;
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
	int64_t by_other; /* 1: it was ended by another thread or a signal, 0: by itself, STORE_NULL */
	bool exiting;     /* it has called exit */
	uint64_t tid_addr;
	uint32_t tid, ns_tid;
	char name[17];
	char *runtime_name; /* in its language; NULL: none */
	bool is_main, dirty, written;
	bool is_housekeeping; /* it serves the language's runtime */
	bool is_mpi;          /* it serves an MPI library */
	bool is_early;        /* a record of it came before that of its birth */
	bool is_unborn; /* ended, its grace is over, and it is kept for the record of its birth */
	struct more *more;
	struct wait wait;
	struct broken broken; /* row 0: none */
	struct series series;
	struct pipe *opening; /* FIFO that it waited to open, until its end is known */
	struct call call;
	struct mpi_call *mpi; /* NULL: it has made none */
	struct polled polled;
	struct below { /* calls that others were made on top of: in an initialiser, in a signal handler */
		int64_t row; /* id in sync, 0: none */
		uint64_t addr;
		uint8_t op;
	} below[4];
	unsigned n_below;                    /* ever put there */
	const struct lock_stack *lock_stack; /* with which it takes locks now, NULL: not known */
	struct hold *held;
	size_t n_held, cap_held;
	int64_t waited;     /* id of the lock that it was blocked for last, 0 since it got it */
	int64_t last_child; /* the last process that it made, STORE_NULL */
	struct lane lane;
	struct folding folding;
	struct folds *folds;       /* NULL: it has taken no lock for a short time */
	struct io_folds *io_folds; /* NULL: it has neither read nor written */
	struct hash edges;         /* struct edge */
	struct hash touched;       /* ids of locks that it took */
	struct spin *spin;         /* NULL: never sampled */
	struct {                   /* a run of samples */
		uint64_t low, high;
		int64_t first, last, cpu;
	} sample;
};

/* A descriptor of a pipe in a process. */
struct pipe_end {
	int64_t id, open_ns;
	struct pipe *pipe;
	uint64_t file;
	int fd;
	uint8_t mode, side, via;
	bool cloexec, written;
	bool confirmed; /* the probe has seen it after the fork or exec */
	bool kept;      /* the probe has seen it in the exec that is under way */
};

/* Whose code makes a futex call: that decides what lies around the word. */
enum futex_maker {
	FUTEX_OF_GLIBC, /* or not known */
	FUTEX_OF_MUSL,
	FUTEX_OF_PROGRAM, /* itself: its locks' words can look like anything */
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
	const char *language; /* static; NULL: none was read */
	char *program;        /* what the language runs; NULL: not known */
	bool program_by_call; /* its arguments name that */
	char *arg0;    /* the first argument of its program as it was executed; NULL: not known */
	char *title;   /* what it calls itself now; NULL: nothing */
	char *mpi_job; /* NULL: it is no rank of one */
	int64_t mpi_rank, mpi_size, mpi_end;
	struct mpi_rank *mpi; /* its messages; NULL: none */
	const char *created_by;
	bool dirty, written, secure, ended, reaped, found;
	bool is_early;     /* a record of it came before that of its birth */
	bool retired;      /* its grace is over: what only a living process needs is freed */
	unsigned reopens;  /* how it may come to pipes of others: REOPENS_... */
	bool uring;        /* it has an io_uring */
	bool left_out;     /* no detail of it is kept */
	bool has_reaped;   /* children, before the recording began */
	bool raw_calls;    /* it makes system calls past the C library */
	unsigned cancels;  /* how one of its threads may end the wait of another: CANCELS_... */
	enum hooks hooks;  /* whether its language's runtime knows what is to be done at its end */
	int64_t memory_id; /* process in whose memory it runs, also when that one has ended */
	bool compat;       /* it makes 32-bit system calls */
	bool uses_files;   /* it has held or wanted file locks */
	bool unconfirmed;  /* some of its ends were inherited by the model's own assumption */
	int lock_source;
	int64_t image;     /* of the program: sites are cached by it */
	int64_t mapped_ns; /* when /proc/PID/maps was read last, STORE_NULL: never */
	uint64_t
		futex_ip; /* where it was asked last whose code calls, with the image and the answer */
	int64_t futex_image;
	enum futex_maker futex_maker;
	struct hash ends;  /* by descriptor */
	struct hash locks; /* by address */
	int fatal_signo;   /* signal that it took by default last, 0: none */
	uint64_t acted;    /* bit signo-1: pptrace itself has sent it that signal */
	struct sigrow *pending, **pending_end;
	size_t n_pending;
	struct handler **handlers; /* 65, or NULL: all default */
	struct timer *timers;
	size_t n_handlers, n_timers; /* that are over, and have a row */
};

struct pipe {
	struct pipe *next, **link;
	struct pipe *ended_next;
	int64_t id, created, creator_id;
	uint64_t dev, inode, inode2;
	uint64_t key; /* tcp: what both sides have in common; listen: of its name; 0: not known */
	char *path;
	char *local, *remote; /* socket: addresses of side 0 and of side 1 */
	int64_t listener_id; /* pipe.id of the listening socket that it was connected to, STORE_NULL */
	char reader[64], writer[64]; /* the first who did */
	int kind;
	int via;      /* socket: how side 0 came about (enum end_via) */
	int given;    /* descriptor at which the command was given it; -1: it was not */
	bool unnamed; /* FIFO: its name is gone */
	bool ambiguous; /* socket: others look the same, so that it is not known whose side is whose */
	unsigned outside, ends;
	unsigned waits; /* that point here */
	bool dirty, written;
	bool in_ended;     /* it stands in the queue of the ended */
	int64_t closed_ns; /* when its last end was closed */
	unsigned sent;     /* descriptors under way in messages */
	int64_t sent_ns;   /* since when */
	unsigned received; /* descriptors that came before the record of their being sent */
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
	uint64_t dev, inode, offset; /* shared, or of a file; dev 0: not known */
	uint64_t len;                /* file lock: bytes, 0: to the end */
	struct proc *proc;           /* in whose memory it is, NULL: shared, or gone */
	struct thread *owner;        /* of an exclusive hold */
	int64_t last_thread;         /* that took it */
	int64_t runner;              /* once: thread inside the initialiser, STORE_NULL */
	char *name;
	char *runtime_type; /* in its language; NULL: not read */
	uint64_t inferred;  /* number of the flush that wrote its inferred owner */
	unsigned type;
	unsigned abandoned; /* holds that nobody can end */
	uint8_t kind, class;
	int64_t mappers_ns; /* when it was asked who maps it */
	bool pshared, outside, from_birth, dirty, written, stat_dirty, stat_written, dead;
	bool in_dirty;         /* it stands in the list of those to be written */
	bool wanted;           /* somebody was blocked for it */
	unsigned waiting;      /* condition: threads inside the wait */
	unsigned wanting;      /* requests and waits for it that are not over */
	uint32_t wanted_count; /* how many there have been; it may wrap */
	unsigned refs;         /* holds, abandoned holds, waits and calls that point here */
	struct lock_stat stat;
	int64_t waited_ns;      /* when a thread that was blocked on it went on last */
	struct user *user_list; /* shared: the processes that can reach it */
};

/* Where the ids of pipes begin that the command was given by who called pptrace: "pipe 1" is the first of its own. */
#define GIVEN_FIRST 1000000001

/* The ids that are given next. */
struct ids {
	int64_t process, thread, pipe, pipe_end, lock, site, signal, handler, timer, image, stack;
	int64_t given; /* pipes that the command was given: they do not count among its own */
	int64_t comm;  /* of MPI */
};

struct site_cache;

struct model {
	struct store *store;
	struct model_config config;
	struct ids ids;
	struct hash procs;   /* by pid: the newest */
	struct hash threads; /* by tid: the newest */
	struct hash pipes;  /* by device and inode; connections and listening sockets also by key */
	struct hash shared; /* shared locks, by what they are mapped from; file locks */
	struct proc *all_procs;
	struct thread *all_threads;
	struct pipe *all_pipes;
	struct lock *all_locks, *dirty_locks;
	struct abandoned *abandoned;
	size_t n_abandoned;
	struct thread
		*folding; /* those that have rows for several events which are not written yet */
	int64_t folded;   /* holds that share rows */
	uint64_t flushes;
	bool has_open; /* lock_open has rows */
	struct thread *ended_threads, **ended_threads_end;
	struct proc *ended_procs, **ended_procs_end;
	struct proc *zombies, **zombies_end;
	size_t n_zombies;
	size_t n_unborn;
	struct pipe *ended_pipes, **ended_pipes_end;
	struct site_cache *sites;
	struct thread *last_thread; /* of the last record */
	int64_t now;                /* newest time that was seen */
	int64_t now_ended;          /* when the queues of ended entities were looked at last */
	unsigned lane_shift;        /* a bucket is 1 << lane_shift nanoseconds */
	bool has_lanes;             /* lane has rows */
	size_t n_buckets;           /* of all lanes */
	size_t n_ended_buckets;     /* of them, those of threads that have ended: at most so many */
	size_t enough_buckets;      /* up to so many of all lanes are no reason to widen them */
	bool kernel_waits;          /* waits come from the kernel, not from the library alone */
	size_t n_unconfirmed;       /* processes whose ends have not been settled */
	bool confirms;              /* the source tells the ends of a new process */
	struct buf blind;           /* sentences for trace.blind_spots that are not written yet */
	unsigned n_named;           /* processes in it */
	uint64_t skipped;
	struct hash programs;    /* files of which it is known whether they name /proc/PID/fd */
	struct hash lock_stacks; /* by process and number: struct lock_stack of the list */
	struct lock_stack *stack_list;
	struct hash mpi_comms; /* by number */
	bool has_nameless_job; /* of MPI */
	struct hash losses;    /* struct loss by source and kind */
	int64_t losses_at;     /* when the counts of the sources were last looked at */
	int64_t n_gaps;
	int64_t lost;
};

/* Counts a record that is malformed or contradicts what is known. */
static inline void model_skip(struct model *m)
{
	m->skipped++;
}

/* Converts the time of a record. */
static inline int64_t model_time(const struct model *m, uint64_t ts)
{
	return (int64_t)(ts - m->config.t0);
}

#endif
