/* service.c - services that take orders from a FIFO, and who reads what they print. */
/* SPDX-License-Identifier: MIT */
#include "verdict/graph/sets/private.h"

#include "base/buf.h"
#include "schema/query.h"

/* A larger set than this is none of a script. */
enum { MOST = 64 };

/* A set with those behind it, one list after the other. */
struct crowd {
	const struct finder *f;
	uint32_t list[MOST];
	bool serves[MOST]; /* takes orders, or reads what is printed by one who does */
	size_t n;
};

/* Says whether something is true of two processes, p and q. */
static bool is_true_of(const struct state *st, uint32_t p, uint32_t q, const char *sql)
{
	return query_pair(st->db, sql, st->processes[p].id, st->processes[q].id, 0, st->why);
}

#define OF_BOTH "SELECT 1 FROM process p JOIN process q ON q.id = ?2 WHERE p.id = ?1 AND "

bool sets_is_same_program(const struct finder *f, uint32_t a, uint32_t b)
{
	return is_true_of(f->st, a, b, OF_BOTH "p.exe IS q.exe AND p.command IS q.command");
}

/* Says whether two processes run the same file of machine code, an interpreter of different scripts if not sets_is_same_program. */
static bool is_same_file(const struct finder *f, uint32_t a, uint32_t b)
{
	return is_true_of(
		f->st, a, b, OF_BOTH QUERY_INTERPRETER("p") " IS " QUERY_INTERPRETER("q"));
}

static bool is_member(const struct stuck_set *s, uint32_t thread)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (s->members[i] == thread)
			return true;
	return false;
}

/*
 * Says whether a thread only waits for the end of the program that its process has started, as a shell does, or make: it would
 * do so whatever that program is for. Who has forked workers runs the same program as they. Where nobody but itself
 * waits for that program (it is a member), only a script that starts scripts is known to be there for nothing else.
 */
bool sets_is_launcher(const struct finder *f, const struct stuck_set *s, uint32_t thread)
{
	const struct state *st = f->st;
	bool member = is_member(s, thread);
	uint32_t me = st->threads[thread].process;
	size_t others = 0;

	if (st->threads[thread].wait.reason != WAIT_CHILD)
		return false;
	for (size_t i = 0; i < s->n_members; i++) {
		uint32_t process = st->threads[s->members[i]].process;

		if (process == me)
			continue;
		others++;
		if (sets_is_same_program(f, me, process) ||
			(member && !is_same_file(f, me, process)))
			return false;
	}
	return others > 0;
}

static const struct state_wait *wait_of(const struct crowd *c, size_t i)
{
	return &c->f->st->threads[c->list[i]].wait;
}

/* Says whether a thread rests in opening a FIFO, or in reading one that it keeps open itself so that it sees no end. */
static bool takes_orders(const struct finder *f, uint32_t thread)
{
	enum wait_reason reason = f->st->threads[thread].wait.reason;

	return reason == WAIT_FIFO_OPEN ||
	       (reason == WAIT_PIPE_READ && f->pr->maybe[thread] & MAYBE_FIFO &&
		       state_has_own_end(f->st, thread));
}

/* Marks those who take orders. Returns the FIFO, the same for all of them; -1: there are several, or nobody does. */
static int64_t find_servers(struct crowd *c)
{
	int64_t fifo = -1;

	for (size_t i = 0; i < c->n; i++) {
		if (!takes_orders(c->f, c->list[i]))
			continue;
		if (fifo >= 0 && wait_of(c, i)->pipe_id != fifo)
			return -1;
		fifo = wait_of(c, i)->pipe_id;
		c->serves[i] = true;
	}
	return fifo;
}

/* Says whether a process prints to a FIFO: what it is given to read comes back to who reads that. */
static bool prints_to(const struct state *st, int64_t fifo, uint32_t process)
{
	return query_pair(st->db,
		"SELECT 1 FROM pipe_end WHERE pipe_id = ?1 AND process_id = ?2 AND fd IN (1, 2)"
		" AND instr(mode, 'w') AND (close_ns IS NULL OR close_via = 'exit')",
		fifo, st->processes[process].id, 0, st->why);
}

/* Says whether a thread reads from a pipe that one of those marked writes to. */
static bool follows(const struct crowd *c, size_t i)
{
	const struct state *st = c->f->st;
	uint32_t p = wait_of(c, i)->reason == WAIT_PIPE_READ
			     ? state_pipe(st, wait_of(c, i)->pipe_id)
			     : STATE_NONE;

	if (p == STATE_NONE || st->pipes[p].is_fifo || st->pipes[p].is_two_sided)
		return false;
	for (uint32_t e = st->pipes[p].first_end; e < st->pipes[p].first_end + st->pipes[p].n_ends;
		e++)
		for (size_t k = 0; st->ends[e].writes && k < c->n; k++)
			if (c->serves[k] && state_process(st, st->ends[e].process_id) ==
						    st->threads[c->list[k]].process)
				return true;
	return false;
}

/* Marks those who read what others print who are marked. Returns how many there are; -1: one of them prints to the FIFO. */
static int find_followers(struct crowd *c, int64_t fifo)
{
	int found = 0, before;

	do {
		before = found;
		for (size_t i = 0; i < c->n; i++) {
			if (c->serves[i] || !follows(c, i))
				continue;
			if (prints_to(c->f->st, fifo, c->f->st->threads[c->list[i]].process))
				return -1;
			found += c->serves[i] = true;
		}
	} while (found > before);
	return found;
}

/* Says whether a thread waits for the end of the parts of a pipeline that its own program takes part in, as a shell does. */
static bool waits_for_part(const struct crowd *c, size_t i)
{
	const struct state *st = c->f->st;

	for (size_t k = 0; wait_of(c, i)->reason == WAIT_CHILD && k < c->n; k++)
		if (c->serves[k] && takes_orders(c->f, c->list[k]) &&
			sets_is_same_program(c->f, st->threads[c->list[i]].process,
				st->threads[c->list[k]].process))
			return true;
	return false;
}

/* Fills in a set. Returns what find_followers does; 0: it is too large, or has not one FIFO from which orders are taken. */
static int gather(struct crowd *c, const struct finder *f, const struct stuck_set *s)
{
	int64_t fifo;

	*c = (struct crowd){.f = f};
	if (s->n_members + s->n_behind > MOST)
		return 0;
	for (size_t i = 0; i < s->n_members; i++)
		c->list[c->n++] = s->members[i];
	for (size_t i = 0; i < s->n_behind; i++)
		c->list[c->n++] = s->behind[i];
	fifo = find_servers(c);
	return fifo < 0 ? 0 : find_followers(c, fifo);
}

bool sets_is_piped_service(const struct finder *f, const struct stuck_set *s)
{
	struct crowd c;

	if (gather(&c, f, s) <= 0)
		return false;
	for (size_t i = 0; i < c.n; i++)
		if (!c.serves[i] && !waits_for_part(&c, i) && !sets_is_launcher(f, s, c.list[i]))
			return false;
	return true;
}

bool sets_is_fed_back(const struct finder *f, const struct stuck_set *s)
{
	struct crowd c;

	return gather(&c, f, s) < 0;
}
