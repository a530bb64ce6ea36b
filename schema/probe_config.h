/* probe_config.h - what the tracer tells the eBPF programs, and what both know of a task. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef SCHEMA_PROBE_CONFIG_H
#define SCHEMA_PROBE_CONFIG_H

/* Included by BPF code after kernel.h and by the tracer after stdint.h. */
#ifdef __bpf__
typedef u8 cfg_u8;
typedef u16 cfg_u16;
typedef u32 cfg_u32;
typedef s32 cfg_s32;
typedef u64 cfg_u64;
typedef s64 cfg_s64;
#else
#include <stdint.h>
typedef uint8_t cfg_u8;
typedef uint16_t cfg_u16;
typedef uint32_t cfg_u32;
typedef int32_t cfg_s32;
typedef uint64_t cfg_u64;
typedef int64_t cfg_s64;
#endif

/*
 * What a system call is to the probes: the KINDs of calls.def. The tracer fills a
 * table from this machine's numbers to these, so that BPF code knows no numbers.
 * CALL_NONE is any other call: only its waits are seen.
 */
enum call {
	CALL_NONE = 0,
#define KIND(name) CALL_##name,
#include "schema/calls.def"
	CALL_END
};

/* Programs that are reached by a tail call: the HANDLERs of calls.def. Slots of the program arrays. */
enum call_handler {
	HANDLE_NONE = 0,
#define HANDLER(place, program) HANDLE_##program,
#include "schema/calls.def"
	HANDLE_END
};

#define CALL_TAKES_TIME 1u /* the time when it began is needed */

struct call_info {
	cfg_u8 call;  /* enum call */
	cfg_u8 enter; /* enum call_handler */
	cfg_u8 exit;  /* likewise */
	cfg_u8 flags; /* CALL_TAKES_TIME */
};

#define CALLS_MAX 512

/* A call of a 32-bit program: the native number plus one (0: none is the same), and what it is. */
struct compat_info {
	cfg_u16 nr;
	cfg_u16 call; /* enum call */
};

/*
 * Bits of slot.flags. Only the thread itself changes them, or the processor that
 * switches to or from it; never a waker, who runs at the same time.
 */
#define SLOT_FRESH 1u   /* adopted: its open pipe ends and ignored signals are not known yet */
#define SLOT_NODATA 2u  /* has gained privileges: payload is not captured */
#define SLOT_COMPAT 4u  /* in a 32-bit system call */
#define SLOT_WAITING 8u /* WAIT_BEGIN was sent */
#define SLOT_URING 16u  /* URING was sent */
#define SLOT_SLEPT 32u  /* has waited in this call */
#define SLOT_INIT 64u   /* its numbers are filled in */

/* What an open file is. */
struct object {
	cfg_u64 inode;
	cfg_u64 inode2; /* as END_OPEN's */
	cfg_u64 file;
	cfg_u32 dev;  /* as st_dev */
	cfg_u32 peer; /* pidfd: the process */
	cfg_u8 kind;  /* enum file_kind */
	cfg_u8 mode;  /* END_READ, END_WRITE */
	cfg_u8 timed; /* socket: END_READ with SO_RCVTIMEO, END_WRITE with SO_SNDTIMEO or TCP_USER_TIMEOUT */
	cfg_u8 sole; /* socket: there is one descriptor of it */
	cfg_u8 pad[4];
};

/* What a call did to a pipe. */
struct io {
	cfg_s32 fd;
	cfg_u32 op; /* enum io_op */
	cfg_u64 requested;
	cfg_s64 result;
	cfg_u64 base; /* one buffer ... */
	cfg_u64 iov;  /* ... or several */
	cfg_u64 iov_n;
	cfg_u64 inode; /* the pipe */
	cfg_u32 dev;
	cfg_u32 pad;
};

