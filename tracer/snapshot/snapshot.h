/* snapshot.h - the state of processes that were never started under pptrace, as records. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: proc.c (files of /proc, memory), netlink.c, sockets.c, terminal.c, files.c, terminals.c, ipc.c, locks.c, maps.c (what
 * a process has open, locked and shared), the folders memory (owners of mutexes, calls on the stacks) and kernel (what the kernel alone knows), wait.c (what a
 * thread waits for), join.c (which thread is joined), load.c with age.c and each.c (one process, looked at twice), providers.c and mappers.c (which
 * others to read), emit_process.c and emit.c (records), snapshot.c (all of it in turn). core_load.c does the same for a core file.
 * registers.c, timers.c, timers_reach.c, reopen.c and cancels.c answer one question each.
 */
#ifndef TRACER_SNAPSHOT_SNAPSHOT_H
#define TRACER_SNAPSHOT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/source.h"

struct authority;
struct buf;
struct hash;
struct symbols;

/*
 * Reads the state of the given processes, their descendants, and whoever the
 * blocked threads among them wait for (holders of the other ends of their
 * pipes, sockets and locks), from /proc, and emits it as records with the flag
 * REC_SNAP, ordered by time: for each process MORE_ARGV, FOUND (main thread),
 * FOUND for its other threads, EXIT for what has ended already (zombies, a
 * main thread that left), MODULE, END_OPEN via END_FOUND, SIG_ACTION (handler
 * SNAPSHOT_HANDLER: some function), TIMER; then OUTSIDE, FILE_LOCK;
 * then for each thread that has been blocked all the while its WAIT_BEGIN with
 * the time since when (as near as the scheduler tells), before it
 * MORE_POLL, and, with calls, the SYNC_BEGIN or LOCK_REQUEST that its stack shows; after
 * it WAIT_SITE and WAIT_FRAME; and last SHARED_MAP. A thread that ran meanwhile has no WAIT_BEGIN.
 *
 * Threads are read, and then looked at once more: those with a WAIT_BEGIN were
 * all blocked together at one moment between.
 *
 * Only reads; stops nothing. What could not be read is added to blind, one
 * sentence a line. Returns 0, or -ESRCH (none of them is there), -EACCES
 * (none may be read), -EINVAL (a kernel thread) with one sentence in why.
 * If only some are not there, 0, and why says which and why.
 */
struct snapshot_limits {
	bool hidden;     /* a related process may not be read: it may hold ends of the same pipes */
	bool denied;     /* system calls and memory of some process may not be read */
	bool all_denied; /* of none of those that were asked for */
};
struct snapshot_config {
	const pid_t *pids;
	size_t n_pids;
	bool related; /* also descendants and those they wait for */
	bool calls; /* also the library calls that blocked stacks show; only for a model that gets nothing but this */
	struct symbols *symbols; /* borrowed, keyed by pid; NULL: no stacks are walked */
	void (*between)(
		void *arg); /* called between the two looks, perhaps in a thread: what it reads holds for that moment too; or NULL */
	void (*each_between)(
		void *arg, pid_t pid); /* the same for each process that is looked at; or NULL */
	struct snapshot_limits
		*limits; /* set to what kept the snapshot from being complete, or NULL */
};
int snapshot_take(const struct snapshot_config *config, source_emit *emit, void *arg,
	struct buf *blind, struct buf *why);

/* A core file that is read like a process. */
struct core;
struct snapshot_core_config {
	const char *path;
	const char *exe; /* the program; NULL: where the core says that it is */
	struct symbols *symbols;
	void (*each)(void *arg,
		struct core *core); /* called with the core when all has been emitted; NULL: no */
	struct buf *told;           /* gets of whom the core is */
};

/*
 * The same of a core file: one process, its threads, their waits. Returns 0, or -errno with one
 * sentence in why: it is no core, or none that can be read here.
 */
int snapshot_core(const struct snapshot_core_config *config, source_emit *emit, void *arg,
	struct buf *blind, struct buf *why);

/*
 * Sets *ret, which the caller frees, to the processes of the machine that map a file or have it
 * open and so may map it, as far as they may be read, pptrace itself left out. Returns how many.
 */
