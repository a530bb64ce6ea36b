/* run.h - all hosts of a run as one recording, and what that says: what the files of this folder share. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: cut.c (up to when each host counts), clocks.c (how far clocks are apart), wanted.c (which rows are fetched), fetch.c (rows
 * of all hosts), load.c (all of a run as one recording), join.c (connections between hosts), past.c (what happened before), waits.c (what one waits
 * for), proof.c (that nothing was under way), diagnose.c (what is stuck across them), findings.c (what each says alone).
 */
#ifndef FLEET_RUN_RUN_H
#define FLEET_RUN_RUN_H

#include "base/hash.h"
#include "fleet/private.h"

struct finding;

/* ---- Up to when a host counts (cut.c) ---- */

/* Finds it for each host, by the processes and signals that are loaded. Returns 0 or -EIO with a sentence in why. */
int cut_find(struct fleet_graph *g, struct buf *why);

/* Adds the expression of ClickHouse's that yields, of a row, up to when its recording counts, by its own clock. */
void cut_expression(struct buf *sql, const struct fleet_graph *g);

/* Returns the first of those moments. */
int64_t cut_first(const struct fleet_graph *g);

/* Says whether there is something to cut off of that host. */
bool cut_is_before_end(const struct fleet_cut *cut);

/* Says whether what a row tells of began at that moment: then it is not there where that is later than the cut. */
bool cut_is_begin(const struct column *c);

/* Says whether the table of that name is cut by cut_apply, not while it is read. */
bool cut_is_later(const char *table);

/* Cuts those, when all is loaded. Returns as cut_find. */
int cut_apply(const struct fleet_graph *g, const struct tables *tables, struct buf *why);

/* ---- Which rows (wanted.c) ---- */

/* Says whether rows of a table are fetched by what they are. */
bool wanted_is(const struct fleet_graph *g, const struct table *t);

/* Says whether which of them depends on when the hosts are cut. */
bool wanted_names_cut(const struct fleet_graph *g, const char *table);

/* Return ClickHouse's SQL, which the caller frees: for those that are wanted, and as struct read_table's first. */
char *wanted_condition(const struct fleet_graph *g, const char *table);
char *wanted_first(const struct fleet_graph *g, const char *table);

/* Adds "run = ...". */
void wanted_add_run(struct buf *sql, const struct fleet_graph *g);

/* What others name that were fetched before: rows by a column, and SQLite's SQL for which. */
struct wanted_named {
	const char *table, *column, *ids;
	bool also; /* beside those that are fetched by what they are */
};

/* Returns a list that ends with a table of NULL. */
const struct wanted_named *wanted_named(const struct fleet_graph *g);

/* ---- Rows of all hosts (fetch.c) ---- */

struct fetching;

/* Prepares to fetch into g->db. Returns 0, freed with fetch_free, or -EIO with a sentence in why. */
int fetch_new(struct fetching **ret, struct server *s, struct fleet_graph *g, struct buf *why);
void fetch_free(struct fetching *f);

/* To be called in this order; they return as fetch_new. fetch_begin: asks for what can be asked for before it is known when hosts are cut. */
int fetch_begin(struct fetching *f, struct buf *why);
/* Takes that, with shift_ns as it is. */
int fetch_early(struct fetching *f, struct buf *why);
/* Corrects it by ahead_ns, finds when each host is cut, and fetches the rest, cut there. */
int fetch_rest(struct fetching *f, struct buf *why);

/* Fetches more rows of a table: those for which the condition (ClickHouse's SQL) is true. */
int fetch_more(struct fetching *f, const char *table, const char *condition, struct buf *why);

/* ---- All of a run (load.c) ---- */

/* Adds the rows of a table for which the condition (ClickHouse's SQL) is true to what is loaded. Returns 0, or -EIO with a sentence in why. */
int load_more(struct server *s, const struct fleet_graph *g, const char *table,
	const char *condition, struct buf *why);

/* ---- Connections (join.c) ---- */

int join_sockets(struct fleet_graph *g, struct buf *why);

/* ---- Clocks (clocks.c) ---- */

/* Sets shift_ns of each host by what its clocks showed last. Returns 0 or -EIO with a sentence in why. */
int clocks_read(struct server *s, struct fleet_graph *g, struct buf *why);

struct clocks;

/* Begins to ask about messages between the hosts. Returns 0, freed with clocks_free, or as clocks_read. */
int clocks_ask(struct clocks **ret, struct server *s, const struct fleet_graph *g, struct buf *why);
void clocks_free(struct clocks *c);

/*
 * Finds by those messages how far the clocks may be apart, and sets apart_ns of each host; corrects shift_ns where they
 * cannot agree. Returns as clocks_read.
 */
int clocks_bound(struct clocks *c, struct fleet_graph *g, struct buf *why);

/* ---- What was under way (proof.c) ---- */

struct proof {
	const struct fleet_graph *graph;
	struct ahead *ahead;
	size_t n_questions;      /* that were asked and not read yet */
	struct hash by_pipe;     /* place of a joined connection in the list, + 1 */
	struct hash by_side;     /* of each recording: place in traffic, + 1 */
	struct traffic *traffic; /* two of each connection */
	bool *asked, *empty;     /* of each connection; empty: nothing was under way */
};

/* Begins to ask what was under way on the joined connections from which anybody waits to read. Returns 0, freed with proof_done, or -EIO with a sentence in why. */
int proof_ask(
	struct proof *ret, const struct server *s, const struct fleet_graph *g, struct buf *why);
void proof_done(struct proof *p);

/* Reads the answer. Returns as proof_ask. */
int proof_read(struct proof *p, struct buf *why);

/* Says whether the finding is certain. Returns 1, 0, or -EIO with a sentence in why. */
int proof_holds(const struct proof *p, const struct finding *f, struct buf *why);

#endif
