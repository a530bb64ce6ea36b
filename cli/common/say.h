/* say.h - what pptrace says on the terminal: errors, warnings, colours. */
/* SPDX-License-Identifier: MIT */
/*
 * What commands share. To be read in this order: say.c (messages), options.c (of a command), pids.c with
 * cgroup.c, rule.c, filter.c, trace_note.c (opens a recording), picture.c (draws one), why_rows.c (who waits for what at a moment)
 * with why_list.c and why_json.c (the same for people and for programs), last_look.c (who waited when a run was
 * ended), extent.c (how much a recording keeps), loop.c (makes one) with outlive.c (without memory), share.c (pushes it),
 * scratch.c (a file for a moment).
 */
#ifndef CLI_COMMON_SAY_H
#define CLI_COMMON_SAY_H

#include "base/banned.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Messages go to stderr as "pptrace: ..."; control characters in them are
 * shown as \xNN, so that a hostile name cannot act on the terminal.
 */

/* Prints and exits; the status is 1 unless say_set_status changed it. A trailing colon adds the text of errno. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints and continues; the message says what was skipped. A trailing colon adds the text of errno. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints something worth knowing, unless -q was given. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a detail, only if -v was given. */
void detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Sets the status with which die exits (run: 125, diagnose and why: 2). */
void say_set_status(int status);

/* Writes out what standard output still holds. Dies if that fails, unless the reader just left. */
void say_flush(void);

/* Sets whether -q was given: note prints nothing. */
void say_set_quiet(bool quiet);

/* Says whether -q was given. */
bool say_is_quiet(void);

/* Sets whether -v was given: only then does detail print. */
void say_set_verbose(bool verbose);

/* Says whether -v was given. */
bool say_is_verbose(void);

/* --color=WHEN: "auto", "always" or "never". Returns false if it is none of these. */
bool say_set_color(const char *when);

/* Says whether to write colours to f: as --color says; else only to a terminal, if NO_COLOR is not set and TERM is not "dumb". */
bool say_color(FILE *f);

#endif
