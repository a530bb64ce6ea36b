/* providers_mpi.c - what ranks of MPI jobs rest on that wait for messages and for each other. */
/* SPDX-License-Identifier: MIT */
/*
 * A receive rests on the rank that it names, unless a message that fits has been sent and not received; a send that waits
 * for its receiver rests on that one, unless it is about to take the message; a collective call rests on each
 * member that has not made it. Ranks are found by their job's name, on whatever host they are; who is not in the trace can go on.
 */
#include "verdict/graph/private.h"

#include "base/clock.h"
#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

/* Messages that a library may keep, and calls that it may let return early, count as waits when they have lasted so long. */
#define BUFFERED_NS 1000000000

struct mpi_rank {
	int64_t process_id;
	uint32_t process;  /* index; STATE_NONE: it has ended */
	bool is_finished;  /* it has ended, or called MPI_Finalize */
	bool is_ambiguous; /* there are two of them */
	int64_t rank, size;
	uint64_t job; /* a hash of its name */
};

struct mpi_ranks {
	struct mpi_rank *list;
	size_t n, cap;
	struct hash by_number, by_process; /* index + 1 */
};

/* One row of mpi_need, and whose it is. */
struct need {
	const char *role;
	int64_t comm_id, key; /* key 0: the communicator is not known */
	int64_t peer, tag, seq;
	const char *op;
};

void providers_mpi_free(struct mpi_ranks *ranks)
{
	if (!ranks)
		return;
	free(ranks->list);
	hash_done(&ranks->by_number);
	hash_done(&ranks->by_process);
	free(ranks);
}

static uint64_t number_key(uint64_t job, int64_t rank)
{
	return hash_mix(job, (uint64_t)rank, 7);
}

static void add_rank(struct providers *pr, struct mpi_ranks *all, sqlite3_stmt *row)
{
	const char *job = query_text(row, 1);
	struct mpi_rank r = {.process_id = query_int(row, 0, 0),
		.job = hash_bytes(job, strlen(job)),
		.rank = query_int(row, 2, 0),
		.size = query_int(row, 3, 0)};
	uint64_t key = number_key(r.job, r.rank);
	uintptr_t known = (uintptr_t)hash_get(&all->by_number, key);

	r.process = state_process(pr->st, r.process_id);
	if (r.process != STATE_NONE && !pr->st->processes[r.process].alive)
		r.process = STATE_NONE;
	r.is_finished = r.process == STATE_NONE || query_int(row, 4, INT64_MAX) <= pr->st->now_ns;
	/* A job that was started again under its name: the later one counts, unless both are there. */
	r.is_ambiguous = known && all->list[known - 1].process != STATE_NONE;
	ARRAY_GROW(all->list, all->n, all->cap);
	all->list[all->n++] = r;
	(void)hash_set(&all->by_number, key, (void *)(uintptr_t)all->n);
	(void)hash_set(&all->by_process, (uint64_t)r.process_id, (void *)(uintptr_t)all->n);
}

static struct mpi_ranks *ranks_of(struct providers *pr)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc;

	if (pr->mpi)
		return pr->mpi;
	pr->mpi = xcalloc(1, sizeof *pr->mpi);
	rc = query_one(pr->st->db,
		"SELECT id, mpi_job, mpi_rank, mpi_size, mpi_end_ns FROM process WHERE mpi_job <> ''"
		" AND coalesce(start_ns, 0) <= ?1 ORDER BY start_ns, id",
		pr->st->now_ns, &row, pr->st->why);
	for (; rc > 0; rc = query_step(row, pr->st->why))
		add_rank(pr, pr->mpi, row);
	return pr->mpi;
}

static const struct mpi_rank *rank_at(const struct mpi_ranks *all, uintptr_t index)
{
	return index ? &all->list[index - 1] : NULL;
}

