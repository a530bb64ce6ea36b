/* share.h - push a recording that this process makes: at its end, or while it grows. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_SHARE_H
#define CLI_COMMON_SHARE_H

#include <stdbool.h>
#include <sys/types.h>

/* OFF: not at all; AT_END; LIVE: every two seconds too. */
enum share_mode { SHARE_OFF, SHARE_AT_END, SHARE_LIVE };

/*
 * Reads the argument of --push (NULL: none was given). Returns false after a message, also if the address of the server in
 * PPTRACE_URL is missing or wrong: better before than after a long run.
 */
bool share_option(const char *command, const char *argument, enum share_mode *ret);

/* LIVE: starts the process that sends what path has. It can neither stop nor slow the recording, and no Ctrl-C ends it. */
void share_begin(enum share_mode mode, const char *path);

/* The recording is closed: sends it, or waits for the process that does. What could not be sent stays in the file, and is said. */
void share_end(enum share_mode mode, const char *path);

#endif
