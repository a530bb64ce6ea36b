/* messages.c - one read that returned what several writes had written. */
/* SPDX-License-Identifier: MIT */
/*
 * A pipe is a stream of bytes: what was written in several pieces may be read
 * in one. Per direction the n-th byte written is the n-th byte read, so both
 * sides are walked together. Only messages without a separator at their end
 * (newline or NUL) count: with one, the reader can tell them apart. And what
 * is written in pieces between writes that do end a line is a line in the making.
 * Numbers among the bytes are taken for lengths and sizes: who writes them has frames of his own.
 */
#include "verdict/rules/rules.h"

#include "base/buf.h"
#include "base/mem.h"
#include "verdict/naming.h"
#include "schema/query.h"
#include "schema/version.h"

enum {
	ROWS_MAX = 20000, /* pipes with more traffic carry a stream, not messages */
	MESSAGE_MAX = 4096,
	PENDING_MAX = 4096,
};

/* A write of which not all has been read yet. */
struct message {
	int64_t left;
	bool whole;     /* nothing of it has been read */
	bool separated; /* ends with a separator, or its end is not known */
};

/* One direction of one pipe. */
struct stream {
	struct message list[PENDING_MAX];
	size_t first, n;
	bool lines; /* some write ended a line: a text, whose pieces are no messages */
	bool lost;  /* more was read than written: the trace is not complete */
	int64_t merged, most, thread, at_ns;
};

struct walk {
	struct rule_context *ctx;
	struct stream *streams; /* of the two directions */
	int64_t pipe;
};

/* Has bytes that no text has. */
static bool is_binary(const char *data, int len)
{
	static const char in_text[] = {'\t', '\n', '\r', '\f', '\033'};

	for (int i = 0; i < len; i++) {
		if ((unsigned char)data[i] < ' ' && !memchr(in_text, data[i], sizeof in_text))
			return true;
	}
	return false;
}

static void on_write(struct stream *s, int64_t bytes, const void *data, int len)
{
	const char *text = data;
	struct message *m;

	if (s->n == PENDING_MAX) {
		s->lost = true;
		return;
	}
	m = &s->list[(s->first + s->n++) % PENDING_MAX];
	*m = (struct message){.left = bytes, .whole = true, .separated = true};
	if (bytes <= MESSAGE_MAX && len > 0 && len == bytes)
		m->separated = text[len - 1] == '\n' || is_binary(text, len);
	s->lines = s->lines || (len > 0 && len == bytes && text[len - 1] == '\n');
}

static void on_read(struct stream *s, int64_t bytes, int64_t thread, int64_t at_ns)
{
	int64_t together = 0, open = 0;

	while (bytes > 0 && s->n && !s->lost) {
		struct message *m = &s->list[s->first];
		int64_t part = bytes < m->left ? bytes : m->left;

		/* Merged: a message without an end mark, and then something of the next. */
		if (open)
			together += together ? 1 : 2;
		open = part == m->left && m->whole && !m->separated;
		m->whole = false;
		m->left -= part;
		bytes -= part;
		if (m->left)
			break;
		s->first = (s->first + 1) % PENDING_MAX;
		s->n--;
	}
	if (bytes > 0 && !s->n)
		s->lost = true;
	if (together < 2 || s->lost)
		return;
	if (!s->merged++) {
		s->thread = thread;
		s->at_ns = at_ns;
	}
	if (together > s->most)
		s->most = together;
}

static void report(struct walk *w, const struct stream *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct finding_member *m;
	struct finding *f;

	naming_thread(&b, w->ctx->db, s->thread);
	buf_adds(&b, " read several messages at once from ");
	naming_pipe(&b, w->ctx->db, w->pipe);
	f = rule_report(w->ctx, "merged-messages", s->at_ns, &b, NULL,
		"A pipe keeps no message boundaries: end each message with a newline, or send its"
		" length first.");
	naming_count(&b, s->merged, "read");
	buf_addf(&b, " returned up to %lld messages together, the first at ", (long long)s->most);
	naming_time(&b, s->at_ns);
	m = rule_member(f, &b);
	m->thread_id = s->thread;
	m->pipe_id = w->pipe;
	m->process_id = query_number(w->ctx->db, "SELECT process_id FROM thread WHERE id = ?1",
		s->thread, 0, w->ctx->why);
}

static void finish_pipe(struct walk *w)
{
	for (int side = 0; side < 2; side++) {
		if (w->streams[side].merged && !w->streams[side].lost && !w->streams[side].lines)
			report(w, &w->streams[side]);
		w->streams[side].first = w->streams[side].n = 0;
		w->streams[side].merged = w->streams[side].most = 0;
		w->streams[side].lost = w->streams[side].lines = false;
	}
}

static const char io_sql[] =
	"SELECT i.pipe_id, i.op = 'write', CASE WHEN p.kind IN ('socketpair', 'unix', 'tcp', 'pty') AND i.op = 'read'"
	" THEN 1 - i.side ELSE i.side END, i.bytes, i.data, i.thread_id, i.end_ns"
	" FROM pipe_io i JOIN pipe p ON p.id = i.pipe_id"
	" WHERE i.bytes > 0 AND i.end_ns <= ?1 AND coalesce(i.call, '') NOT LIKE 'tee%%'"
	" AND i.pipe_id IN (SELECT pipe_id FROM pipe_io GROUP BY pipe_id HAVING count(*) <= ?2%s)"
	/* A read may be over before the write that it was woken by: what was begun first was first. */
	" ORDER BY i.pipe_id, CASE WHEN i.op = 'write' THEN i.start_ns ELSE i.end_ns END, i.id";

int rule_merged(struct rule_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_free_ struct stream *streams = xcalloc(2, sizeof *streams);
	struct walk w = {.ctx = ctx, .streams = streams};
	/* Of calls that share a row it is not known where one message ended. */
	_cleanup_free_ char *sql = xasprintf(
		io_sql, version_has(ctx->db, "pipe_io.count") ? " AND max(count) IS NULL" : "");
	int rc = query_open(ctx->db, sql, &stmt, ctx->why);

	if (rc)
		return rc;
	(void)sqlite3_bind_int64(stmt, 1, ctx->now_ns);
	(void)sqlite3_bind_int64(stmt, 2, ROWS_MAX);
	while ((rc = query_step(stmt, ctx->why)) > 0) {
		struct stream *s = &streams[query_int(stmt, 2, 0) != 0];

		if (query_int(stmt, 0, 0) != w.pipe) {
			finish_pipe(&w);
			w.pipe = query_int(stmt, 0, 0);
		}
		if (query_int(stmt, 1, 0))
			on_write(s, query_int(stmt, 3, 0), sqlite3_column_blob(stmt, 4),
				sqlite3_column_bytes(stmt, 4));
		else
			on_read(s, query_int(stmt, 3, 0), query_int(stmt, 5, 0),
				query_int(stmt, 6, 0));
	}
	finish_pipe(&w);
	return rc;
}