/* Returns the rank that a process is, or NULL. */
static const struct mpi_rank *rank_of(struct providers *pr, uint32_t process)
{
	struct mpi_ranks *all = ranks_of(pr);

	return rank_at(all,
		(uintptr_t)hash_get(&all->by_process, (uint64_t)pr->st->processes[process].id));
}

/* Returns that rank of the same job, or NULL: it is not in the trace. */
static const struct mpi_rank *find_rank(
	struct providers *pr, const struct mpi_rank *me, int64_t rank)
{
	struct mpi_ranks *all = ranks_of(pr);
	const struct mpi_rank *r =
		rank_at(all, (uintptr_t)hash_get(&all->by_number, number_key(me->job, rank)));

	return r && !r->is_ambiguous ? r : NULL;
}

/* The node of what a rank may still do; of one that is at its end, nothing. */
static uint32_t node_of(struct providers *pr, const struct mpi_rank *r)
{
	uint32_t node;

	if (!r)
		return LIVE;
	if (!r->is_finished)
		return pr->process_node[r->process];
	(void)providers_shared(pr, SHARE_NOBODY, 0, FIXPOINT_ANY, &node);
	return node;
}

/* ---- Messages ---- */

/* Says whether one that has the tag of n (-1: any) was sent and not received. */
static bool is_under_way(struct providers *pr, const struct mpi_rank *from,
	const struct mpi_rank *to, const struct need *n)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = query_open(pr->st->db,
		"SELECT 1 FROM mpi_traffic t LEFT JOIN mpi_comm c ON c.id = t.comm_id"
		" WHERE t.process_id = ?1 AND t.peer = ?2 AND coalesce(c.key, 0) = ?3 AND ?4 IN (t.tag, -1)"
		" AND t.sent > (SELECT coalesce(sum(r.received), 0) FROM mpi_traffic r"
		"  LEFT JOIN mpi_comm d ON d.id = r.comm_id WHERE r.process_id = ?5 AND r.peer = ?6"
		"  AND r.tag = t.tag AND coalesce(d.key, 0) = ?3) LIMIT 1",
		&row, pr->st->why);

	if (rc)
		return true;
	query_bind_int(row, 1, from->process_id);
	query_bind_int(row, 2, to->rank);
	query_bind_int(row, 3, n->key);
	query_bind_int(row, 4, n->tag);
	query_bind_int(row, 5, to->process_id);
	query_bind_int(row, 6, from->rank);
	return query_step(row, pr->st->why) != 0;
}

/* A receive from anybody in a communicator: node, an ANY node, rests on each of them. False: it can end. */
static bool rest_on_members(
	struct providers *pr, const struct mpi_rank *me, const struct need *n, uint32_t node);

static uint32_t on_receive(struct providers *pr, const struct mpi_rank *me, const struct need *n)
{
	const struct mpi_rank *from;
	uint32_t node;

	if (n->peer >= 0) {
		from = find_rank(pr, me, n->peer);
		return !from || is_under_way(pr, from, me, n) ? LIVE : node_of(pr, from);
	}
	if (!n->key)
		return LIVE;
	node = fixpoint_add(&pr->graph, FIXPOINT_ANY);
	return rest_on_members(pr, me, n, node) ? node : LIVE;
}

