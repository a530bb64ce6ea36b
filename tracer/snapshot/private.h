/* private.h - what the files share that find out the state of a process. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SNAPSHOT_PRIVATE_H
#define TRACER_SNAPSHOT_PRIVATE_H

#include "tracer/snapshot/memory/memory.h"
#include "tracer/snapshot/snap.h"

/* ---- each.c: many threads at once ---- */

/* Calls work for each thread of p, for several at once if there are many; it may write to that thread alone. */
void each_thread(struct snap_process *p,
	void (*work)(void *arg, struct snap_process *p, struct snap_thread *t), void *arg);

/* ---- age.c: since when a thread sleeps ---- */

#define AGE_UNKNOWN (-1e18)

/* Finds out how the scheduler's clocks stand to CLOCK_MONOTONIC. */
void age_calibrate(struct snapshot *s);

/* Returns a number out of the text of /proc/PID/task/TID/sched, or -1. */
double age_value(const char *text, const char *name);

/* Returns since when (CLOCK_MONOTONIC, ns) a sleeping thread has not run, out of that text; 0: not known. */
uint64_t age_since(const struct snapshot *s, pid_t pid, pid_t tid, const char *sched);

/* ---- files.c: descriptors ---- */

/* Reads the open descriptors of p. */
void files_load(struct snapshot *s, struct snap_process *p);

/* Returns what descriptor fd of p is, or NULL. */
const struct snap_fd *files_find(const struct snap_process *p, int fd);

/* Reads which descriptors every readable process of the machine holds, once. */
void files_holders(struct snapshot *s);

/* ---- netlink.c: netlink sockets ---- */

/* Reads the netlink sockets of the network namespace that a process is in. */
void netlink_load(struct snapshot *s, pid_t pid);

/* ---- sockets.c: what sockets are connected to ---- */

/* Reads all sockets of the network namespace that a process is in, once. */
void sockets_load(struct snapshot *s, pid_t pid);

/* Returns the socket with this inode, or NULL. */
const struct snap_socket *sockets_find(const struct snapshot *s, uint64_t inode);

/* Returns the inode of the other side of a connection; 0: none, or not on this machine. May read more sockets. */
uint64_t sockets_other(struct snapshot *s, const struct snap_socket *socket);

/* Returns the socket with which a connection is still that nobody has accepted, or NULL. */
const struct snap_socket *sockets_listener(
	const struct snapshot *s, const struct snap_socket *socket);

/* Returns the one socket that listens at a Unix address (struct sockaddr) where a process is, or NULL. */
const struct snap_socket *sockets_at(
	const struct snapshot *s, pid_t pid, const char *address, size_t len);

/* Fills in the kind of a descriptor of a socket, and inode2. */
void sockets_classify(struct snapshot *s, struct snap_fd *f);

/* Looks at the TCP connections that a blocked thread waits for: those with bytes under way may end its wait. */
void sockets_look(struct snapshot *s, struct snap_thread *t);

void sockets_done(struct snapshot *s);

/* ---- terminal.c: sides of pseudo-terminals ---- */

/*
 * Returns a number for the side of a pseudo-terminal that the descriptor name in the folder dirfd (/proc/PID/fd), a
 * terminal of device rdev, is: 0 if it is none. Larger than any inode.
 */
uint64_t terminal_key(int dirfd, const char *name, dev_t rdev);

/* Returns that of the other side; the number in /dev/pts; whether it is the master side. */
uint64_t terminal_other(uint64_t key);
unsigned terminal_number(uint64_t key);
bool terminal_is_master(uint64_t key);

/* ---- terminals.c: pseudo-terminals that somebody waits for ---- */

/* The device of the records of all sides of pseudo-terminals. */
#define TERMINALS_DEV UINT64_C(136)

/* Says of what somebody waits for whether both sides are sure to belong together. */
bool terminals_is_known(struct snapshot *s, uint64_t key);

/* Says whether that has been asked and is so. */
bool terminals_is_waited(const struct snapshot *s, uint64_t key);

/* ---- ipc.c: queues and semaphores ---- */

/*
 * Says whether what a system call of a process waits for (its number nr, its first argument) was made without a key, or
 * has lost its name: nobody finds it who was not given it.
 */
bool ipc_is_private(pid_t pid, int64_t nr, uint64_t which);

/* ---- locks.c: file locks ---- */

/* Reads all file locks of the machine, once. */
void locks_load(struct snapshot *s);

/* Returns a number for the open file description (or, of a POSIX lock, nothing of use) that has a lock, as fdinfo shows it. */
uint64_t locks_file(const struct snap_lock *l);

/* Fills in what a thread that is blocked in fcntl or flock asks for, and by which open file description. */
void locks_wanted(const struct snap_process *p, struct snap_thread *t);

/* ---- wait.c: what a thread waits for ---- */

/* Says whether a thread is in a futex call that goes on waiting: the word is still what it waits to see changed. */
bool wait_stands(const struct snap_process *p, const struct snap_thread *t);

/* Fills t->wait and t->poll from the system call it is in. */
void wait_fill(struct snapshot *s, struct snap_process *p, struct snap_thread *t);

/* ---- join.c: which threads are joined ---- */

/* Notes which addresses joiners wait on: the joined thread's tid_addr. After wait_fill of all threads. */
void join_find(struct snap_process *p);

/* ---- maps.c: memory that processes share ---- */

/* Reads the shared mappings of p, once. */
void maps_load(struct snap_process *p);

/* Frees them. */
void maps_done(struct snap_process *p);

/* Fills in what the futex that t waits on is mapped from, if it lies in a shared mapping. */
void maps_shared(struct snapshot *s, struct snap_process *p, struct snap_thread *t);

/* ---- providers.c: who may end a wait ---- */

/* Calls add with the pids of those that t may wait for, as far as files, locks and memory tell. */
void wait_providers(struct snapshot *s, struct snap_process *p, struct snap_thread *t,
	void (*add)(struct snapshot *s, pid_t pid));

/* ---- load.c: one process with its threads ---- */

/* Reads a process with its threads. Returns NULL if it is gone; the caller frees it with proc_free. */
struct snap_process *proc_load(struct snapshot *s, pid_t pid);
void proc_free(struct snap_process *p);

/* Looks at each thread again: one that ran meanwhile gets has_run; sets since of the others. */
void proc_recheck(struct snapshot *s, struct snap_process *p);

/* ---- emit.c: records ---- */
void snapshot_emit(
	struct snapshot *s, void (*emit)(void *arg, const struct rec_head *rec), void *arg);

#endif
