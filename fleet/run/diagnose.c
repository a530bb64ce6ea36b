/* diagnose.c - what is stuck across hosts. */
/* SPDX-License-Identifier: MIT */
#include "fleet/run/run.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/finding.h"

static size_t host_of_id(int64_t id)
{
	return (size_t)(id >> HOST_SHIFT) - 1;
}

static bool share_wait(const struct finding *a, const struct finding *b)
{
	for (size_t i = 0; i < a->n_members; i++)
		for (size_t k = 0; k < b->n_members; k++)
			if (a->members[i].wait_id && a->members[i].wait_id == b->members[k].wait_id)
				return true;
	return false;
}

/* Says whether the members of a finding are of several hosts. */
static bool crosses(const struct finding *f)
{
	size_t first = 0;
	bool any = false;

	for (size_t i = 0; i < f->n_members; i++) {
		int64_t id = f->members[i].thread_id;

		if (!id)
			continue;
		if (any && host_of_id(id) != first)
			return true;
		first = host_of_id(id);
		any = true;
	}
	return false;
}

/* ---- MPI ---- */

/* The places in the order of collective calls at which the ranks of the run did not make the same one. */
static int ask_order(
	struct server *s, const struct fleet_hosts *hosts, struct buf *ret, struct buf *why)
{
	_cleanup_buf_ struct buf sql = BUF_INIT;

	buf_adds(&sql,
		"SELECT arrayStringConcat(groupArray(toString(seq)), ',') FROM (SELECT DISTINCT seq FROM"
		" (SELECT trace_id, ifNull(comm_id, 0) AS comm, ifNull(seq, 0) AS seq, op, if(ifNull(peer, -1) >= 0, ifNull(peer, -1), -1) AS root");
	hosts_from(&sql, hosts, "sync");
	buf_adds(&sql, " AND seq IS NOT NULL) ANY INNER JOIN (SELECT trace_id, id AS comm, key");
	hosts_from(&sql, hosts, "mpi_comm");
	buf_adds(&sql, ") USING trace_id, comm GROUP BY key, seq HAVING uniqExact(op, root) > 1"
		       " ORDER BY seq LIMIT 100) FORMAT TabSeparated");
	return server_ask(s, sql.data, ret, why);
}

static int add_rule(
	const struct fleet_graph *g, const char *rule, struct findings *ret, struct buf *why)
{
	struct findings more = {0};
	int rc = verdict_all(g->db, INT64_MAX, rule, false, &more, why);

	for (size_t i = 0; !rc && i < more.n; i++)
		if (crosses(&more.list[i]))
			finding_copy(ret, &more.list[i]);
	findings_free(&more);
	return rc;
}

int fleet_mpi(struct server *s, const struct fleet_graph *g, struct findings *ret, struct buf *why)
{
	_cleanup_buf_ struct buf condition = BUF_INIT, seqs = BUF_INIT;
	const char *run = g->hosts->list[0].run;
	int rc = 0;

	*ret = (struct findings){0};
	if (!query_number(g->db, "SELECT EXISTS (SELECT 1 FROM mpi_comm)", 0, 0, why))
		return query_failed(0, why);
	rc = ask_order(s, g->hosts, &seqs, why);
	if (!rc && seqs.len > 1) {
		buf_adds(&condition, "run = ");
		server_quote(&condition, run);
		buf_addf(
			&condition, " AND seq IN (%.*s)", (int)strcspn(seqs.data, "\n"), seqs.data);
		rc = load_more(s, g, "sync", condition.data, why);
	}
	if (!rc)
		rc = add_rule(g, "mpi-collective-order", ret, why);
	if (!rc)
		rc = add_rule(g, "mpi-unmatched-message", ret, why);
	if (rc)
		findings_free(ret);
	return rc;
}

/* Adds what is said of a set without that proof. */
static void add_careful(
	struct findings *ret, const struct finding *f, const struct findings *careful)
{
	for (size_t k = 0; k < careful->n; k++)
		if (share_wait(f, &careful->list[k])) {
			finding_copy(ret, &careful->list[k]);
			break;
		}
}

/* How far moments of two hosts of a finding may be off against each other; 0: it is not known. */
static int64_t apart_of(const struct fleet_graph *g, const struct finding *f)
{
	int64_t most = 0, next = 0;
	size_t host = SIZE_MAX;

	for (size_t i = 0; i < f->n_members; i++) {
		int64_t ns;

		if (!f->members[i].thread_id || host_of_id(f->members[i].thread_id) == host)
			continue;
		host = host_of_id(f->members[i].thread_id);
		ns = g->cuts[host].apart_ns;
		if (ns < 0)
			return 0;
		next = ns > most ? most : ns > next ? ns : next;
		most = ns > most ? ns : most;
	}
	return most + next;
}

/* careful is asked for where it is needed only: it takes as long as the first answer. */
static int add_proved(const struct proof *proof, const struct fleet_graph *g,
	const struct findings *sure, struct findings *ret, struct buf *why)
{
	struct findings careful = {0};
	bool asked = false;
	int rc = 0;

	for (size_t i = 0; !rc && i < sure->n; i++) {
		const struct finding *f = &sure->list[i];
		int proved = f->certain ? proof_holds(proof, f, why) : 1;

		if (proved > 0) {
			finding_copy(ret, f);
			continue;
		}
		rc = proved;
		if (!rc && !asked)
			rc = verdict_all(g->db, INT64_MAX, "stuck", true, &careful, why);
		asked = true;
		if (!rc)
			add_careful(ret, f, &careful);
	}
	findings_free(&careful);
	return rc;
}

/*
 * Of what is certain if nothing is under way: certain where that is proved, else what is said without that proof. What
 * one host's recording says alone is its own findings', which looked while it ran.
 */
int fleet_stuck(
	struct server *s, const struct fleet_graph *g, struct findings *ret, struct buf *why)
{
	struct findings all = {0}, across = {0};
	struct proof proof;
	int rc = proof_ask(&proof, s, g, why);

	*ret = (struct findings){0};
	if (rc)
		return rc;
	rc = verdict_stuck(g->db, INT64_MAX, false, &all, why);
	for (size_t i = 0; !rc && i < all.n; i++)
		if (crosses(&all.list[i]))
			finding_copy(&across, &all.list[i]);
	if (!rc && across.n)
		rc = proof_read(&proof, why);
	if (!rc)
		rc = add_proved(&proof, g, &across, ret, why);
	for (size_t i = 0; i < ret->n; i++)
		ret->list[i].apart_ns = apart_of(g, &ret->list[i]);
	proof_done(&proof);
	findings_free(&all);
	findings_free(&across);
	if (rc)
		findings_free(ret);
	return rc;
}
