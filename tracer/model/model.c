/* model.c - turn records into processes, threads, intervals: rows of the database. */
/* SPDX-License-Identifier: MIT */
/*
 * Each kind of record has its handler, model_<kind>, in the file of its topic:
 * fork.c, exec.c, life.c, signal.c, locks/event.c, wait_event.c... They share
 * struct model (private.h), which says how entities live.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/names.h"
#include "schema/record_dump.h"
#include "tracer/store/store.h"

#include <inttypes.h>
#include <sqlite3.h>

/* How often the queues of ended entities are looked at, in the time of records. */
enum { RETIRE_EVERY_NS = 10000000 };

/* So many processes are named as blind spots. */
enum { MAX_NAMED = 8 };

/* So long nothing is lost between two gaps that are one. */
#define GAP_MERGE_NS 100000000

/* Losses of one kind of record from one source. */
struct loss {
	char *source;
	unsigned kind;
	uint64_t count;
	bool written;
	/* The newest gap of these; contiguous ones are one. */
	uint64_t looked; /* count, when it was last looked at */
	int64_t gap_id, gap_start, gap_end, gap_count;
	bool gap_changed;
};

struct model *model_new(struct store *store, const struct model_config *config)
{
	struct model *m = xcalloc(1, sizeof *m);

	m->store = store;
	m->config = *config;
	m->ids = (struct ids){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, GIVEN_FIRST, 0};
	m->ended_threads_end = &m->ended_threads;
	m->ended_procs_end = &m->ended_procs;
	m->ended_pipes_end = &m->ended_pipes;
	m->zombies_end = &m->zombies;
	m->lane_shift = 20;
	m->blind = BUF_INIT;
	return m;
}

void model_free(struct model *m)
{
	struct hash_slot *slot;

	if (!m)
		return;
	model_process_done(m);
	model_pipe_done(m);
	model_lock_done(m);
	model_sites_done(m);
	for (size_t pos = 0; (slot = hash_next(&m->losses, &pos));) {
		struct loss *loss = slot->value;

		free(loss->source);
		free(loss);
	}
	for (struct lock_stack *s = m->stack_list, *next; s; s = next) {
		next = s->next;
		free(s);
	}
	hash_done(&m->lock_stacks);
	model_mpi_done(m);
	hash_done(&m->losses);
	hash_done(&m->programs);
	buf_done(&m->blind);
	hash_done(&m->procs);
	hash_done(&m->threads);
	hash_done(&m->pipes);
	hash_done(&m->shared);
	free(m);
}

uint64_t model_skipped(const struct model *m)
{
	return m->skipped;
}

static void dispatch(struct model *m, const struct rec_head *rec)
{
	switch ((enum rec_kind)rec->kind) {
#define NUM(name, meaning)
#define TEXT(name, size, meaning)
#define EVENT(NAME, name, number, meaning, fields)                                                 \
	case REC_##NAME:                                                                           \
		model_##name(m, (const struct rec_##NAME *)rec);                                   \
		break;
#include "schema/events.def"
#undef EVENT
#undef NUM
#undef TEXT
	case REC_NONE:
	case REC_KIND_END:
	default:
		model_skip(m);
	}
}

/* A few processes of a kind are named, not thousands. */
static void note_process(struct model *m, const struct proc *p, const char *what)
{
	if (m->n_named++ >= MAX_NAMED)
		return;
	buf_addf(&m->blind, "process %u (", p->pid);
	buf_add_printable(&m->blind, p->name, strlen(p->name));
	buf_addf(&m->blind, ") %s\n", what);
}

void model_filtered(struct model *m, const struct rec_FILTERED *rec)
{
	note_process(m, model_thread(m, &rec->head)->proc,
		rec->forbidden < 512
			? "installed a filter for its system calls: after that only its locks were recorded"
			: "installed a filter that allows only four system calls: after that the preload library "
			  "recorded nothing of it");
}

/* Calls of 32-bit programs have other numbers: what they wait for is not distinguished. */
static void note_compat(struct model *m, const struct rec_head *rec)
{
	struct proc *p = model_find_proc(m, rec->pid);

	if (!p || p->compat)
		return;
	p->compat = true;
	note_process(m, p, "makes 32-bit system calls: what it waits for is not known");
}

void model_raw_calls(struct model *m, uint64_t pid, bool raw, bool blind)
{
	struct proc *p = model_find_proc(m, pid);

	if (!p || p->raw_calls == raw)
		return;
	p->raw_calls = raw;
	p->dirty = true;
	if (raw && blind)
		note_process(m, p,
			"makes its system calls itself (Go): what it waits for, reads, writes and closes is not known");
}

/* The first record of a child's own: ends that nobody has confirmed by now it never had. */
static void settle(struct model *m, const struct rec_head *rec)
{
	const struct thread *t = model_known_thread(m, rec);
	struct proc *p = t ? t->proc : model_find_proc(m, rec->pid);

	if (p && p->unconfirmed && rec->kind != REC_END_OPEN)
		model_pipe_ends_settle(m, p, model_time(m, rec->ts));
}

/* What a look saw of a task may come when its process has ended: it has none to belong to then. */
static bool is_late_task(const struct model *m, const struct rec_head *rec)
{
	const struct proc *p = rec->tid >= RUNTIME_TASK_FIRST ? model_find_proc(m, rec->pid) : NULL;

	return rec->tid >= RUNTIME_TASK_FIRST && (!p || p->ended);
}

