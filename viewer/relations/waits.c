/* waits.c - the wait-for graph of one moment, as a sketch. */
/* SPDX-License-Identifier: MIT */
/*
 * Threads are subjects; what they wait for is a resource or another subject;
 * from a resource edges lead on to those who could end the wait. What somebody
 * outside the trace ends (sleeps, terminals) is only said in the thread's box.
 */
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/version.h"
#include "schema/query.h"
#include "viewer/load/load.h"
#include "viewer/load/waits.h"
#include "viewer/relations/relations.h"
#include "viewer/load/resource.h"
#include "viewer/draw/sketch.h"

/* Nobody could follow more arrows than that, and Graphviz takes minutes for some thousands. More is read, since what is alike is folded. */
enum { NODES_MAX = 150, EDGES_MAX = 250, NODES_READ = 20000, EDGES_READ = 5000 };
enum { HOLD_ROWS_MAX = 3000000 };

struct waits {
	const struct trace *t;
	sqlite3 *db;
	struct resources res;
	struct sketch *sk;
	int64_t at;
	struct buf ids; /* of the waits that last then, as a JSON array */
	char *why;      /* what went wrong while rows were read; NULL: nothing */
	char *which;    /* after the time: why this moment is shown; NULL: it was asked for */
	size_t left_out, arrows_left_out;
	size_t *living; /* of each process, how many of its threads lived at that moment */
	bool *asked;    /* of each thread, whether the others of its process were connected */
};

static size_t thread_node(struct waits *w, size_t th)
{
	const struct thread_row *row = &w->t->threads[th];
	const struct proc_row *p = &w->t->procs[row->proc];
	_cleanup_free_ char *id = xasprintf("wait-t%lld", (long long)row->id);
	_cleanup_free_ char *detail = row->is_main
					      ? xasprintf("pid %lld", (long long)p->pid)
					      : xasprintf("thread %lld of pid %lld",
							(long long)row->tid, (long long)p->pid);
	size_t node = sketch_find(w->sk, id);

	if (node != SKETCH_NONE)
		return node;
	if (w->sk->n_nodes >= NODES_READ) {
		w->left_out++;
		return SKETCH_NONE;
	}
	node = sketch_node(
		w->sk, SKETCH_SUBJECT, id, trace_thread_name_at(w->t, th, w->at), detail);
	w->sk->nodes[node].row = row->is_main ? xasprintf("row-p%lld", (long long)p->id)
					      : xasprintf("row-t%lld", (long long)row->id);
	if (row->stuck == STUCK_CERTAIN)
		w->sk->nodes[node].mark = MARK_BAD;
	else if (row->stuck == STUCK_CONDITIONAL)
		w->sk->nodes[node].mark = MARK_WARN;
	return node;
}

static size_t proc_node(struct waits *w, size_t p)
{
	return w->t->procs[p].main_thread == NONE ? SKETCH_NONE
						  : thread_node(w, w->t->procs[p].main_thread);
}

static size_t resource_node(struct waits *w, const char *kind, int64_t id, const char *name)
{
	_cleanup_free_ char *node_id = xasprintf("wait-%s%lld", kind, (long long)id);
	size_t node = sketch_find(w->sk, node_id);

	if (node != SKETCH_NONE)
		return node;
	if (w->sk->n_nodes >= NODES_READ) {
		w->left_out++;
		return SKETCH_NONE;
	}
	node = sketch_node(w->sk, SKETCH_RESOURCE, node_id, name, "");
	w->sk->nodes[node].row = xasprintf("row-%s%lld", kind, (long long)id);
	return node;
}

static void add_site(struct buf *b, struct rows *r, int col)
{
	_cleanup_free_ char *file = rows_text(r, col), *function = rows_text(r, col + 2);
	const char *slash = strrchr(file, '/');

	if (*file && !rows_is_null(r, col + 1))
		buf_addf(b, "\n%s:%lld", slash ? slash + 1 : file,
			(long long)rows_int(r, col + 1, 0));
	else if (*function)
		buf_addf(b, "\nin %s()", function);
}

/* An edge between members of a stuck set is part of the reason. */
static enum sketch_mark edge_mark(const struct waits *w, size_t from, size_t to)
{
	enum sketch_mark a = w->sk->nodes[from].mark, b = w->sk->nodes[to].mark;

