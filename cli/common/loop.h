/* loop.h - drive a recording until its end: what `run` and `attach` have in common. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_LOOP_H
#define CLI_COMMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct target;
struct tracer;

enum on_deadlock { DEADLOCK_REPORT, DEADLOCK_STOP, DEADLOCK_KILL };

/* The words of --on-deadlock and --until, in the order of their enums. */
extern const char *const loop_deadlock_words[];

struct loop_config {
	struct target *target; /* the command; NULL: processes that ran before */
	bool until_main;       /* end when the command itself ends, not its last descendant */
	enum on_deadlock on_deadlock;
	int64_t duration_ns; /* end after that time; 0: no such limit */
	int64_t timeout_ns;  /* end the processes themselves after that time; 0: no such limit */
	bool all; /* of sets at rest too is said who waits when the recording is ended early */
};

struct loop_result {
	bool interrupted;  /* the user ended the recording before its time */
	int signal;        /* with which one */
	bool was_deadlock; /* processes were killed because of a deadlock */
	bool timed_out;    /* processes were ended because of timeout_ns */
	bool is_broken;    /* the database could not be written: said already */
};

/*
 * Prepares pptrace for recording; to be called after the command was forked,
 * which must inherit none of it: signals that the loop takes through a
 * descriptor are blocked, there may be many descriptors, and, where it is
 * allowed, pptrace has precedence over what it records: it needs little, but
 * must get that before the rings are full.
 */
void loop_settle(void);

/*
 * Lets go of standard input and output, which the command has now: pptrace
 * must not keep a pipe open that the command's neighbours see the end of.
 */
void loop_let_go(void);

/* Records until the end. Signals are dealt with as the manual says; deadlocks are printed. */
void loop_run(struct tracer *t, const struct loop_config *config, struct loop_result *ret);

/* Ends pptrace by the signal, without a core; returns 128 + signo if that is not possible. */
int loop_die_of(int signo);

#endif