/* Says whether a rank takes a message of mine, now or as soon as its library looks: it has posted a receive for it, or waits for it. */
static bool takes(struct providers *pr, const struct mpi_rank *to, const struct mpi_rank *me,
	const struct need *n)
{
	const struct state *st = pr->st;
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = query_open(st->db,
		"SELECT 1 FROM mpi_traffic t LEFT JOIN mpi_comm c ON c.id = t.comm_id WHERE t.process_id = ?1"
		" AND t.posted > 0 AND t.peer IN (?2, -1) AND t.tag IN (?3, -1) AND coalesce(c.key, 0) = ?4"
		" UNION ALL SELECT 1 FROM mpi_need n JOIN wait w ON w.id = n.wait_id"
		" JOIN thread h ON h.id = w.thread_id LEFT JOIN mpi_comm c ON c.id = n.comm_id"
		" WHERE h.process_id = ?1 AND n.role = 'receive' AND n.peer IN (?2, -1) AND n.tag IN (?3, -1)"
		" AND coalesce(c.key, 0) = ?4 AND w.start_ns <= ?5 AND (w.end_ns IS NULL OR w.end_ns > ?5) LIMIT 1",
		&row, st->why);

	if (rc)
		return true;
	query_bind_int(row, 1, to->process_id);
	query_bind_int(row, 2, me->rank);
	query_bind_int(row, 3, n->tag);
	query_bind_int(row, 4, n->key);
	query_bind_int(row, 5, st->now_ns);
	return query_step(row, st->why) != 0;
}

static uint32_t on_send(struct providers *pr, const struct mpi_rank *me, const struct need *n)
{
	const struct mpi_rank *to = find_rank(pr, me, n->peer);

	/* One that has been received is about to be acknowledged. */
	if (!to || !is_under_way(pr, me, to, n) || takes(pr, to, me, n))
		return LIVE;
	return node_of(pr, to);
}

/* ---- Collective calls ---- */

/* Says whether a rank has made the call, or a later one; one that it made instead does not count. */
static bool has_entered(struct providers *pr, const struct mpi_rank *r, const struct need *n)
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = query_open(pr->st->db,
		"SELECT 1 FROM mpi_member m JOIN mpi_comm c ON c.id = m.comm_id WHERE m.process_id = ?1"
		" AND c.key = ?2 AND (m.entered > ?3 OR m.entered = ?3 AND m.op = ?4)",
		&row, pr->st->why);

	if (rc)
		return true;
	query_bind_int(row, 1, r->process_id);
	query_bind_int(row, 2, n->key);
	query_bind_int(row, 3, n->seq);
	query_bind_text(row, 4, n->op);
	return query_step(row, pr->st->why) != 0;
}

/* Begins to read the ranks of a communicator that is not the whole job. Returns 1 with the first, or 0: it is the job. */
static int read_members(struct providers *pr, int64_t comm_id, sqlite3_stmt **ret)
{
	return query_one(pr->st->db,
		"SELECT j.value FROM mpi_comm c, json_each(c.members) j WHERE c.id = ?1", comm_id,
		ret, pr->st->why);
}

/* Calls each for every member of the communicator; false if one of the calls does. */
static bool each_member(struct providers *pr, const struct mpi_rank *me, const struct need *n,
	uint32_t node,
	bool (*each)(struct providers *pr, const struct mpi_rank *me, const struct need *n,
		int64_t rank, uint32_t node))
{
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	int rc = read_members(pr, n->comm_id, &row);
	bool whole = rc == 0, ok = rc >= 0;

	for (; ok && rc > 0; rc = query_step(row, pr->st->why))
		ok = each(pr, me, n, query_int(row, 0, -1), node);
	for (int64_t i = 0; whole && ok && i < me->size; i++)
		ok = each(pr, me, n, i, node);
	return ok && rc >= 0;
}

static bool rest_on_sender(struct providers *pr, const struct mpi_rank *me, const struct need *n,
	int64_t rank, uint32_t node)
{
	const struct mpi_rank *from = find_rank(pr, me, rank);

	if (!from || is_under_way(pr, from, me, n))
		return false;
	if (from->process_id != me->process_id)
		fixpoint_edge(&pr->graph, node, node_of(pr, from));
	return true;
}

static bool rest_on_members(
	struct providers *pr, const struct mpi_rank *me, const struct need *n, uint32_t node)
{
	return each_member(pr, me, n, node, rest_on_sender);
}