	if (a == MARK_BAD && (b == MARK_BAD || w->sk->nodes[to].kind == SKETCH_RESOURCE))
		return MARK_BAD;
	if (b == MARK_BAD && w->sk->nodes[from].kind == SKETCH_RESOURCE)
		return MARK_BAD;
	return MARK_NONE;
}

static void connect(struct waits *w, size_t from, size_t to, const char *class, const char *label)
{
	struct sketch_edge *e;

	if (from == SKETCH_NONE || to == SKETCH_NONE)
		return;
	for (size_t i = 0; i < w->sk->n_edges; i++)
		if (w->sk->edges[i].from == from && w->sk->edges[i].to == to &&
			!strcmp(w->sk->edges[i].label, label))
			return;
	if (w->sk->n_edges >= EDGES_READ) {
		w->arrows_left_out++;
		return;
	}
	e = sketch_edge(w->sk, from, to, class, label);
	e->mark = edge_mark(w, from, to);
}

/* The resources of a wait, or its target; SKETCH_NONE if it is for the outside world. */
static size_t wait_target(struct waits *w, struct rows *r, enum wait_reason reason)
{
	const struct lock_row *lock = resources_lock(&w->res, rows_int(r, 4, -1));
	const struct pipe_row *pipe = resources_pipe(&w->res, rows_int(r, 5, -1));
	size_t proc = trace_proc(w->t, rows_int(r, 6, -1));
	size_t thread = trace_thread(w->t, rows_int(r, 7, -1));

	if (lock)
		return resource_node(w, "lock", lock->id, lock->name);
	if (pipe)
		return resource_node(w, "pipe", pipe->id, pipe->long_name);
	if (thread != NONE && reason != WAIT_SIGNAL)
		return thread_node(w, thread);
	if (proc != NONE)
		return proc_node(w, proc);
	return SKETCH_NONE;
}

/* A wait for any child is for all that live. */
static void connect_children(struct waits *w, size_t node, size_t parent, const char *label)
{
	for (size_t i = 0; i < w->t->n_procs && w->sk->n_edges < EDGES_READ; i++) {
		const struct proc_row *p = &w->t->procs[i];

		if (p->parent == parent && p->start <= w->at && p->end > w->at)
			connect(w, node, proc_node(w, i), "waits", label);
	}
}

enum { OTHERS_MAX = 6 };

static bool lives(const struct waits *w, const struct thread_row *th)
{
	return th->start <= w->at && th->end > w->at;
}

/* Counted once for all waits: a process may have as many threads as there are waits. */
static void count_living(struct waits *w)
{
	w->living = xcalloc(w->t->n_procs + 1, sizeof *w->living);
	w->asked = xcalloc(w->t->n_threads + 1, sizeof *w->asked);
	for (size_t i = 0; i < w->t->n_threads; i++)
		w->living[w->t->threads[i].proc] += lives(w, &w->t->threads[i]);
}

/* A semaphore that is used as a lock was taken last by its holder: the thread, or NONE if it is not used so. */
static size_t sem_holder(struct waits *w, int64_t lock_id, size_t waiter)
{
	int64_t id = rows_number(w->db,
		"SELECT s.last_taker_id FROM lock l JOIN lock_stat s ON s.lock_id = l.id WHERE l.id = ?1"
		" AND l.kind = 'sem' AND l.initial = 1 AND l.from_birth AND s.foreign_posts = 0",
		lock_id, -1, &w->why);
	size_t th = trace_thread(w->t, id);

	return th == waiter ? NONE : th;
}

/* Any other thread of the process could signal a condition, post or arrive; shown if they are few. */
static void connect_others(struct waits *w, size_t waiter, size_t node, const char *could)
{
	size_t p = w->t->threads[waiter].proc, first = waiter;

	/* Once per waiter: a hostile file may list a thread several times. */
	if (w->living[p] > OTHERS_MAX + 1 || w->asked[waiter])
		return;
	w->asked[waiter] = true;
	while (first > 0 && w->t->threads[first - 1].proc == p)
		first--;
	for (size_t i = first; i < w->t->n_threads && w->t->threads[i].proc == p; i++)
		if (i != waiter && lives(w, &w->t->threads[i]))
			connect(w, node, thread_node(w, i), "could", could);
}

