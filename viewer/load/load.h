/* load.h - what every picture needs of a trace, as plain structs. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: rows.c (rows of a query), find.c (rows by id), load.c, findings.c and moment.c (the trace),
 * resource.c (locks, pipes, reasons), waits.c (who waited for what), holds.c (who held what for long), uses.c and
 * transfers.c (who wrote and read how much, and from whom), describe.c (in words).
 */
#ifndef VIEWER_LOAD_LOAD_H
#define VIEWER_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "schema/locks.h"

struct buf;
struct sqlite3;
struct sqlite3_stmt;
struct long_holds;
struct transfers;
struct wait_rows;

/*
 * All texts here are printable UTF-8 already (buf_add_printable), never NULL;
 * what draws them still escapes for its own format. All times are within
 * +-TIME_LIMIT, so that sums cannot overflow, and no interval ends before it starts.
 */
#define TIME_NEVER INT64_MAX /* an end that has not come */
#define TIME_LIMIT ((int64_t)1 << 60)

/* Shorter spans as a zombie are what every child has, and are not marked. */
#define ZOMBIE_SHOWN_NS INT64_C(1000000000)

/* Index into an array of struct trace; NONE: no such row. */
#define NONE ((size_t)-1)

enum life_end { LIFE_RUNNING, LIFE_EXIT, LIFE_SIGNAL, LIFE_UNKNOWN };

/* How a thread or process stands in the verdict. */
enum stuck { STUCK_NOT, STUCK_CONDITIONAL, STUCK_CERTAIN };

struct exec_row {
	size_t proc;
	int64_t ts;
	char *path;
	char *command; /* arguments, as a shell would take them */
	int error;     /* errno; 0: it worked */
};

struct proc_row {
	int64_t id;
	int64_t pid;
	size_t parent;      /* proc */
	size_t creator;     /* thread */
	size_t main_thread; /* thread */
	char *name;         /* what it called itself last, or else its program */
	char *program;
	char *command, *exe, *created_by;
	int64_t start, end;
	int64_t reaped; /* TIME_NEVER: not seen */
	size_t reaper;  /* thread */
	enum life_end end_kind;
	int exit_code, exit_signal;
	int64_t killed;  /* when it took the signal that ended it; TIME_NEVER: none, or not seen */
	bool by_pptrace; /* pptrace itself sent that */
	bool core_dumped, autoreap;
	bool orphan;       /* outlived its parent */
	int64_t zombie_to; /* ended and unreaped until then; == end: never a zombie */
	bool never_reaped; /* by its parent, which had the time to */
	enum stuck stuck;
	size_t n_threads;
	size_t first_exec, n_execs;   /* in trace.execs, ordered by process and time */
	size_t first_title, n_titles; /* in trace.titles likewise */
};

/* What a process called itself from some time on (setproctitle). */
struct title_row {
	size_t proc;
	int64_t ts;
	char *text; /* NULL: its program's name again */
};

struct thread_row {
	int64_t id;
	int64_t tid;
	size_t proc;
	size_t creator; /* thread */
	char *name;
	char *entry; /* function it starts in; "": not known */
	int64_t start, end;
	bool is_main;
	enum stuck stuck;
};

/* One member of a finding; ids are those of the database, -1: none. */
struct finding_member_row {
	int64_t thread_id, process_id, wait_id;
	char *text;
};

struct finding_row {
	int64_t id;
	char *rule, *severity, *summary, *explanation, *remedy, *shape;
	bool certain;
	int64_t ts;
	struct finding_member_row *members;
	size_t n_members;
};

struct trace {
	char *command; /* as a shell would take it */
	char *title;   /* its first word without directories, and its arguments, shortened */
	char *host, *backend, *cwd, *kernel, *version;
	char *date; /* local time of the start, "2026-11-22 11:59:03"; "": not known */
	char **blind_spots;
	size_t n_blind_spots;
	int64_t started_unix_ns;
	int64_t duration;
	int64_t exit_code; /* -1: none */
	int exit_signal;   /* 0: none */
	bool complete, attached;
	int64_t lost;
	struct proc_row *procs; /* ordered by start */
	size_t n_procs;
	struct thread_row *threads; /* ordered by process, main thread first, then start */
	size_t n_threads;
	struct exec_row *execs; /* ordered by process and time */
	size_t n_execs;
	struct title_row *titles; /* ordered by process and time */
	size_t n_titles;
	struct finding_row *findings;
	size_t n_findings;
	struct hash proc_by_id, thread_by_id; /* index + 1 */
	struct hash stuck_waits; /* ids of waits that are part of a deadlock or stuck: enum stuck */
	struct wait_rows *waits; /* of trace_waits */
	struct transfers *transfers;   /* of trace_transfers */
	struct long_holds *long_holds; /* of trace_long_holds */
};

