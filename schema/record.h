/* record.h - records as probes write them and the tracer reads them. */
/* SPDX-License-Identifier: MIT */
/*
 * The contract. To be read in this order: record.h with events.def (records), record_dump.c (as text), names.c
 * (words for their numbers), waits.c, locks.c and calls.c (what is known of reasons, locks, system calls), then the file:
 * sql.c (the tables and views of the folder sql, embedded), version.c, db.c (opened) with guard.c (if it is hostile), query.c
 * (read), the folder queries (the prepared queries of pptrace query). arena.h is the memory that the preload library writes into,
 * probe_config.h what the eBPF programs are told.
 */
#ifndef SCHEMA_RECORD_H
#define SCHEMA_RECORD_H

/*
 * Expanded from events.def for BPF code, the shim and the tracer alike.
 * ts is CLOCK_MONOTONIC in nanoseconds; pid is the process (the kernel's tgid)
 * and tid the thread, both numbered by the PID namespace in which pptrace runs.
 */
#ifdef __bpf__
typedef unsigned char rec_u8;
typedef unsigned short rec_u16;
typedef unsigned int rec_u32;
typedef unsigned long long rec_u64;
#else
#include <stdint.h>
typedef uint8_t rec_u8;
typedef uint16_t rec_u16;
typedef uint32_t rec_u32;
typedef uint64_t rec_u64;
#endif

struct rec_head {
	rec_u16 kind;  /* enum rec_kind */
	rec_u16 size;  /* of the whole record in bytes, a multiple of 8 */
	rec_u32 flags; /* bits REC_CUT... */
	rec_u64 ts;
	rec_u32 pid;
	rec_u32 tid;
};

/*
 * Where dev and inode say which file it is, dev 0 is what says "none" or "not known": the kernel gives no
 * file system the number 0 (get_anon_bdev in fs/super.c), but the first System V segment of an IPC
 * namespace has the inode 0 (newseg in ipc/shm.c).
 */
#define REC_CUT 1u     /* a text of this record was longer than its field */
#define REC_UNREAD 2u  /* some memory of the target could not be read; the fields say 0 */
#define REC_SHIM 4u    /* came from the shim */
#define REC_SNAP 8u    /* state found by a snapshot, not an event */
#define REC_COMPAT 16u /* made in a 32-bit system call */
#define REC_INNER 32u  /* pid and tid are those of a nested PID namespace (FORK's child_ns_) */

/* From this tid on: no thread, but a task of a language's runtime that has none (a goroutine that waits). Linux has no such numbers. */
#define RUNTIME_TASK_FIRST (1u << 30)

/* In RUNTIME_WAIT, instead of a child: whichever ends first. */
#define RUNTIME_ANY_CHILD (-1)

enum rec_kind {
	REC_NONE = 0,
#define NUM(name, meaning)
#define TEXT(name, size, meaning)
#define EVENT(NAME, name, number, meaning, fields) REC_##NAME = number,
#include "schema/events.def"
#undef EVENT
	REC_KIND_END = 128 /* above every number, with some to spare */
};

#define EVENT(NAME, name, number, meaning, fields)                                                 \
	_Static_assert(number < REC_KIND_END, "REC_KIND_END is above every number");
#include "schema/events.def"
#undef EVENT
#undef NUM
#undef TEXT
#define NUM(name, meaning) rec_u64 name;
#define TEXT(name, size, meaning) char name[size];
#define EVENT(NAME, name, number, meaning, fields)                                                 \
	struct rec_##NAME {                                                                        \
		struct rec_head head;                                                              \
		fields                                                                             \
	};
#include "schema/events.def"
#undef EVENT
#undef NUM
#undef TEXT

/* MORE.what */
enum more_what { MORE_ARGV = 1, MORE_DATA = 2, MORE_POLL = 3, MORE_PATH = 4 };
#define MORE_CUT 1u

/* One descriptor of a poll, select or epoll set, packed into MORE_POLL data. */
struct rec_poll_item {
	rec_u32 fd;
	rec_u16 events;    /* POLLIN, POLLOUT... as poll(2) */
	rec_u16 file_kind; /* enum file_kind */
	rec_u32 dev;       /* as stat gives it */
	rec_u32 peer;      /* pidfd: the pid */
	rec_u64 inode; /* as END_OPEN; signalfd: the signals that it takes, bit signo-1, 0 not known */
	rec_u64 inode2; /* likewise */
};

enum pipe_kind {
	PIPE_PIPE = 1,
	PIPE_FIFO = 2,
	PIPE_SOCKETPAIR = 3,
	PIPE_UNIX = 4,   /* connected stream socket of AF_UNIX that came about by connect */
	PIPE_TCP = 5,    /* TCP connection */
	PIPE_LISTEN = 6, /* socket that listens: of one side */
	PIPE_PTY = 7     /* pseudo-terminal: only a snapshot knows which sides belong together */
};

