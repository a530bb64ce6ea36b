/* waits.h - what is known of each reason for which a thread can be blocked. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_WAITS_H
#define SCHEMA_WAITS_H

#include <stdbool.h>

#include "schema/record.h"

/* LIVE: the outside world can always end it; ANY: one of those that it rests on is enough; ALL: it can go on only when all of them do. */
enum wait_mode { MODE_LIVE, MODE_ANY, MODE_ALL };

/* What a wait is for, as far as a sentence names it. */
enum wait_object {
	OBJECT_NONE,
	OBJECT_LOCK,     /* wait.lock_id */
	OBJECT_PIPE,     /* wait.pipe_id */
	OBJECT_THREAD,   /* wait.target_thread_id */
	OBJECT_PROCESS,  /* wait.target_process_id */
	OBJECT_CHILDREN, /* that, or all children */
	OBJECT_SET,      /* the members of a poll set */
	OBJECT_DETAIL    /* wait.detail, a sentence without its subject */
};

/* Kinds for which there is one remedy if a set of threads waits for them together. */
enum wait_kind { KIND_OTHER, KIND_LOCK, KIND_PIPE };

/* One line of waits.def. */
struct wait_info {
	const char *name; /* in the column wait.reason */
	enum wait_mode mode;
	enum wait_object object;
	enum wait_kind kind;
	bool is_deaf;      /* no signal handler may legally end it */
	bool by_call;      /* another thread ends it by a call; the death of one never does */
	bool by_signal;    /* a signal ends it as it is meant to be ended */
	bool needs_others; /* only other threads could end it: a thread that waits alone has nobody */
	bool from_anybody;   /* any process might come to end it */
	bool is_idle;        /* event loops and servers wait so while there is nothing to do */
	bool needs_output;   /* what sits in stdio buffers may be what keeps it waiting */
	bool is_handed_over; /* who wakes the thread hands something over: an arrow in the timeline */

	/* Words. */
	const char *words;    /* "waits for the lock", followed by the resource */
	const char *sentence; /* of a member of a deadlock; %s: the object; NULL: it never is one */
	const char *blocked;  /* "that could signal it": said of all threads if they are blocked */
	const char *
		could; /* "could be posted by": from the object to each who could; NULL: not drawn */
	const char *other_end; /* of a pipe, whose holders could end it */
	const char *remedy;    /* one sentence; NULL: there is none for this reason alone */
	const char *verb;      /* before the name of the object; NULL: the name of the reason */
	const char *legend;    /* the words where no resource follows; NULL: the same */
	const char *colour;    /* in pictures: colour-blind safe, after Okabe and Ito */
	char ink; /* in a terminal: y, g, c, m for yellow, green, cyan, magenta; 0: dim */
};

/* Returns what is known of a reason; an unknown number is WAIT_OTHER. */
const struct wait_info *wait_info(unsigned reason);

/* Returns the words for a wait: those that the resource follows, or those that stand alone. They belong to the table. */
const char *wait_words(const struct wait_info *info, bool has_object);

/* Returns the reason of that name; WAIT_OTHER if there is none. */
enum wait_reason wait_find(const char *name);

/* Returns a copy of sql, with "@reasons" replaced by the quoted names of those for which is_one says yes. The caller frees it. */
char *wait_sql(const char *sql, bool (*is_one)(const struct wait_info *info));

#endif