void model_feed(struct model *m, const struct rec_head *rec)
{
	int64_t ts;

	if (rec->kind >= REC_KIND_END || rec->size < record_size(rec->kind) || !rec->pid ||
		!rec->tid || is_late_task(m, rec)) {
		model_skip(m);
		return;
	}
	ts = model_time(m, rec->ts);
	if (ts > m->now)
		m->now = ts;
	if (rec->flags & REC_COMPAT)
		note_compat(m, rec);
	if (m->n_unconfirmed)
		settle(m, rec);
	dispatch(m, rec);
	if (m->now - m->now_ended > RETIRE_EVERY_NS) {
		m->now_ended = m->now;
		model_folds_flush(m, false);
		model_retire(m, false);
	}
	/* The rows of one transaction stay in the log: keep it small. */
	if (store_is_due(m->store)) {
		(void)model_flush(m, rec->ts);
		if (m->config.trim)
			trim_commit(m->config.trim, m->now);
		(void)store_commit_later(m->store);
	}
}

void model_loss(void *model, const char *source, unsigned kind, uint64_t count)
{
	struct model *m = model;
	uint64_t key = hash_mix(hash_bytes(source, strlen(source)), kind, 0);
	struct loss *loss = hash_get(&m->losses, key);

	if (!loss) {
		loss = xcalloc(1, sizeof *loss);
		loss->source = xstrdup(source);
		loss->kind = kind;
		(void)hash_set(&m->losses, key, loss);
	}
	/* A counter in the program's own memory may say anything, now and the next time. */
	if (count > MODEL_LOSS_MAX)
		count = MODEL_LOSS_MAX;
	m->lost += (int64_t)count - (int64_t)loss->count;
	loss->count = count;
}

/* What seemed lost has come after all. */
static void take_back(struct model *m, const char *source, const char *kind)
{
	char *sql =
		sqlite3_mprintf("DELETE FROM lost WHERE source = %Q AND kind = %Q", source, kind);

	if (sql)
		(void)store_exec(m->store, sql);
	sqlite3_free(sql);
}

static void write_gap(struct model *m, struct loss *loss)
{
	const char *kind = names_record(loss->kind);
	char *sql = sqlite3_mprintf("DELETE FROM gap WHERE id = %lld", loss->gap_id);

	if (loss->gap_count) {
		sqlite3_free(sql);
		sql = sqlite3_mprintf("REPLACE INTO gap VALUES(%lld, %Q, %Q, %lld, %lld, %lld)",
			loss->gap_id, loss->source, kind ? kind : "any", loss->gap_start,
			loss->gap_end, loss->gap_count);
	}
	loss->gap_changed = false;
	if (sql)
		(void)store_exec(m->store, sql);
	sqlite3_free(sql);
}

/* What was lost since the last look, or came after all. */
static void note_gap(struct model *m, struct loss *loss, int64_t now)
{
	int64_t more = (int64_t)loss->count - (int64_t)loss->looked;

	loss->looked = loss->count;
	if (more > 0 && (!loss->gap_count || m->losses_at - loss->gap_end > GAP_MERGE_NS)) {
		if (loss->gap_changed)
			write_gap(m, loss);
		loss->gap_id = ++m->n_gaps;
		loss->gap_start = m->losses_at;
		loss->gap_count = 0;
	}
	if (!more || !loss->gap_id)
		return;
	loss->gap_count = loss->gap_count + more > 0 ? loss->gap_count + more : 0;
	loss->gap_end = now;
	loss->gap_changed = true;
}

void model_losses_are_read(struct model *m, uint64_t now)
{
	int64_t ts = model_time(m, now);
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&m->losses, &pos));)
		note_gap(m, slot->value, ts);
	m->losses_at = ts;
}

static void flush_losses(struct model *m)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&m->losses, &pos));) {
		struct loss *loss = slot->value;
		const char *kind = names_record(loss->kind);

		kind = kind ? kind : "any";
		if (loss->count)
			store_replace(m->store, STORE_LOST,
				&(struct row_lost){loss->source, kind, (int64_t)loss->count});
		else if (loss->written)
			take_back(m, loss->source, kind);
		loss->written = loss->count != 0;
		if (loss->gap_changed)
			write_gap(m, loss);
	}
}

static void flush_trace(struct model *m)
{
	char sql[240];

	(void)snprintf(sql, sizeof sql,
		"UPDATE trace SET duration_ns = %" PRId64 ", lost = %" PRId64
		"; REPLACE INTO setting VALUES('lane_ns', %" PRId64 ")"
		", ('folded_holds', %" PRId64 ")",
		m->now, m->lost, (int64_t)1 << m->lane_shift, m->folded);
	(void)store_exec(m->store, sql);
}

int model_flush(struct model *m, uint64_t now)
{
	if (model_time(m, now) > m->now)
		m->now = model_time(m, now);
	model_folds_flush(m, false);
	model_retire(m, false);
	model_flush_all(m);
	flush_losses(m);
	flush_trace(m);
	if (m->blind.len) {
		(void)trace_row_blind(store_db(m->store), m->blind.data);
		buf_reset(&m->blind);
	}
	return store_error(m->store) ? store_exec(m->store, "") : 0;
}

void model_clock(struct model *m, uint64_t ts, uint64_t unix_ns)
{
	char sql[120];

	(void)snprintf(sql, sizeof sql, "REPLACE INTO clock VALUES(%" PRId64 ", %" PRIu64 ")",
		model_time(m, ts), unix_ns);
	(void)store_exec(m->store, sql);
}

int model_finish(struct model *m, uint64_t now)
{
	int rc = model_flush(m, now);

	if (rc)
		return rc;
	model_folds_flush(m, true);
	model_retire(m, true);
	model_holds_count(m);
	return model_flush(m, now);
}