/* What is known of a traced thread: its task storage. */
struct slot {
	cfg_u32 pid; /* numbers in the tracer's PID namespace */
	cfg_u32 tid;
	cfg_u32 flags; /* SLOT_... */
	cfg_s32 nr;    /* of the system call it is in, -1: none */
	cfg_u64 enter_ts;
	cfg_s32 last_nr; /* call that returned because of a signal, -1: none */
	cfg_s32 restart_nr;
	cfg_u32 child_pid; /* the newest child: the one that a vfork waits for */
	cfg_u32 waker_pid;
	cfg_u32 waker_tid;
	cfg_u32 call;  /* enum call of nr */
	cfg_u32 found; /* 1: enter found the object for exit */
	cfg_u32 woken; /* 1: waker_pid and waker_tid are those of the last one to wake it */
	cfg_u64 slice_ts;
	cfg_u64 title;        /* hash of the title that was sent last, or seen at the exec */
	cfg_u64 title_ts;     /* when it was looked at */
	cfg_u64 loader_start; /* code of the dynamic loader, whose own locks are not recorded */
	cfg_u64 loader_end;
	cfg_u64 stack;     /* scratch: where the kernel's stack is */
	struct object obj; /* at enter: what the descriptor was */
	struct io io;      /* handed over by one handler to the next */
	cfg_u32 io_singles; /* how many reads and writes may still have records of their own (fold.h) */
	cfg_u32 io_window; /* when that was last reckoned */
	cfg_u32 handler;   /* enum call_handler: what the next program is to do */
	cfg_u32 pad;
};

/*
 * What a probed function of a library does: its uprobe's cookie, put together by
 * LOCK_COOKIE from an action and what the records need to say.
 */
enum lock_action {
	LOCK_DO_LOCK = 1, /* kind, mode, attempt */
	LOCK_DO_UNLOCK,   /* kind */
	LOCK_DO_INIT,     /* kind */
	LOCK_DO_DESTROY,  /* kind */
	LOCK_DO_WAIT,     /* kind, op (enum sync_op), attempt */
	LOCK_DO_POINT,    /* kind, op: does not block */
	LOCK_DO_ONCE,
	LOCK_DO_JOIN, /* attempt */
	LOCK_DO_CREATE,
	LOCK_DO_SEM_OPEN
};

#define LOCK_COOKIE(action, kind, what, attempt)                                                   \
	((cfg_u64)(action) | (cfg_u64)(kind) << 8 | (cfg_u64)(what) << 16 |                        \
		(cfg_u64)(attempt) << 24)
#define LOCK_COOKIE_GLIBC (1ull << 32) /* objects are laid out as glibc does */
#define LOCK_ACTION(cookie) ((cookie)&0xff)
#define LOCK_KIND(cookie) ((cookie) >> 8 & 0xff)
#define LOCK_WHAT(cookie) ((cookie) >> 16 & 0xff)
#define LOCK_ATTEMPT(cookie) ((cookie) >> 24 & 0xff)

/* Calls of a thread that have not returned; an initialiser under pthread_once may lock. */
#define LOCK_CALLS 4

struct lock_call {
	cfg_u64 cookie;
	cfg_u64 addr;
	cfg_u64 arg;
	cfg_u64 site;
	cfg_u64 start;
	cfg_u64 sp; /* where its return address is */
};

struct lock_calls {
	cfg_u32 n;
	cfg_u32 pad;
	struct lock_call calls[LOCK_CALLS];
};

/* A number in a nested PID namespace. */
struct nested_key {
	cfg_u64 ns;
	cfg_u64 nr;
};

/* What the programs tell the kernel of their licence: helpers that they need are for such programs alone. */
#define PROBE_LICENSE "Dual MIT/GPL"

/*
 * bpf_rdonly_cast as the programs call it: no helper has such a number. Before the load the tracer puts the kernel's
 * function there; libbpf would read all types of the kernel to find it.
 */
#define PROBE_CAST_CALL 0x7fff0001

/* The kernel's numbers of the types that a program casts to. */
struct probe_casts {
	cfg_u32 task; /* task_struct */
	cfg_u32 word; /* any that begins with a number as long as a pointer */
	cfg_u32 file;
	cfg_u32 sock;
	cfg_u32 epitem;
	cfg_u32 pad;
};

/* Set before the programs are loaded. */
struct probe_config {
	cfg_u32 data_bytes;
	cfg_u32 sched;
	cfg_u32 lock_source;
	cfg_u32 sample_ns;       /* period of the cpu clock */
	cfg_u64 realtime_offset; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	cfg_u64 wake_bytes; /* unread bytes in the near ring from which on the tracer is woken */
	cfg_u64 near_bytes; /* unread bytes in it from which on only births and ends go there ... */
	cfg_u64 far_bytes;  /* ... and in the far one likewise */
	struct probe_casts casts;
};

#endif
