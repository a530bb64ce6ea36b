/* fleet.h - recordings of many hosts in ClickHouse, and what they say together. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: address.c (where the server is), http.c (one request), server.c (what is said to ClickHouse),
 * columns.c (the tables of a recording), format.c (the tables there), cluster.c (on one server or on many), binary.c (their rows as
 * bytes), batch.c (rows on their way), push.c (a recording into them); hosts.c (which recordings a run has), ahead.c (questions asked before their
 * answers are wanted), read.c (their rows), pull.c (one as a file again). Then run/: all of a run.
 */
#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct findings;
struct hash;
struct push;
struct server;
struct sqlite3;

/* ---- The server (server.c) ---- */

/*
 * Prepares to speak to the server at url (NULL: PPTRACE_URL), with the password in password_file (NULL:
 * PPTRACE_PASSWORD or PPTRACE_PASSWORD_FILE); nothing is sent yet. What may work later is tried again for patience_ns.
 * Returns 0, closed with server_close; or -errno with a sentence in why.
 */
int server_open(struct server **ret, const char *url, const char *password_file,
	int64_t patience_ns, struct buf *why);
void server_close(struct server *s);

/*
 * Says on which of its clusters tables that are missing are to be made (cluster.c); "": on the server alone. Returns 0, or -EINVAL
 * with a sentence in why: that can be no name.
 */
int server_set_cluster(struct server *s, const char *name, struct buf *why);

/* Return "http://host:8123" and the name of the database. */
const char *server_name(const struct server *s);
const char *server_database(const struct server *s);

/*
 * Runs a statement of a user's, which may only read; its answer, in a format of ClickHouse's ("JSON", "CSVWithNames"),
 * is handed on as it comes: data returns 0, or -errno to break off. Returns 0, or -EIO with a sentence in why.
 */
int server_query(struct server *s, const char *sql, const char *format,
	int (*data)(void *arg, const char *data, size_t len), void *arg, struct buf *why);

/* ---- Sending (push.c) ---- */

/* What was sent. */
struct push_counts {
	uint64_t rows, bytes; /* bytes: before they were compressed */
	uint64_t retries;
	bool was_there; /* all of it had been pushed before: nothing was sent */
	bool complete;  /* the recording is closed: it will not grow any more */
};

/*
 * Prepares to push the recording at path as a part of that run; NULL: push_job, or a run of its own. Reads the
 * recording and makes what is missing on the server. Returns 0, closed with push_close; -ENODATA: it was made a moment
 * ago, and nothing is in it yet; or -errno, with a sentence in why.
 */
int push_open(
	struct push **ret, struct server *s, const char *path, const char *run, struct buf *why);
void push_close(struct push *p);

/*
 * Sends what the recording has as of its last commit and what was not sent before: all the first time. Whatever
 * breaks off can be pushed again: every row is there once. Returns 0 and adds to *counts, or -errno with a sentence in why.
 */
int push_round(struct push *p, struct push_counts *counts, struct buf *why);

/* Says whether the recording will not grow any more, or cannot be read. */
bool push_is_closed(const struct push *p);

/* Returns the run as which it is pushed. */
const char *push_run(const struct push *p);

/* Returns the name that a job scheduler or CI service gave what runs here: PPTRACE_RUN, SLURM_JOB_ID and the like; NULL: none did. */
const char *push_job(void);

/* ---- Reading (hosts.c, pull.c) ---- */

/* One recording of a run. */
struct fleet_host {
	char *run, *trace_id, *host;
	char *label; /* what it is called: its host, unless several have the same name */
	char *backend, *command;
	int64_t started_unix_ns, duration_ns;
	int exit_code, exit_signal; /* -1: none */
	bool complete, attached;
	bool whole; /* all that the recording had is there: no push is under way, or broke off */
	bool once;  /* no row of it is there twice: it was pushed at one go */
	uint64_t lost, pushed;
};

struct fleet_hosts {
	struct fleet_host *list; /* by run, host and start */
	size_t n;
	struct hash *by_trace; /* place in the list, + 1 */
};

/*
 * Reads which recordings a run has; run NULL: those of all runs. Returns 0, freed with fleet_hosts_done; -ENOENT: there is no such
 * run; or -errno, with a sentence in why.
 */
