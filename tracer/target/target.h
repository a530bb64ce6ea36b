/* target.h - start the command that is to be traced, and learn how it ended. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_TARGET_TARGET_H
#define TRACER_TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * To be read in this order: target.c, with limits.c (what pptrace raises for itself is as before in the command),
 * user.c (as whom the command runs).
 *
 * The command is a child of pptrace in its process group, with its descriptors
 * 0 to 2, its terminal, signal mask and dispositions. It waits on a pipe until
 * the sources have adopted it, and then executes the program itself: no shell.
 */
struct target {
	pid_t pid;   /* 0: not started, or never could be */
	int pidfd;   /* readable when the command has ended; -1: none */
	int go;      /* closing it unwritten ends a child that still waits */
	int failure; /* the child writes the errno of a failed exec */
	bool ended;
	int status; /* as wait(2) gives it, once ended */
};

#define TARGET_INIT ((struct target){.pidfd = -1, .go = -1, .failure = -1})

/*
 * Finds the program of a command as execvp would. Returns 0 and the path, which
 * the caller frees; -ENOENT if there is none, -EACCES if it may not be executed.
 */
int target_find(const char *name, char **ret_path);

/*
 * Forks. The child keeps waiting. env: the environment, NULL-terminated. user: as whom the program
 * runs, borrowed until target_go; NULL: as we do. A script without "#!" is run by /bin/sh, as execvp(3) does.
 * Returns 0 or -errno; target_done undoes it.
 */
struct user;
int target_start(struct target *t, const char *path, char *const *argv, char *const *env,
	const struct user *user);

/* Lets the child execute the program. Returns 0 once it has, or the -errno of the exec. */
int target_go(struct target *t);

/* Sends the command a signal, unless it has been reaped: its number may be another's then. */
void target_signal(const struct target *t, int signo);

/* Takes the status if the command has ended; returns t->ended. */
bool target_reap(struct target *t);

/* Closes the descriptors. A child that still waits ends; one that runs keeps running. */
void target_done(struct target *t);

/*
 * Returns a copy of the environment with the NAME=value texts of extra (each
 * NUL-terminated, len bytes in all) in place of older ones of the same name.
 * The caller frees it with target_env_free.
 */
char **target_env(char *const *env, const char *extra, size_t len);
void target_env_free(char **env);

#endif
