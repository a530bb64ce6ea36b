/* room.h - how much memory the machine and the control groups leave. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_ROOM_H
#define TRACER_ROOM_H

#include <stdint.h>

/*
 * The memory control groups that pptrace is in, of version 1 or 2, with all
 * their ancestors as far as they can be seen. The command is in them too: what
 * pptrace takes, it takes from the command, whatever kind of memory it is.
 */
struct room;

/* Finds them below the folder root, which is "" but in tests. Freed with room_free, which accepts NULL. */
struct room *room_new(const char *root);
void room_free(struct room *r);

/*
 * Returns how many bytes may still be taken before the tightest limit: cached
 * pages of files count as free, for the kernel takes them back before it kills.
 * Without a limit that is what the machine has; UINT64_MAX if even that is not known.
 */
uint64_t room_left(const struct room *r);

/* Returns the tightest limit of a control group in bytes, 0: there is none below what the machine has. */
uint64_t room_limit(const struct room *r);

#endif
