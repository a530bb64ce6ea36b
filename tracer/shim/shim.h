/* shim.h - the source that reads the preload library's rings, and what goes with it. */
/* SPDX-License-Identifier: MIT */
/*
 * The other end of probes/shim. To be read in this order: preload.c (which programs get
 * the library), plain.c (which need none), arena.c (the directory of its rings) with sweeper.c (which
 * removes it should pptrace be killed), layout.c (what lies where in them), ring.c (one ring) with copied.c (of which much lies ready), expand.c (a slot
 * becomes a record) with clock.c and ns.c (its time, its numbers), tasks.c with known.c and
 * spawn.c (what the library cannot know), fold.c (equal holds as one record), series.c (those that a thread adds up by itself), open.c (which rings are in use), drain.c (all rings in the order of time), source.c
 * (struct source); feed.c and guard.c keep the rings' memory; deaths.c with
 * exit_status.c stands apart.
 */
#ifndef TRACER_SHIM_SHIM_H
#define TRACER_SHIM_SHIM_H

#include <stdbool.h>
#include <sys/types.h>

#include "tracer/source.h"

/* The source; each call returns the one object. */
struct source *source_shim(void);

/* ---- The private directory in which the library keeps its rings (arena.c) ---- */

/* Makes a directory of mode 0700 that belongs to owner, in memory where there is a tmpfs. Returns its path, which the caller frees, or NULL with errno. */
char *arena_make(uid_t owner);

/* Removes the directory and the files in it; processes that map them go on. Accepts NULL. */
void arena_remove(const char *path);

/* Removes what a killed pptrace of the same user left behind. */
void arena_clean(void);

/*
 * Starts a process that waits for the end of this one and removes the directory
 * then, having told the programs that use it. Returns its number, or 0: without
 * it the programs notice, later. To be called while there is one thread.
 */
pid_t sweeper_start(const char *path);

/* Ends it; accepts 0. */
void sweeper_end(pid_t pid);

/* ---- Which programs can load the library (preload.c) ---- */

#define PRELOAD_LIBRARY "libpptrace-shim.so"

/*
 * LD_PRELOAD of a library that was linked against glibc kills a program of
 * another C library and makes a 32-bit one print an error; static and setuid
 * programs ignore it. So a program gets it only if it is of pptrace's own ELF
 * class and machine and asks for the same program interpreter.
 */
enum preload_answer {
	PRELOAD_OK,
	PRELOAD_UNREADABLE, /* not a file that can be read */
	PRELOAD_NO_ELF,     /* not a program; as an answer: /bin/sh, which would run it, is none */
	PRELOAD_CLASS,      /* other ELF class or machine (32-bit) */
	PRELOAD_STATIC,     /* no program interpreter */
	PRELOAD_LIBC,       /* other program interpreter (musl) */
	PRELOAD_SECURE /* setuid, setgid or file capabilities: the loader ignores the preload */
};

/* Looks at the program file, of a script at its interpreter; /bin/sh runs what is neither (execvp(3)). */
enum preload_answer preload_check(const char *path);

/*
 * Says whether a program makes its system calls itself, past the C library, though it may use that: whatever
 * Go's linker made has a note of that name.
 */
bool preload_has_raw_calls(const char *path);

/* Returns the answer as the end of a sentence that begins with the program's name: "is static". */
const char *preload_words(enum preload_answer answer);

/* Returns the path of the library: beside the running pptrace or where it is installed; the caller frees it. NULL: not found. */
char *preload_library(void);

/* Returns the path of the library for ranks of MPI jobs, which is beside that one; the caller frees it. NULL: it is not there. */
char *preload_mpi_library(const char *library);

/* Says whether a program starts the ranks of MPI jobs, or is started as one: by its name, and by the environment of pptrace itself. */
bool preload_is_mpi(const char *program);

/* ---- Which programs need no library (plain.c) ---- */

/*
 * Plain programs import nothing that the library records beside the kernel's
 * probes (schema/plain.h). They are found out while a recording by both runs, and told to those that
 * execute them again, through a file in the directory of the rings.
 */
struct plain;
struct rec_EXEC;

/* Makes the file, which belongs to owner. Returns NULL where that is not possible: every program then gets the library. */
struct plain *plain_new(const char *dir, uid_t owner);
void plain_free(struct plain *p);

/* Sees every record in the order of time. Accepts NULL. */
void plain_see(struct plain *p, const struct rec_head *rec);

/* Says whether a program was known to be plain when it was executed. Accepts NULL: no. */
bool plain_was(const struct plain *p, const struct rec_EXEC *e);

/* ---- Notice the end of processes that cannot report it themselves (deaths.c) ---- */

/*
 * For recordings by the preload library alone: a process that a signal kills
 * writes no record. Each known process is watched through a pidfd, and its
 * status is taken from whoever has it: pptrace itself, which is the reaper of
 * orphans in this mode, /proc while it is a zombie, or the record of the wait call
 * that took it.
 */
struct deaths;

/* Makes pptrace the reaper of its orphaned descendants. Freed with deaths_free. */
struct deaths *deaths_new(void);
void deaths_free(struct deaths *d);

/* Watches a process. spare: its status belongs to somebody else in pptrace (the command). */
void deaths_add(struct deaths *d, pid_t pid, bool spare);

/* A descriptor that becomes readable when a process has ended. */
int deaths_fd(const struct deaths *d);

/*
 * Emits an EXIT record, at the present time, for each process that has ended since the last call
 * without telling it, in the order of their ends. To be called before the rings are drained.
 */
void deaths_poll(struct deaths *d, source_emit *emit, void *arg);

/* At the end: looks at each that is left, as a zombie may be seen before its pidfd says so. */
void deaths_settle(struct deaths *d, source_emit *emit, void *arg);

/* The same for a process whose status somebody else in pptrace has just taken. */
void deaths_ended(struct deaths *d, pid_t pid, int status, source_emit *emit, void *arg);

/*
 * Sees every record in the order of time before the model does. Returns false
 * if the record is to be dropped: the model knows that end already, or has just
 * got it with a better time, which may lie before records that it has seen: that of
 * another process that ended later. Before a REAP comes the EXIT of the process, if its end was not reported.
 */
bool deaths_filter(struct deaths *d, const struct rec_head *rec, source_emit *emit, void *arg);

#endif
