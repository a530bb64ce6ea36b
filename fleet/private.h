/* private.h - what the files of this folder share. */
/* SPDX-License-Identifier: MIT */
#ifndef FLEET_PRIVATE_H
#define FLEET_PRIVATE_H

#include "base/buf.h"
#include "base/hash.h"
#include "fleet/columns.h"
#include "fleet/fleet.h"
#include "schema/names.h"

#include <sqlite3.h>

/* ---- Where the server is, and as whom to speak to it (address.c) ---- */

struct address {
	char *base;     /* "http://host:8123" */
	char *database; /* a plain name: letters, digits, _ */
	char *user, *password;
};

/*
 * Reads url, or PPTRACE_URL where it is NULL: http[s]://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]. Then PPTRACE_USER,
 * PPTRACE_PASSWORD and the file (password_file, or PPTRACE_PASSWORD_FILE). A password in url itself, which everybody sees
 * in ps, is refused. Returns 0, freed with address_done; or -EINVAL or -EACCES with a sentence in why.
 */
int address_read(struct address *ret, const char *url, const char *password_file, struct buf *why);
void address_copy(struct address *ret, const struct address *a);
void address_done(struct address *a);

/* ---- One request (http.c) ---- */

struct http;

/* What comes back, as it comes. Returns 0, or -errno to break the request off. */
typedef int (*http_data)(void *arg, const char *data, size_t len);

/*
 * Loads libcurl, which no other command needs. Returns 0, freed with http_free; or -ENOSYS with a sentence in why:
 * it is not installed.
 */
int http_new(struct http **ret, const struct address *a, struct buf *why);
void http_free(struct http *h);

/* Returns text as a part of a URL, which the caller frees. */
char *http_escape(const char *text);

/*
 * Posts body to the address with these parameters ("query=...&decompress=1"). Returns the HTTP status, after which what came was
 * handed to data if the status is 200, and is kept as the refusal otherwise; or -EIO with a sentence in why: there was no
 * answer, or data broke off.
 */
int http_post(struct http *h, const char *parameters, const void *body, size_t len, http_data data,
	void *arg, struct buf *why);

/* Returns what came with a status other than 200; borrowed until the next request. */
const char *http_refusal(const struct http *h);

/* ---- What is said to ClickHouse (server.c) ---- */

struct server {
	struct address address;
	struct http *http;
	int64_t patience_ns; /* how long to try again what may work later */
	uint64_t retries;    /* how often that was needed */
	struct buf columns; /* the columns that are there, " wait_rows.id ": read by format_check */
	bool nowhere;       /* what is said is about no database, which may not be there yet */
	char *cluster;      /* on which the tables lie, or are to be made; NULL: on this server */
	bool is_each_alone; /* the cluster has nobody who makes them on all of its servers */
	int code;           /* of the last refusal: ClickHouse's number, or 0 */
};

/* Prepares to speak to the same server over a connection of its own, to read. Returns as server_open; closed with server_close. */
int server_again(struct server **ret, const struct server *s, struct buf *why);

/* Adds text as a string of ClickHouse's SQL, with its quotes. */
void server_quote(struct buf *sql, const char *text);

/* Runs a statement that may be repeated. out: what it answers, or NULL. Returns 0, or -EIO with a sentence in why. */
int server_ask(struct server *s, const char *sql, struct buf *out, struct buf *why);

/* Returns the one number that sql answers, in *ret. Returns as server_ask. */
int server_number(struct server *s, const char *sql, uint64_t *ret, struct buf *why);

/* Walks the lines of an answer: returns the next one, ended by a zero, or NULL. *rest is its text at first, or NULL. */
char *server_line(char **rest);

/* Cuts a line at its tabs into n fields, which are borrowed from it. Returns 0, or as server_odd: it has fewer. */
int server_fields(char *line, char **fields, size_t n, struct buf *why);

/* Returns -EIO, with the sentence in why that an answer is none to what was asked. */
int server_odd(struct buf *why);

/* Reads the answer to sql piece by piece; it is not asked again once something has come. Returns as server_ask. */
int server_read(struct server *s, const char *sql, http_data data, void *arg, struct buf *why);

/* Sends rows in the format that insert ("INSERT INTO ... FORMAT RowBinary") names. They are there as a whole, or not at all. Returns as server_ask. */
int server_insert(
	struct server *s, const char *insert, const void *rows, size_t len, struct buf *why);

/* ---- On one server, or on many (cluster.c) ---- */

/*
 * Finds on which cluster the tables lie, which must be that of server_set_cluster where there is one. Returns 0; or with a sentence in
 * why -EPROTO: they lie elsewhere, or the server knows no such cluster; or -EIO.
 */
int cluster_find(struct server *s, struct buf *why);

/*
 * These return as server_ask. cluster_make_table: body is what follows CREATE TABLE and the name; shard_by is the expression that
 * yields where a row goes. cluster_say: "VERB database.name REST", on all servers of the cluster.
 */
int cluster_make_database(struct server *s, struct buf *why);
int cluster_make_table(struct server *s, const char *name, const char *body, const char *shard_by,
	struct buf *why);
int cluster_alter(struct server *s, const char *name, const char *change, struct buf *why);
int cluster_say(
	struct server *s, const char *verb, const char *name, const char *rest, struct buf *why);

/* Asks whether all servers have the same tables and columns. Returns 0, or -EIO with a sentence in why. */
int cluster_check(struct server *s, struct buf *why);

/* ---- The tables there (format.c) ---- */

