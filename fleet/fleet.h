/* fleet.h - recordings of many hosts in ClickHouse, and what they say together. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: address.c (where the server is), http.c (one request), server.c (what is said to ClickHouse),
 * columns.c (the tables of a recording), format.c (the tables there), binary.c (their rows as bytes), push.c (a recording into them).
 */
#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct push;
struct server;

/* ---- The server (server.c) ---- */

/*
 * Prepares to speak to the server at url (NULL: PPTRACE_URL), with the password in password_file (NULL:
 * PPTRACE_PASSWORD or PPTRACE_PASSWORD_FILE); nothing is sent yet. What may work later is tried again for patience_ns.
 * Returns 0, closed with server_close; or -errno with a sentence in why.
 */
int server_open(struct server **ret, const char *url, const char *password_file,
	int64_t patience_ns, struct buf *why);
void server_close(struct server *s);

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
 * Prepares to push the recording at path as a part of that run; NULL: run_name. Reads the
 * recording and makes what is missing on the server. Returns 0, closed with push_close; or -errno with a sentence in why.
 */
int push_open(
	struct push **ret, struct server *s, const char *path, const char *run, struct buf *why);
void push_close(struct push *p);

/*
 * Sends what the recording has as of its last commit and what was not sent before: all the first time. Whatever
 * breaks off can be pushed again: every row is there once. Returns 0 and adds to *counts, or -errno with a sentence in why.
 */
int push_round(struct push *p, struct push_counts *counts, struct buf *why);

/* Returns the run as which it is pushed. */
const char *push_run(const struct push *p);

/* Returns the name that a job scheduler or CI service gave what runs here: SLURM_JOB_ID and the like; NULL: none did. */
const char *push_job(void);

#endif