static void add_wait(struct waits *w, struct rows *r)
{
	size_t th = trace_thread(w->t, rows_int(r, 1, -1)), node, to, holder;
	int64_t start = rows_time(r, 2, 0);
	_cleanup_free_ char *word = rows_text(r, 3), *detail = rows_text(r, 8);
	enum wait_reason reason = wait_find(word);
	_cleanup_buf_ struct buf label = BUF_INIT;

	if (th == NONE || w->t->threads[th].end <= w->at)
		return;
	node = thread_node(w, th);
	if (node == SKETCH_NONE)
		return;
	to = wait_target(w, r, reason);
	buf_adds(&label, wait_words(wait_info(reason), to != SKETCH_NONE));
	if (to == SKETCH_NONE && *detail)
		buf_addf(&label, " (%s)", detail);
	buf_adds(&label, w->at > start ? to == SKETCH_NONE ? ", for " : "\nfor " : "");
	if (w->at > start)
		buf_add_duration(&label, w->at - start);
	if (to != SKETCH_NONE)
		add_site(&label, r, 9);
	if (to != SKETCH_NONE)
		connect(w, node, to, "waits", label.data);
	else
		sketch_line(w->sk, node, "%s", label.data);
	holder = reason == WAIT_SEM && to != SKETCH_NONE ? sem_holder(w, rows_int(r, 4, -1), th)
							 : NONE;
	if (holder != NONE && lives(w, &w->t->threads[holder]))
		connect(w, to, thread_node(w, holder), "held", "last acquired by");
	else if (to != SKETCH_NONE && wait_info(reason)->could)
		connect_others(w, th, to, wait_info(reason)->could);
	if (to == SKETCH_NONE && reason == WAIT_CHILD)
		connect_children(w, node, w->t->threads[th].proc, "waits for a child");
}

#define SITE_COLUMNS "s.file, s.line, s.function"
#define LASTING "IN (SELECT value FROM json_each(?2))"

/* The table is walked in memory, once, and not by each of the queries. */
static char *find_lasting(struct waits *w)
{
	char *why = NULL;
	const struct wait_rows *ws = trace_waits(w->t, w->db, &why);

	buf_addc(&w->ids, '[');
	for (size_t i = 0; ws && i < ws->n; i++)
		if (wait_lasts_at(&ws->list[i], w->at))
			buf_addf(&w->ids, "%s%lld", w->ids.len > 1 ? "," : "",
				(long long)ws->list[i].id);
	buf_addc(&w->ids, ']');
	return why;
}

/* Asks about the moment, ?1, or the waits that last then, LASTING. */
static struct rows ask(const struct waits *w, const char *sql)
{
	struct rows r = rows_begin(w->db, sql);

	rows_bind(&r, 1, w->at);
	if (!r.why)
		(void)sqlite3_bind_text(r.stmt, 2, w->ids.data, -1, SQLITE_STATIC);
	return r;
}

static char *add_waits(struct waits *w)
{
	struct rows r =
		ask(w, "SELECT w.id, w.thread_id, w.start_ns, w.reason, w.lock_id, w.pipe_id,"
		       " w.target_process_id, w.target_thread_id, w.detail, " SITE_COLUMNS
		       " FROM wait w LEFT JOIN site s ON s.id = w.site_id"
		       " WHERE w.id " LASTING " ORDER BY w.start_ns, w.id");

	while (!w->why && rows_next(&r))
		add_wait(w, &r);
	if (w->why) {
		free(rows_end(&r));
		return w->why;
	}
	return rows_end(&r);
}

static char *add_poll_sets(struct waits *w)
{
	struct rows r = ask(w, "SELECT w.thread_id, o.pipe_id, o.process_id, o.fd FROM wait w"
			       " JOIN wait_on o ON o.wait_id = w.id"
			       " WHERE w.id " LASTING " ORDER BY w.id, o.ordinal");

	while (rows_next(&r)) {
		size_t th = trace_thread(w->t, rows_int(&r, 0, -1));
		const struct pipe_row *pipe = resources_pipe(&w->res, rows_int(&r, 1, -1));
		size_t proc = trace_proc(w->t, rows_int(&r, 2, -1));
		_cleanup_free_ char *label =
			xasprintf("polls fd %lld", (long long)rows_int(&r, 3, -1));

		if (th == NONE || w->t->threads[th].end <= w->at)
			continue;
		if (pipe)
			connect(w, thread_node(w, th),
				resource_node(w, "pipe", pipe->id, pipe->long_name), "waits",
				label);
		else if (proc != NONE)
			connect(w, thread_node(w, th), proc_node(w, proc), "waits", label);
	}
	return rows_end(&r);
}

