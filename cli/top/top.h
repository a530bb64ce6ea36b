/* top.h - a live view of what threads wait for. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: look.c (one look at a recording or at running processes, as rows), lines.c (rows as lines of a
 * screen), command.c (a new command, recorded beside it), screen.c (the terminal and its keys).
 */
#ifndef CLI_TOP_TOP_H
#define CLI_TOP_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct buf;
struct sqlite3;

/* What is looked at: a recording, or, if that is NULL, running processes. All is borrowed. */
struct top_source {
	const char *path;
	struct sqlite3 *db;
	const pid_t *pids;
	size_t n_pids;
	int64_t last_io;   /* the last row of pipe_io that was counted */
	int64_t looked_ns; /* CLOCK_MONOTONIC, of the last look */
	/* Of a recording that grows: how long it was when it last became longer, and when that was seen. */
	int64_t grown_to, grown_at_ns;
};

/* One thread. */
struct top_row {
	int64_t pid, tid, since_ns;  /* since_ns: it has waited that long; -1: it runs */
	char *name, *what, *details; /* details: whom it waits for, and its stack, a line each */
};

/* One look. */
struct top_look {
	struct top_row *rows;
	size_t n, cap, processes;
	char **facts; /* findings first, then locks and pipes, a line each */
	size_t n_facts, cap_facts, n_findings;
};

/* Looks. Returns 0 and *ret, freed with top_look_done; or -EIO with one sentence in why. */
int top_look(struct top_source *src, struct top_look *ret, struct buf *why);
void top_look_done(struct top_look *look);

enum top_order { TOP_BY_WAIT, TOP_BY_PID, TOP_BY_NAME, TOP_ORDERS };

/* How it is shown. */
struct top_view {
	enum top_order order;
	char filter[32];          /* only rows that have it; empty: all */
	size_t selected, first;   /* of the rows that are shown */
	bool frozen, has_details; /* details: of the selected thread, instead of the others */
};

/* What a line is, for its colour. */
enum top_kind { TOP_PLAIN, TOP_TITLE, TOP_HEAD, TOP_FINDING, TOP_WAITING, TOP_SELECTED };

/*
 * Calls each for every line of a screen of that size, from the first on; no line is wider, none is empty behind the last
 * one. What is longer than a line goes on in the next ones, where there is room. Sorts the rows, and keeps the selection within them.
 */
void top_lines(struct top_look *look, struct top_view *view, const char *title, size_t width,
	size_t height, void (*each)(void *arg, enum top_kind kind, const char *line), void *arg);

/* A command that is recorded while it is looked at. */
struct top_command {
	/* Set by the caller, borrowed. */
	const char *path; /* of the recording */
	int (*record)(
		int argc, char **argv); /* pptrace run, to be called in a process of its own */
	int argc;
	char **argv; /* its arguments, which say the same path */
	/* Set by top_command_start. */
	pid_t pid;
	FILE *output[2]; /* what the command writes, kept until the screen is free */
	ino_t old_inode; /* of a recording that was there before */
	dev_t old_dev;
	int status; /* of the command, once it has ended */
	bool has_ended;
	char *title;
};

/*
 * Starts it, and returns when there is a recording to look at: 0; or a negative errno: it ended before, or could
 * not be started. top_command_end is due either way.
 */
int top_command_start(struct top_command *c);

/* The title for top_screen; arg: the command. */
const char *top_command_title(void *arg);

/* Ends the command if it runs (SIGTERM), waits for its recording to be closed, prints what it wrote, and returns its status. */
int top_command_end(struct top_command *c);

/* Shows it in the terminal, again every interval_ns, until the user quits; title is asked each time. Returns the exit status. */
int top_screen(
	struct top_source *src, const char *(*title)(void *arg), void *arg, int64_t interval_ns);

#endif