/* The columns that every table there has before and after those of the recording. */
struct origin {
	const char *run, *trace_id, *host;
	uint64_t pushed; /* of two rows with the same key the later one counts */
};

/* Makes what is missing of database, tables and views; refuses what is not ours or too new. Returns 0, or -EIO or -EPROTO with a sentence in why. */
int format_make(struct server *s, const struct tables *t, struct buf *why);

/* Checks that a database is there and can be read by this version. Returns as format_make. */
int format_check(struct server *s, struct buf *why);

/* Says whether the table has the column host itself. */
bool format_has_host(const struct table *t);

/* Adds the names of the columns of the recording, with commas, after those that tell where a row is from ("run, trace_id, host, row"). */
void format_columns(struct buf *sql, const struct table *t);

/* Adds what reads the columns of the recording alone: an older table may lack some, and then has NULL there. After format_check. */
void format_own_columns(const struct server *s, struct buf *sql, const struct table *t);

/* ---- Rows as ClickHouse's RowBinary (binary.c) ---- */

void binary_add_number(struct buf *b, uint64_t n);
void binary_add_text(struct buf *b, const void *text, size_t len);

/* Adds a value of the column from column i of the row, or its default where there is none (i < 0: an older recording lacks it). */
void binary_add_value(struct buf *b, const struct column *c, sqlite3_stmt *row, int i);

/* What is left to read. bad: it ended inside of a value. */
struct binary_reader {
	const char *at, *end;
	bool bad;
};

/* Returns a number of 8 bytes; 0, and bad is set, where fewer are left. */
uint64_t binary_number(struct binary_reader *r);

/* Returns a text that is borrowed from what is read; empty, and bad is set, where it is cut off. */
const char *binary_text(struct binary_reader *r, size_t *ret_len);

/* Binds the next value, of that column, to mark i of a statement. */
void binary_bind(struct binary_reader *r, const struct column *c, sqlite3_stmt *stmt, int i);

/* ---- Rows on their way (batch.c) ---- */

struct batch;

/* Collects rows for that INSERT; the server and the counts, of what has arrived, stay the caller's. Freed with batch_free, which sends no more. */
struct batch *batch_new(struct server *s, const char *insert, struct push_counts *counts);
void batch_free(struct batch *b);

/* Returns where the next row is to be added; borrowed until batch_row. */
struct buf *batch_rows(struct batch *b);

/*
 * Says that a row was added as a whole, and begins to send what is enough for a request, in a thread: until batch_end the server is
 * not the caller's. Returns 0, or -EIO with a sentence in why: of what was sent before.
 */
int batch_row(struct batch *b, struct buf *why);

/* How many rows are kept that nobody has begun to send. */
uint64_t batch_kept(const struct batch *b);

/* Sends the rest, and waits until all has arrived. Returns as batch_row. */
int batch_end(struct batch *b, struct buf *why);

/* ---- Which recordings (hosts.c) ---- */

/* Returns the place of a recording in the list; -1: it is not there. */
int hosts_find(const struct fleet_hosts *hosts, const char *trace_id, size_t len);

/* How many of them may have a row twice. */
size_t hosts_n_twice(const struct fleet_hosts *hosts);

/* Adds " FROM `TABLE_rows` WHERE `gone` = 0 AND `run` = ..." of one run, with FINAL where that is needed. */
void hosts_from(struct buf *sql, const struct fleet_hosts *hosts, const char *table);

/* Adds the condition that a column is one of those n ids (fleet_first_id), which it sorts. There is at least one. */
void hosts_are_among(struct buf *sql, const struct fleet_hosts *hosts, const char *column,
	int64_t *ids, size_t n);

/* ---- Questions asked before their answers are wanted (ahead.c) ---- */

struct ahead;

/* Prepares to ask that server, over a connection and in a thread of its own. Returns 0, freed with ahead_free, or as server_open. */
int ahead_new(struct ahead **ret, const struct server *s, struct buf *why);
void ahead_free(struct ahead *a);

/* Asks when what was asked before is answered. It takes sql, which is to be freed. */
void ahead_ask(struct ahead *a, char *sql);

/* Reads the answer to the first question that was not read yet. Returns as server_read. */
int ahead_read(struct ahead *a, http_data data, void *arg, struct buf *why);

/* ---- Rows into SQLite (read.c) ---- */

enum read_change { READ_AS_IT_IS, READ_AS_NULL, READ_NO_ROW };

struct read_table {
	const struct fleet_hosts *hosts; /* whose rows */
	const struct table *table;
	const char *condition; /* which rows: ClickHouse's SQL */
	const char *first; /* a condition that most other rows do not meet; NULL: there is none */
	/* Returns the number of a recording, or -1 to leave the row out. */
	int (*host_of)(void *arg, const char *trace_id, size_t len);
	/* Sets what to store for a number of that recording, or says that it is NULL, or that the row is not to be there; NULL: all as it is. */
	enum read_change (*change)(void *arg, int host, const struct column *c, int64_t *n);
	void *arg;
};

/* Inserts the rows that are there into the table of the same name. Returns 0, or -EIO with a sentence in why. */
int read_rows(struct server *s, struct sqlite3 *db, const struct read_table *t, struct buf *why);

/* The same in two steps, of which the second one needs no condition: what is asked for first is taken first. */
void read_ask(struct ahead *a, const struct server *s, const struct read_table *t);
int read_take(struct ahead *a, struct sqlite3 *db, const struct read_table *t, struct buf *why);

#endif