size_t snapshot_mappers(uint64_t dev, uint64_t inode, pid_t **ret);

/* Says whether a descriptor of a process is a FIFO that has no name any more. */
bool snapshot_is_unnamed_fifo(pid_t pid, int fd);

/* Says whether a file that this process maps still has a name by which others could map it; true also if that cannot be read. */
bool snapshot_is_named(pid_t pid, uint64_t dev, uint64_t inode);

/*
 * Fills ret, size bytes of which the unused ones become 0, with the beginning of the first string where the arguments of
 * a process are: its title, if it wrote one there (setproctitle). Returns false if it has none, or may not be read.
 */
bool snapshot_title(pid_t pid, char *ret, size_t size);

/* Returns a descriptor of an io_uring that a process has open; -1: it has none, or may not be read. */
int snapshot_uring(pid_t pid);

/* Handler address in SIG_ACTION: there is a handler, and where is not known. */
#define SNAPSHOT_HANDLER 2

/* ---- Registers that /proc does not show (registers.c) ---- */

struct registers;
struct symbols_registers;

/* Reads those of all threads of the machine by a BPF iterator; of none where that is not permitted. Freed with registers_free, which accepts NULL. */
struct registers *registers_read(void);
void registers_free(struct registers *r);

/* Adds to what /proc says of a blocked thread the registers that a callee keeps for its caller; false if they are not known. */
bool registers_complete(const struct registers *r, pid_t tid, struct symbols_registers *at);

/* ---- Interval timers of other processes that are armed (timers.c, timers_reach.c) ---- */

/* A real-time interval timer (alarm, setitimer) that is armed. */
struct timer_armed {
	pid_t pid;
	uint64_t expires;  /* CLOCK_MONOTONIC, ns */
	uint64_t interval; /* ns, 0: once */
};

/*
 * Lists all armed ones of the machine. The kernel's list of timers, which root may read, says whether
 * there is any at all; whose they are a BPF iterator tells. Returns how many
 * and *ret, which the caller frees; or -EPERM if it cannot be found out.
 */
int timers_armed(struct timer_armed **ret);

/*
 * Says whether a process may have armed one since it executed its program: false only if no file
 * of its code refers to a function that does.
 */
bool timers_possible(pid_t pid);

/* ---- Output that sits in a program's buffers while others wait for it (memory/unflushed.c) ---- */

/*
 * Looks through the stdio streams of a process that runs or is blocked, by
 * reading its memory from outside: glibc keeps them in a list that starts at
 * _IO_list_all, in libc.so or in a static program with symbols. Emits a STDIO
 * record (when STDIO_STUCK) for each stream on a pipe, FIFO or socket that
 * holds unflushed bytes; what does not look like glibc's streams in every
 * point is left out. key is the process in symbols, whose mappings are read if
 * they are not known yet; pid may be any live thread of it.
 * Returns how many were emitted, or -errno: -EPERM if the memory may not be
 * read, -ENOENT if there is no such list (no glibc, or a static program without symbols).
 */
int unflushed_find(struct symbols *s, int64_t key, pid_t pid, source_emit *emit, void *arg);

/* ---- Whether a program could open the descriptors of another process (reopen.c) ---- */

/*
 * Returns in which ways the program that a process runs may come to the pipes of others (REOPENS_... of record.h): its file, one of its
 * arguments, or the script that one of the first of them is, names /proc/PID/fd (as a format or in parts) or pidfd_getfd, or
 * makes that system call by its number.
 * 0 for one that has ended, and one that authority does not cover. argv: its arguments, each ended by a NUL, n bytes in
 * all. seen keeps what is known of files, between calls; done with hash_done.
 */
unsigned reopen_named(
	struct authority *authority, pid_t pid, const char *argv, size_t n, struct hash *seen);

/* ---- Whether threads of a program could end each other's waits (cancels.c) ---- */

/*
 * Returns in which ways a thread of a process may end the wait of another one (CANCELS_... of record.h), by what is named in the files
 * from which it runs code; those of the C library and its like, and of a language's runtime, do not count. seen as above.
 */
unsigned snapshot_cancels(pid_t pid, struct hash *seen);

#endif