/* A member that is not in the trace may be the one that is missing, and may come. */
static bool rest_on_missing(struct providers *pr, const struct mpi_rank *me, const struct need *n,
	int64_t rank, uint32_t node)
{
	const struct mpi_rank *r = find_rank(pr, me, rank);

	if (r && !has_entered(pr, r, n))
		fixpoint_edge(&pr->graph, node, node_of(pr, r));
	return true;
}

static uint32_t on_collective(struct providers *pr, const struct mpi_rank *me, const struct need *n)
{
	uint64_t key =
		hash_mix((uint64_t)n->key, (uint64_t)n->seq, hash_bytes(n->op, strlen(n->op)));
	size_t before;
	uint32_t node;

	if (!n->key || n->seq <= 0)
		return LIVE;
	if (!strcmp(n->role, "collective from root")) {
		const struct mpi_rank *root = find_rank(pr, me, n->peer);

		return !root || has_entered(pr, root, n) ? LIVE : node_of(pr, root);
	}
	if (providers_shared(pr, SHARE_COLLECTIVE, key, FIXPOINT_ALL, &node))
		return pr->graph.nodes[node].source ? LIVE : node;
	before = pr->graph.n_edges;
	if (!each_member(pr, me, n, node, rest_on_missing) || pr->graph.n_edges == before) {
		pr->graph.nodes[node].source = true; /* all have come: it is about to end */
		return LIVE;
	}
	return node;
}

/* ---- All that a call needs ---- */

static uint32_t rest_on_need(
	struct providers *pr, uint32_t thread, const struct mpi_rank *me, const struct need *n)
{
	const struct state_wait *w = &pr->st->threads[thread].wait;
	bool buffered = !strcmp(n->role, "send") || !strcmp(n->role, "collective, buffered");

	if (buffered && ns_sub(pr->st->now_ns, w->start_ns) < BUFFERED_NS)
		return LIVE;
	if (buffered)
		providers_maybe(pr, thread, MAYBE_BUFFER);
	if (!strcmp(n->role, "receive"))
		return on_receive(pr, me, n);
	if (strstr(n->role, "send"))
		return on_send(pr, me, n);
	return strstr(n->role, "collective") ? on_collective(pr, me, n) : LIVE;
}

static const char needs_sql[] =
	"SELECT n.role, n.comm_id, coalesce(c.key, 0), n.peer, n.tag, coalesce(n.seq, 0),"
	" (SELECT w.mode FROM wait w WHERE w.id = n.wait_id) = 'any',"
	" coalesce(n.op, '')"
	" FROM mpi_need n LEFT JOIN mpi_comm c ON c.id = n.comm_id WHERE n.wait_id = ?1 ORDER BY n.ordinal";

uint32_t providers_on_mpi(struct providers *pr, uint32_t thread)
{
	const struct state *st = pr->st;
	const struct mpi_rank *me = rank_of(pr, st->threads[thread].process);
	_cleanup_stmt_ sqlite3_stmt *row = NULL;
	uint32_t node = LIVE, one;
	int rc = me && !me->is_ambiguous
			 ? query_one(st->db, needs_sql, st->threads[thread].wait.id, &row, st->why)
			 : 0;

	for (; rc > 0; rc = query_step(row, st->why)) {
		const struct need n = {.role = query_text(row, 0),
			.comm_id = query_int(row, 1, 0),
			.key = query_int(row, 2, 0),
			.peer = query_int(row, 3, -1),
			.tag = query_int(row, 4, -1),
			.seq = query_int(row, 5, 0),
			.op = query_text(row, 7)};
		bool any = query_int(row, 6, 0) != 0;

		one = rest_on_need(pr, thread, me, &n);
		if (one == LIVE && any)
			return LIVE;
		if (one == LIVE)
			continue; /* it comes of itself: the others decide */
		if (node == LIVE)
			node = fixpoint_add(&pr->graph, any ? FIXPOINT_ANY : FIXPOINT_ALL);
		fixpoint_edge(&pr->graph, node, one);
	}
	return rc < 0 ? LIVE : node;
}