static void add_holder(struct waits *w, struct rows *r)
{
	const struct lock_row *lock = resources_lock(&w->res, rows_int(r, 0, -1));
	size_t th = trace_thread(w->t, rows_int(r, 1, -1));
	_cleanup_free_ char *id = NULL;
	_cleanup_buf_ struct buf label = BUF_INIT;
	bool before_fork;
	size_t node;

	if (!lock || th == NONE)
		return;
	id = xasprintf("wait-lock%lld", (long long)lock->id);
	node = sketch_find(w->sk, id);
	if (node == SKETCH_NONE)
		return;
	/* The child's copy of a lock that a thread of its parent held at fork. */
	before_fork = lock->proc != NONE && lock->proc != w->t->threads[th].proc;
	buf_adds(&label, before_fork ? "acquired before the fork by" : "held by");
	if (w->at > rows_time(r, 2, 0)) {
		buf_adds(&label, "\nfor ");
		buf_add_duration(&label, w->at - rows_time(r, 2, 0));
	}
	add_site(&label, r, 3);
	if (w->t->threads[th].end <= w->at && !before_fork)
		buf_adds(&label, "\nwhich has ended");
	connect(w, node, thread_node(w, th), "held", label.data);
}

static char *add_holders_of(struct waits *w, const char *sql)
{
	struct rows r = rows_begin(w->db, sql);

	rows_bind(&r, 1, w->at);
	while (rows_next(&r))
		add_holder(w, &r);
	return rows_end(&r);
}

#define PAST_HOLDS(more)                                                                           \
	"SELECT h.lock_id, h.thread_id, h.acquire_ns, " SITE_COLUMNS " FROM lock_hold h"           \
	" LEFT JOIN site s ON s.id = h.site_id WHERE h.acquire_ns <= ?1"                           \
	" AND (h.release_ns IS NULL OR h.release_ns > ?1)" more " ORDER BY h.id"

/* Locks still held are in lock_open; others only by a walk through lock_hold, if that is not too long. */
static char *add_holders(struct waits *w)
{
	char *why = NULL;
	int64_t rows = rows_number(w->db, "SELECT max(id) FROM lock_hold", 0, 0, &why);

	if (!why)
		why = add_holders_of(w,
			"SELECT DISTINCT h.lock_id, h.thread_id, h.acquire_ns, " SITE_COLUMNS
			" FROM lock_open h"
			" LEFT JOIN site s ON s.id = h.site_id WHERE h.acquire_ns <= ?1"
			" ORDER BY h.lock_id, h.acquire_ns, h.thread_id");
	if (!why && rows <= HOLD_ROWS_MAX)
		why = add_holders_of(w, version_has(w->db, "lock_hold.count")
						? PAST_HOLDS(" AND h.count IS NULL")
						: PAST_HOLDS(""));
	return why;
}

static bool is_connected(const struct waits *w, size_t from, size_t to)
{
	for (size_t i = 0; i < w->sk->n_edges; i++)
		if (w->sk->edges[i].from == from && w->sk->edges[i].to == to)
			return true;
	return false;
}

/* Where lock operations are not recorded, the lock's memory said who owned it when somebody blocked. */
static char *add_owners(struct waits *w)
{
	struct rows r = ask(w,
		"SELECT lock_id, target_thread_id FROM wait WHERE id " LASTING
		" AND lock_id IS NOT NULL AND target_thread_id IS NOT NULL AND reason <> 'cond' ORDER BY id");

	while (rows_next(&r)) {
		_cleanup_free_ char *id =
			xasprintf("wait-lock%lld", (long long)rows_int(&r, 0, -1));
		size_t node = sketch_find(w->sk, id), th = trace_thread(w->t, rows_int(&r, 1, -1));
		size_t owner = node == SKETCH_NONE || th == NONE ? SKETCH_NONE : thread_node(w, th);

		if (owner != SKETCH_NONE && !is_connected(w, node, owner))
			connect(w, node, owner, "held", "held by");
	}
	return rows_end(&r);
}

