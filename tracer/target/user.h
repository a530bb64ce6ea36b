/* user.h - the ordinary user as whom a command runs that root records. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_TARGET_USER_H
#define TRACER_TARGET_USER_H

#include <stdbool.h>
#include <sys/types.h>

struct buf;

struct user {
	uid_t uid;
	gid_t gid;
	char *name, *home;
	gid_t *groups;
	int n_groups;
};

/* Finds a user by name or number. Returns 0, or -ENOENT with a sentence in why; freed with user_done in any case. */
int user_find(const char *name, struct user *ret, struct buf *why);
void user_done(struct user *u);

/* Adds what the environment of that user's programs says of him: HOME, USER, LOGNAME, each NUL-terminated. */
void user_environment(const struct user *u, struct buf *env);

/* Becomes that user for good; asks the kernel alone, so that a child may call it after a fork. Returns 0 or -errno. */
int user_become(const struct user *u);

/* Says whether that user can read the file: a child of that user tries. */
bool user_can_read(const struct user *u, const char *path);

/*
 * Gives the file at path, which is ours, to whoever called sudo (SUDO_UID, SUDO_GID); does nothing without sudo, nor if
 * anything but a recording of ours with one name is there.
 */
void user_hand_over(const char *path);

#endif
