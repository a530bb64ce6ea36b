/* names.h - words for the numbers that records carry. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_NAMES_H
#define SCHEMA_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The words are those of the database's columns. Texts are static: nobody frees
 * them. A number that has no name gives NULL, unless said otherwise.
 */

/* In a recording that was merged of those of several hosts, above so many bits of an id is the number of its host, from 1 on. */
enum { HOST_SHIFT = 40 };

/* Returns the id that a row has in the recording of its host. */
int64_t names_own_id(int64_t id);

/*
 * Signals that glibc keeps to itself, for cancelling threads, for timers that start threads (SIGEV_THREAD), and for changing the ids of all
 * threads (internal-signals.h): nobody else sends them.
 */
enum { LIBC_CANCEL = 32, LIBC_TIMER = LIBC_CANCEL, LIBC_SETXID = 33 };
#define LIBC_SIGNALS (UINT64_C(1) << (LIBC_CANCEL - 1) | UINT64_C(1) << (LIBC_SETXID - 1))

/* Room for the longest name of a signal or lock type. */
#define NAME_MAX_LEN 32

/* Writes "SIGTERM", "SIGRTMIN+1" or, for a number that is not a signal, "SIG99" into buf and returns it. */
const char *names_signal(int signo, char buf[NAME_MAX_LEN]);

/* Returns "read" for the native number of a system call. */
const char *names_syscall(long nr);

/* process.hooks: whether a program has told its language's runtime what is to be done when it is told to end. */
enum hooks { HOOKS_UNKNOWN, HOOKS_SOME, HOOKS_NONE };

/* How thread.runtime_name ends of a thread of Java on which a virtual thread runs, and of one on which some may run. */
#define RUNTIME_VIRTUAL " (virtual thread)"
#define RUNTIME_CARRIER " (for virtual threads)"

/* Returns the column value of enum wait_reason: "pipe-read". */
const char *names_wait_reason(int reason);

/* Return "MPI_Recv", and what a call needs: "receive"; NULL for an unknown number. */
const char *names_mpi_op(uint64_t op);
const char *names_mpi_role(uint64_t role);

/* Returns "recursive", "normal+robust"... for enum lock_type with its bits; NULL if nothing is known. */
const char *names_lock_type(unsigned type);

/* Returns the type of a file lock (enum file_lock_class): "flock", "posix", "ofd". */
const char *names_file_lock(int class);

/* Returns "x" or "s" for enum lock_mode. */
const char *names_lock_mode(int mode);

/* Returns "shim", "uprobe", "futex" or "off" for enum lock_source. */
const char *names_lock_source(int source);

/* Returns "pipe", "fifo", "socketpair", "unix", "tcp" or "listen" for enum pipe_kind. */
const char *names_pipe_kind(int kind);

/* Says whether a pipe of this kind has two sides, each of which reads what the other writes. */
bool names_pipe_is_two_sided(const char *kind);

/* Returns "r", "w" or "rw" for the bits END_READ and END_WRITE. */
const char *names_end_mode(unsigned mode);

/* Returns the column value of enum end_via: open_via or close_via. */
const char *names_end_via(int via);

/* Returns the call of enum io_op: "read", "writev", "splice"... */
const char *names_io_call(int op);

/* Returns "route", "kobject_uevent"... for a protocol of netlink; NULL: it has no name here. */
const char *names_netlink(int protocol);

/* Returns "pipe", "socket", "tty"... for enum file_kind, as in the table wait_on. */
const char *names_file_kind(int kind);

/* Returns the column timer.kind for enum timer_which: "real", "timerfd"... */
const char *names_timer(int which);

/* Returns the column stdio.at for enum stdio_when. */
const char *names_stdio_when(int when);

/* Returns the name of a record kind as in events.def ("LOCK_WAIT"), or "any" for 0. */
const char *names_record(unsigned kind);

#endif