/* A process that has the other end of a pipe open could write to it, or read from it. */
static char *add_ends(struct waits *w)
{
	struct rows r = ask(w,
		"WITH side AS MATERIALIZED (SELECT w.pipe_id, w.reason, coalesce(w.side, 0) AS side, min(w.id) AS wait_id"
		" FROM wait w JOIN thread t ON t.id = w.thread_id WHERE w.pipe_id IS NOT NULL AND w.id " LASTING
		" AND (t.end_ns IS NULL OR t.end_ns > ?1) GROUP BY 1, 2, 3)"
		" SELECT e.pipe_id, e.process_id, w.reason = 'pipe-write' FROM side w"
		" JOIN pipe i ON i.id = w.pipe_id JOIN pipe_end e ON e.pipe_id = w.pipe_id"
		" AND CASE WHEN i.kind IN ('socketpair', 'unix', 'tcp', 'pty') THEN e.side <> w.side"
		" WHEN w.reason = 'pipe-write' THEN e.mode IN ('r', 'rw') ELSE e.mode IN ('w', 'rw') END"
		" WHERE e.open_ns <= ?1 AND (e.close_ns IS NULL OR e.close_ns > ?1)"
		" GROUP BY 1, 2, 3 ORDER BY e.pipe_id, e.process_id, min(w.wait_id)");

	while (rows_next(&r)) {
		const struct pipe_row *pipe = resources_pipe(&w->res, rows_int(&r, 0, -1));
		size_t proc = trace_proc(w->t, rows_int(&r, 1, -1));

		if (pipe && proc != NONE && w->t->procs[proc].end > w->at)
			connect(w, resource_node(w, "pipe", pipe->id, pipe->long_name),
				proc_node(w, proc), "held",
				rows_int(&r, 2, 0) ? "can be read by" : "can be written by");
	}
	return rows_end(&r);
}

enum { SETS_SHOWN = 10 };

static void add_notes(struct waits *w)
{
	size_t stuck = 0;
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_addf(&b, "who waits for whom at ");
	buf_add_duration(&b, w->at);
	if (w->which || w->at >= w->t->duration)
		buf_addf(&b, ", %s", w->which ? w->which : "the end of the trace");
	sketch_note(w->sk, b.data);
	for (size_t i = 0; i < w->t->n_findings; i++) {
		const struct finding_row *f = &w->t->findings[i];

		if (finding_is_stuck(f) && stuck++ < SETS_SHOWN)
			sketch_note(w->sk, f->summary);
	}
	if (stuck > SETS_SHOWN) {
		_cleanup_free_ char *more =
			xasprintf("and %zu more that are stuck; 'pptrace diagnose' lists all",
				stuck - SETS_SHOWN);

		sketch_note(w->sk, more);
	}
	if (!w->sk->n_nodes)
		sketch_note(w->sk, "no thread was waiting then; --at TIME shows another moment");
	if (w->left_out)
		sketch_note(w->sk, "there are more threads than are shown here");
	if (w->arrows_left_out)
		sketch_note(w->sk, "there are more arrows than are shown here");
}

static void fold(struct waits *w)
{
	size_t nodes, edges;

	sketch_fold(w->sk);
	sketch_limit(w->sk, NODES_MAX, EDGES_MAX, &nodes, &edges);
	w->left_out += nodes;
	w->arrows_left_out += edges;
}

struct sketch *waits_sketch(const struct relations_input *in, char **ret_why)
{
	static char *(*const steps[])(struct waits *) = {
		find_lasting, add_waits, add_poll_sets, add_holders, add_owners, add_ends};
	const struct trace *t = in->trace;
	struct waits w = {.t = t, .db = in->db, .at = in->at_ns, .ids = BUF_INIT};
	char *why = resources_load(&w.res, in->db, t);

	if (!why && in->at_ns == TIME_NEVER)
		w.at = trace_moment(t, in->db, &w.which, &why);
	w.sk = sketch_new("waits", t->title);
	w.sk->down = true;
	count_living(&w);
	for (size_t i = 0; !why && i < ARRAY_SIZE(steps); i++)
		why = steps[i](&w);
	if (!why)
		why = relations_add_unwritten(w.sk, t, in->db, "wait-t", true);
	if (!why)
		fold(&w);
	resources_done(&w.res);
	buf_done(&w.ids);
	free(w.living);
	free(w.asked);
	if (why) {
		*ret_why = why;
		sketch_free(w.sk);
		w.sk = NULL;
	} else {
		add_notes(&w);
	}
	free(w.which);
	return w.sk;
}