/* Says whether what one side writes the other side reads. */
static inline int pipe_is_two_sided(int kind)
{
	return kind == PIPE_SOCKETPAIR || kind == PIPE_UNIX || kind == PIPE_TCP || kind == PIPE_PTY;
}

#define END_READ 1u
#define END_WRITE 2u
#define END_UNNAMED 4u /* FIFO, by who looked: its name is gone */

/* How an end was opened or closed; the names in pipe_end.open_via and close_via are these in lower case. */
enum end_via {
	END_CREATE = 1,     /* pipe, pipe2, socketpair */
	END_OPENED = 2,     /* open of a FIFO or of /proc/PID/fd/N */
	END_DUP = 3,        /* dup, dup2, dup3, F_DUPFD */
	END_INHERIT = 4,    /* fork */
	END_EXEC = 5,       /* still open after exec (open: confirms, close: closed on exec) */
	END_SCM = 6,        /* received over a socket */
	END_FOUND = 7,      /* open when the trace began */
	END_CLOSE_CALL = 8, /* close, close_range */
	END_REPLACED = 9,   /* dup2 or dup3 onto it */
	END_EXIT = 10,      /* the process ended */
	END_SENT = 11,      /* put into a message on a socket: the holder keeps its own */
	END_CONNECT = 12,   /* connect, of a socket of which there is no other descriptor */
	END_ACCEPT = 13,    /* accept */
	END_LISTEN = 14,    /* listen, of a socket of which there is no other descriptor */
	END_TAKEN = 15      /* pidfd_getfd: taken out of another process, which keeps its own */
};

/* How a process can come to a pipe that nobody gave it: bits of process.reopens. */
#define REOPENS_BY_PATH 1u   /* it opens /proc/PID/fd */
#define REOPENS_BY_TAKING 2u /* pidfd_getfd */
#define ENDS_OTHERS                                                                                \
	4u /* no such way, but it sends signals to other processes (kill), which may end them */

/* How a thread of a process may end the wait of another one: bits of process.cancels. */
#define CANCELS_BY_CALL 1u /* pthread_cancel */
#define CANCELS_BY_JUMP 2u /* it sends a signal (pthread_kill), whose handler jumps (siglongjmp) */
#define CANCELS_AT_ONCE 4u /* whatever it does just now (pthread_setcanceltype) */

/* Who ended a thread. */
enum exit_by {
	EXIT_BY_UNKNOWN = 0,
	EXIT_BY_ITSELF = 1, /* it called exit or exit_group */
	EXIT_BY_OTHER = 2   /* another thread's exit_group, or a signal, ended it wherever it was */
};

/* What a sampled task was about. */
enum sample_where {
	SAMPLE_UNKNOWN = 0,
	SAMPLE_USER = 1,  /* ran its own code */
	SAMPLE_YIELD = 2, /* in sched_yield */
	SAMPLE_CALL = 3   /* in another system call, or an exception */
};

enum io_op {
	IO_READ = 1,
	IO_WRITE,
	IO_READV,
	IO_WRITEV,
	IO_SPLICE_IN,
	IO_SPLICE_OUT,
	IO_TEE_IN,
	IO_TEE_OUT,
	IO_VMSPLICE,
	IO_SENDFILE,
	IO_SEND,
	IO_RECV
};

enum sig_result {
	SIG_DELIVERED = 0,
	SIG_IGNORED_ = 1,
	SIG_ALREADY_PENDING = 2,
	SIG_OVERFLOW_FAIL = 3,
	SIG_LOSE_INFO = 4
};
enum sig_sender { SENDER_KERNEL = 0, SENDER_TASK = 1, SENDER_TIMER = 2, SENDER_TTY = 3 };

/*
 * Returns an enum sig_sender for a signal's number and code, numbered as <asm-generic/signal.h> and siginfo.h do
 * (x86-64 and arm64): the BPF half has no <signal.h>. Signals that the kernel makes for a terminal or
 * a timer carry no more than that the kernel made them (SI_KERNEL), but nothing else of the kernel makes these.
 */
static inline enum sig_sender signal_sender(int signo, int code)
{
	enum { CODE_TIMER = -2, CODE_KERNEL = 0x80 };

	if (code <= 0)
		return code == CODE_TIMER ? SENDER_TIMER : SENDER_TASK;
	if (code != CODE_KERNEL)
		return SENDER_KERNEL;
	switch (signo) {
	case 14: /* SIGALRM */
	case 26: /* SIGVTALRM */
	case 27: /* SIGPROF */
		return SENDER_TIMER;
	case 1:  /* SIGHUP */
	case 2:  /* SIGINT */
	case 3:  /* SIGQUIT */
	case 18: /* SIGCONT */
	case 20: /* SIGTSTP */
	case 21: /* SIGTTIN */
	case 22: /* SIGTTOU */
	case 28: /* SIGWINCH */
		return SENDER_TTY;
	default:
		return SENDER_KERNEL;
	}
}

