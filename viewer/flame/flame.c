/* flame.c - how long threads waited, by their stacks. */
/* SPDX-License-Identifier: MIT */
#include "viewer/flame/flame.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/query.h"
#include "schema/waits.h"
#include "verdict/naming.h"
#include "verdict/place.h"
#include "viewer/flame/private.h"

enum { FLAME_MAX_DEPTH = 128 };

/* Of absurdly many stacks those with the longest waits are drawn. */
static const char waits_sql[] =
	"SELECT coalesce(p.program, p.name), w.stack_id, w.site_id, w.reason, w.lock_id, w.pipe_id,"
	" sum(max(0, min(coalesce(w.end_ns, (SELECT duration_ns FROM trace)), ?2) - max(w.start_ns, ?1))) AS ns"
	" FROM wait w JOIN thread t ON t.id = w.thread_id JOIN process p ON p.id = t.process_id"
	" WHERE w.start_ns < ?2 AND (w.end_ns IS NULL OR w.end_ns > ?1) AND (?3 = '[]'"
	" OR EXISTS (SELECT 1 FROM json_each(?3) x WHERE x.value IN (CAST(p.pid AS TEXT), p.name, p.program)))"
	" GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY ns DESC LIMIT 50000";
static const char frame_sql[] =
	"SELECT coalesce(function, file || ':' || line, printf('%s+0x%x', module, offset)) FROM site"
	" WHERE id = ?1";

static void node_done(struct flame_node *node)
{
	for (size_t i = 0; i < node->n; i++) {
		node_done(node->children[i]);
		free(node->children[i]);
	}
	free(node->children);
	free(node->name);
}

void flame_free(struct flame *f)
{
	if (!f)
		return;
	node_done(&f->root);
	free(f);
}

/* Returns the child of that name, made if there is none. */
static struct flame_node *child_of(struct flame_node *node, const char *name)
{
	size_t lo = 0, hi = node->n;
	struct flame_node *child;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(node->children[mid]->name, name);

		if (order == 0)
			return node->children[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	child = xcalloc(1, sizeof *child);
	child->name = xstrdup(name);
	ARRAY_GROW(node->children, node->n, node->cap);
	memmove(node->children + lo + 1, node->children + lo,
		(node->n - lo) * sizeof *node->children);
	node->children[lo] = child;
	node->n++;
	return child;
}

/* The frames of a stack, from the innermost on. */
struct stack {
	struct sqlite3 *db;
	char *frames[FLAME_MAX_DEPTH];
	size_t n;
};

static void add_frame(void *arg, int64_t site_id, bool is_library)
{
	struct stack *s = arg;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT, name = BUF_INIT;

	(void)is_library;
	if (s->n == FLAME_MAX_DEPTH || query_one(s->db, frame_sql, site_id, &stmt, &why) != 1)
		return;
	buf_add_printable(&name, query_text(stmt, 0), strlen(query_text(stmt, 0)));
	s->frames[s->n++] = buf_steal(&name);
}

/* "[lock: mutex audit]" */
static void add_reason(struct buf *b, struct sqlite3 *db, sqlite3_stmt *stmt)
{
	buf_addf(b, "[%s", wait_info(wait_find(query_text(stmt, 3)))->name);
	if (!query_null(stmt, 4)) {
		buf_adds(b, ": ");
		naming_lock(b, db, query_int(stmt, 4, 0));
	} else if (!query_null(stmt, 5)) {
		buf_adds(b, ": ");
		naming_pipe(b, db, query_int(stmt, 5, 0));
	}
	buf_addc(b, ']');
}

static struct flame_node *down(struct flame_node *node, const char *name, int64_t ns)
{
	struct flame_node *child = child_of(node, name);

	child->ns = ns_add(child->ns, ns);
	return child;
}

static void add_wait(struct flame *f, struct sqlite3 *db, sqlite3_stmt *stmt)
{
	_cleanup_buf_ struct buf program = BUF_INIT, reason = BUF_INIT;
	struct flame_node *node = &f->root;
	struct stack stack = {.db = db};
	int64_t ns = query_int(stmt, 6, 0);

	buf_add_printable(&program, query_text(stmt, 0), strlen(query_text(stmt, 0)));
	add_reason(&reason, db, stmt);
	place_frames(db, query_int(stmt, 1, 0), add_frame, &stack);
	if (!stack.n && !query_null(stmt, 2))
		add_frame(&stack, query_int(stmt, 2, 0), false);
	node->ns = ns_add(node->ns, ns);
	node = down(node, program.data, ns);
	while (stack.n > 0) {
		node = down(node, stack.frames[--stack.n], ns);
		free(stack.frames[stack.n]);
	}
	node = down(node, reason.data, ns);
	node->self_ns = ns_add(node->self_ns, ns);
	node->colour = wait_info(wait_find(query_text(stmt, 3)))->colour;
}

static void bind_part(sqlite3_stmt *stmt, const struct flame_part *part)
{
	_cleanup_buf_ struct buf list = BUF_INIT;

	buf_addc(&list, '[');
	for (size_t i = 0; part && i < part->n_processes; i++) {
		buf_adds(&list, i ? "," : "");
		buf_add_json(&list, part->processes[i], strlen(part->processes[i]));
	}
	buf_addc(&list, ']');
	query_bind_int(stmt, 1, part ? part->since : INT64_MIN);
	query_bind_int(stmt, 2, part ? part->until : INT64_MAX);
	query_bind_text(stmt, 3, list.data);
}

int flame_load(
	struct sqlite3 *db, const struct flame_part *part, struct flame **ret, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct flame *f = xcalloc(1, sizeof *f);
	int rc = naming_check(db, why);

	f->root.name = xstrdup("all");
	if (!rc)
		rc = query_open(db, waits_sql, &stmt, why);
	if (!rc)
		bind_part(stmt, part);
	while (!rc && (rc = query_step(stmt, why)) > 0) {
		add_wait(f, db, stmt);
		rc = 0;
	}
	if (rc) {
		flame_free(f);
		return rc;
	}
	*ret = f;
	return 0;
}

/* A frame's name between the separators of the folded form. */
static void add_name(struct buf *path, const char *name)
{
	for (; *name; name++)
		buf_addc(path, *name == ';' ? ':' : *name);
}

static void fold(const struct flame_node *node, struct buf *path, struct buf *out)
{
	size_t len = path->len;

	buf_adds(path, len ? ";" : "");
	add_name(path, node->name);
	/* What took less than a microsecond is there too. */
	if (node->self_ns > 0)
		buf_addf(out, "%s %lld\n", path->data,
			(long long)(node->self_ns / 1000 + (node->self_ns % 1000 > 0)));
	for (size_t i = 0; i < node->n; i++)
		fold(node->children[i], path, out);
	path->len = len;
	path->data[len] = '\0';
}

void flame_folded(const struct flame *f, struct buf *out)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	for (size_t i = 0; i < f->root.n; i++) {
		buf_reset(&path);
		fold(f->root.children[i], &path, out);
	}
}