/* Reads the trace; findings decide who is marked as stuck. Returns NULL and sets *ret_why, which the caller frees, if the tables cannot be read. */
struct trace *trace_load(struct sqlite3 *db, char **ret_why);
void trace_free(struct trace *t);

/* Returns the index of the row with that id, or NONE. */
size_t trace_proc(const struct trace *t, int64_t id);
size_t trace_thread(const struct trace *t, int64_t id);

/* Says whether a finding is of the kind that marks threads as stuck. */
bool finding_is_stuck(const struct finding_row *f);

/*
 * The step of trace_load that reads the findings; those of a recording that was
 * cut off, or is still being made, are computed. Returns NULL or what went wrong.
 */
char *trace_load_findings(struct trace *t, struct sqlite3 *db);
void trace_free_findings(struct trace *t);

/*
 * Returns what a thread is called everywhere, as the view thread_name has it; a main thread as its process. Valid as
 * long as the trace.
 */
const char *trace_thread_name(const struct trace *t, size_t thread);

/* Returns what a process, or a main thread as its process, was called at a time. Valid as long as the trace. */
const char *trace_proc_name_at(const struct trace *t, size_t proc, int64_t ts);
const char *trace_thread_name_at(const struct trace *t, size_t thread, int64_t ts);

/* The end of a thread or process in a picture: the end of the trace if it has not come. */
int64_t trace_end(const struct trace *t, int64_t end);

/*
 * When the program began, with the exec of the command or the first process, and
 * when the last process had ended, in nanoseconds since the start of the trace.
 * What is before and after is pptrace's own work, and of no interest.
 */
int64_t trace_begin(const struct trace *t);
int64_t trace_last(const struct trace *t);

/* Adds "exit 42", "SIGKILL", "running" and the like. */
void trace_add_status(struct buf *b, const struct proc_row *p);

/* Returns the name of a signal number, "SIGTERM"; the text stays valid. */
const char *trace_signal_name(int signo);

/* The whole stack of a wait, a line for each frame, or NULL if there is none. The caller frees it. */
char *trace_stack(struct sqlite3 *db, int64_t stack_id);

/* Adds where and when it was recorded, and what is missing: one line. */
void trace_add_subtitle(struct buf *b, const struct trace *t);

/*
 * Rows of a query, for the loaders of the single pictures. An SQL error ends
 * the loop and is kept: rows_end returns it as text that the caller frees, or NULL.
 *
 *	struct rows r = rows_begin(db, "SELECT ...");
 *	while (rows_next(&r)) ...
 *	why = rows_end(&r);
 */
struct rows {
	struct sqlite3_stmt *stmt;
	char *why; /* the error, NULL: none yet */
	bool ended;
};
struct rows rows_begin(struct sqlite3 *db, const char *sql);
void rows_bind(struct rows *r, int index, int64_t value);
bool rows_next(struct rows *r);
char *rows_end(struct rows *r);

/* Says whether the recording has a table, or a column of one ("lock_hold.count"). */
bool rows_has(struct sqlite3 *db, const char *item);

/* Rows of lock_hold are in the order of their ends, but for those that are late by up to this long. */
#define ROWS_LATE_NS (2 * LOCK_FOLD_NS)

/* Column values: numbers as they are or the default for NULL, times limited, texts made printable and cut to 2,000 characters (the caller frees). */
int64_t rows_int(struct rows *r, int col, int64_t null_value);
int64_t rows_time(struct rows *r, int col, int64_t null_value);

/*
 * Returns the one number that sql yields for ?1 = arg; null_value: NULL, or there is no row. After an error it is
 * null_value too, and *why says so, which the caller frees; once that is set nothing more is asked.
 */
int64_t rows_number(
	struct sqlite3 *db, const char *sql, int64_t arg, int64_t null_value, char **why);
char *rows_text(struct rows *r, int col);
bool rows_is_null(struct rows *r, int col);

/* A text that pptrace made about the program, made printable when it was written: backslashes stay, and with lines also line breaks; cut to 20,000 characters. The caller frees it. */
char *rows_prose(struct rows *r, int col, bool lines);

/* Column of a JSON array of arguments, as one printable command line for a shell such as bash, cut to 2,000 characters; "" for NULL. The caller frees it. */
char *rows_command(struct rows *r, int col);

/*
 * Returns the moment to show where none was asked for: when all who were stuck were there; else the end, if
 * somebody waits there; else the last one before somebody outside, or pptrace, ended the recording; else the one at which the
 * most threads had waited a long time. *ret_which says which it is, as in "just before SIGTERM came from outside";
 * NULL: the end. The caller frees it. Where the recording cannot be read *why says so, which the caller frees, and
 * the end is returned.
 */
int64_t trace_moment(const struct trace *t, struct sqlite3 *db, char **ret_which, char **why);

#endif