enum timer_which {
	TIMER_REAL = 1,
	TIMER_VIRTUAL = 2,
	TIMER_PROF = 3,
	TIMER_POSIX = 4,
	TIMER_FD = 5
};

enum wait_reason {
#define WAIT(NAME, number, ...) WAIT_##NAME = number,
#include "schema/waits.def"
#undef WAIT
	WAIT_REASON_END
};
#define WAIT(NAME, number, ...)                                                                    \
	_Static_assert(number < WAIT_REASON_END, "the largest number stands last in waits.def");
#include "schema/waits.def"
#undef WAIT

/* What a descriptor is. */
enum file_kind {
	FILE_NONE = 0,
	FILE_REG,
	FILE_DIR,
	FILE_PIPE,
	FILE_FIFO,
	FILE_SOCKETPAIR, /* connected AF_UNIX without names, whose peer is known */
	FILE_UNIX,       /* as enum pipe_kind */
	FILE_TCP,
	FILE_LISTEN,
	FILE_PTY,
	FILE_SOCKET,
	FILE_TTY,
	FILE_CHR,
	FILE_EVENTFD,
	FILE_EPOLL,
	FILE_TIMERFD,
	FILE_SIGNALFD,
	FILE_PIDFD,
	FILE_INOTIFY,
	FILE_MQUEUE,
	FILE_URING,
	FILE_OTHER
};

enum lock_kind {
	LOCK_NONE = 0,
#define LOCK(NAME, number, name, noun, reason, bytes) LOCK_##NAME = number,
#include "schema/locks.def"
	LOCK_KIND_END
};
enum lock_type {
	LOCK_TYPE_UNKNOWN = 0,
	LOCK_NORMAL,
	LOCK_RECURSIVE,
	LOCK_ERRORCHECK,
	LOCK_ADAPTIVE,
	LOCK_ROBUST = 16,
	LOCK_PI = 32
};                         /* robust and pi are bits beside a type */
#define LOCK_TYPE_BASE 15u /* the bits of the type alone */
#define LOCK_TYPE_END 64u
/* What glibc keeps in a mutex's __kind: 0 to 3, with the same bits for robust and PI (nptl/pthreadP.h). */
#define LOCK_TYPE_OF_KIND(kind) ((((kind)&3u) + LOCK_NORMAL) | ((kind) & (LOCK_ROBUST | LOCK_PI)))
enum lock_mode {
	LOCK_MODE_NONE = 0,
	LOCK_MODE_X = 1,
	LOCK_MODE_S = 2,
	/* of a wait for a file lock: exclusive, in place of the shared one that it has */
	LOCK_MODE_U = 3,
};
enum lock_attempt { LOCK_PLAIN = 0, LOCK_TRY = 1, LOCK_TIMED = 2 };
enum lock_source { LOCKS_OFF = 0, LOCKS_FUTEX = 1, LOCKS_UPROBE = 2, LOCKS_SHIM = 3 };
enum file_lock_class { FLOCK_FLOCK = 1, FLOCK_POSIX = 2, FLOCK_OFD = 3 };
enum stdio_when { STDIO_FORK = 1, STDIO_EXIT = 2, STDIO_STUCK = 3 };

enum sync_op {
#define SYNC(NAME, number, name, object, reason) SYNC_##NAME = number,
#include "schema/locks.def"
	SYNC_OP_END
};

enum mpi_op {
	MPI_OP_NONE = 0,
#define MPI_OP(NAME, number, name) MPI_OP_##NAME = number,
#include "schema/mpi.def"
	MPI_OP_END
};

enum mpi_role {
	MPI_ROLE_NONE = 0, /* the call needs nothing of others */
#define MPI_ROLE(NAME, number, name) MPI_ROLE_##NAME = number,
#include "schema/mpi.def"
	MPI_ROLE_END
};

/* What a message, or a receive, or a collective call counts as. */
enum mpi_event {
	MPI_SENT = 1,
	MPI_RECEIVED = 2,
	MPI_POSTED = 3,
	MPI_UNPOSTED = 4,
	MPI_ENTERED = 5
};

/* In the fields peer and tag: any. The tags of messages are never negative. */
#define MPI_ANY (-1)

/*
 * So many short events of a thread (holds of a lock; reads and writes) have a record or a row each, and after that so many in
 * each window of time. FOLD_SINGLES is the most that are saved up.
 */
enum { FOLD_SINGLES = 1000, FOLD_SINGLES_PER_WINDOW = 10 };

#endif