int fleet_hosts(struct server *s, const char *run, struct fleet_hosts *ret, struct buf *why);
void fleet_hosts_done(struct fleet_hosts *hosts);

/* Writes a recording into a new file, as it was pushed; an older file is kept as path.old. Returns 0, or -errno with a sentence in why. */
int fleet_pull(struct server *s, const struct fleet_host *h, const char *path, struct buf *why);

/* ---- All hosts of a run as one recording (run/) ---- */

/* Up to when what a host recorded counts. */
struct fleet_cut {
	int64_t shift_ns; /* what is added to the moments of its recording: its start after that of the first host */
	int64_t ahead_ns; /* by so much its clock was ahead of that of the first host, which shift_ns corrects */
	int64_t apart_ns; /* so far its clock may be from that of the first host, corrected by shift_ns; -1: no messages tell */
	int64_t stepped_ns; /* by so much its time of day was set while it was recorded */
	int64_t at_ns;      /* since the start of the first host */
	int64_t end_ns;     /* its end, or its last commit */
	int signo;          /* the signal from outside that ended what ran there; 0: none did */
};

/* A connection between two hosts: pipes of both, of which the other one's rows are now the first one's. */
struct fleet_joined {
	int64_t pipe_id, other_id;
	int side, other_side; /* that each of the hosts holds, as its recording has it */
};

/* How much of a run is loaded. */
enum fleet_extent {
	FLEET_VERDICT, /* up to the moment before somebody outside ended it, and only what a verdict on what is stuck needs */
	FLEET_CUT,     /* the same, and what other questions need */
	FLEET_WHOLE,   /* up to the end of each host */
};

struct fleet_graph {
	struct sqlite3 *db; /* tables and views as in a file, in memory */
	const struct fleet_hosts *hosts;
	struct fleet_cut *cuts; /* of each host */
	struct fleet_joined *joined;
	size_t n_joined;
	enum fleet_extent extent;
	int64_t start_unix_ns; /* 0 on the axis of all */
	size_t n_doubtful;     /* addresses that several connections have: those were not joined */
	size_t n_apart; /* connections on which somebody waits, and whose other side no recording has */
};

/* Returns the number above which the ids of a host are. */
int64_t fleet_first_id(size_t host);

/*
 * Loads the small tables of the hosts of one run, which stay the caller's, and joins the connections between
 * them. Returns 0, freed with fleet_graph_done; or -errno with a sentence in why.
 */
int fleet_load(struct server *s, const struct fleet_hosts *hosts, enum fleet_extent extent,
	struct fleet_graph *ret, struct buf *why);
void fleet_graph_done(struct fleet_graph *g);

/* Adds what happened before: the longest waits and holds, the messages between hosts. Returns 0, or -EIO with a sentence in why. */
int fleet_past(struct server *s, const struct fleet_graph *g, struct buf *why);

/* Writes it into a new file, for every command that reads one; an older file is kept as path.old. Returns 0, or -errno with a sentence in why. */
int fleet_save(const struct fleet_graph *g, const char *path, struct buf *why);

/* Finds what is stuck across hosts: sets whose members are on several. Returns 0, freed with findings_free; or -errno with a sentence in why. */
int fleet_stuck(
	struct server *s, const struct fleet_graph *g, struct findings *ret, struct buf *why);

/*
 * Adds a line for each thread of a host that waits: for what, since when, where, and which processes have the other side of a
 * connection. Says nothing of sleeps. Returns 0, or -EIO with a sentence in why.
 */
int fleet_waits(const struct fleet_graph *g, size_t host, struct buf *out, struct buf *why);

/*
 * Finds what the ranks of MPI jobs on several hosts did that does not fit together: collective calls, messages that nobody received. Returns as
 * fleet_stuck.
 */
int fleet_mpi(struct server *s, const struct fleet_graph *g, struct findings *ret, struct buf *why);

/*
 * Reads the errors and warnings that the recordings of the hosts have of their own, with the host's name before each. Returns as
 * fleet_stuck.
 */
int fleet_findings(
	struct server *s, const struct fleet_graph *g, struct findings *ret, struct buf *why);

#endif
