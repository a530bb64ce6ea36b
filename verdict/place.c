/* place.c - where in its program a thread is: a line, and the callers that tell it from others. */
/* SPDX-License-Identifier: MIT */
#include "verdict/place.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "verdict/naming.h"

enum {
	PLACE_CALLERS = 16, /* of the program's own that are compared, and shown at most */
	PLACES_MAX = 256    /* that are compared with each other */
};

/* The program's own frames, from the place on. */
struct place {
	int64_t site, stack;
	char *frames[PLACE_CALLERS]; /* as naming_site says them */
	size_t n;
};

struct places {
	struct sqlite3 *db;
	struct place *list;
	size_t n, cap;
};

struct places *places_new(struct sqlite3 *db)
{
	struct places *p = xcalloc(1, sizeof *p);

	p->db = db;
	return p;
}

void places_free(struct places *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->list[i].n; k++)
			free(p->list[i].frames[k]);
	free(p->list);
	free(p);
}

void place_frames(struct sqlite3 *db, int64_t stack_id,
	void (*each)(void *arg, int64_t site_id, bool is_library), void *arg)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	int rc = stack_id ? query_one(db,
				    "SELECT site_id, library FROM frame WHERE stack_id = ?1"
				    " ORDER BY depth LIMIT 64",
				    stack_id, &stmt, &why)
			  : 0;

	for (; rc > 0; rc = query_step(stmt, &why))
		each(arg, query_int(stmt, 0, 0), query_int(stmt, 1, 0) != 0);
}

/* ---- Told apart ---- */

struct filling {
	struct sqlite3 *db;
	struct place *place;
	bool has_begun; /* the place itself has been passed */
};

static void add_frame(struct filling *f, int64_t site_id)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	naming_site(&text, f->db, site_id);
	if (text.len && f->place->n < PLACE_CALLERS)
		f->place->frames[f->place->n++] = buf_steal(&text);
}

static void fill(void *arg, int64_t site_id, bool is_library)
{
	struct filling *f = arg;

	if (site_id == f->place->site && !f->has_begun)
		f->has_begun = true;
	else if (f->has_begun && !is_library)
		add_frame(f, site_id);
}

static struct place *find(const struct places *p, int64_t site_id, int64_t stack_id)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].site == site_id && p->list[i].stack == stack_id)
			return &p->list[i];
	return NULL;
}

void places_add(struct places *p, int64_t site_id, int64_t stack_id)
{
	struct filling f = {.db = p->db};

	if (!site_id || p->n == PLACES_MAX || find(p, site_id, stack_id))
		return;
	ARRAY_GROW(p->list, p->n, p->cap);
	f.place = &p->list[p->n++];
	*f.place = (struct place){.site = site_id, .stack = stack_id};
	add_frame(&f, site_id);
	place_frames(p->db, stack_id, fill, &f);
}

/* How many frames of a are those of b too, from the innermost on. */
static size_t count_common(const struct place *a, const struct place *b)
{
	size_t n = 0;

	while (n < a->n && n < b->n && !strcmp(a->frames[n], b->frames[n]))
		n++;
	return n;
}

/* How many frames tell a place from every other one that begins like it. */
static size_t count_shown(const struct places *p, const struct place *a)
{
	size_t shown = 1;

	for (size_t i = 0; i < p->n; i++) {
		const struct place *b = &p->list[i];
		size_t common = count_common(a, b);

		if (common > 0 && (common < a->n || common < b->n) && common + 1 > shown)
			shown = common + 1;
	}
	return shown < a->n ? shown : a->n;
}

void places_describe(struct buf *b, struct places *p, int64_t site_id, int64_t stack_id)
{
	const struct place *place = find(p, site_id, stack_id);
	size_t shown = place ? count_shown(p, place) : 0;

	if (!place)
		naming_site(b, p->db, site_id);
	for (size_t i = 0; i < shown; i++) {
		const char *text = place->frames[i]; /* " at bank.c:30 (transfer)" */

		buf_adds(b, i ? ", called from " : text);
		buf_adds(b, i ? text + strlen(" at ") : "");
	}
}

/* ---- All frames ---- */

struct listing {
	struct buf *b;
	struct sqlite3 *db;
	const char *indent;
	size_t n;
};

static void add_line(void *arg, int64_t site_id, bool is_library)
{
	struct listing *l = arg;
	_cleanup_buf_ struct buf text = BUF_INIT;

	(void)is_library;
	naming_site(&text, l->db, site_id);
	if (!text.len)
		buf_adds(&text, " at ?");
	buf_addf(l->b, "%s%s\n", l->indent, text.data + 1);
}

void place_add_lines(struct buf *b, struct sqlite3 *db, int64_t stack_id, const char *indent)
{
	struct listing l = {.b = b, .db = db, .indent = indent};

	place_frames(db, stack_id, add_line, &l);
}

static void add_member(struct buf *b, const char *name, sqlite3_stmt *stmt, int column)
{
	buf_addf(b, "%s\"%s\":", column ? "," : "", name);
	if (query_null(stmt, column))
		buf_adds(b, "null");
	else if (sqlite3_column_type(stmt, column) == SQLITE_INTEGER)
		buf_addf(b, "%lld", (long long)query_int(stmt, column, 0));
	else
		buf_add_json(b, query_text(stmt, column), strlen(query_text(stmt, column)));
}

static void add_object(void *arg, int64_t site_id, bool is_library)
{
	static const char *const names[] = {"function", "file", "line", "module", "offset"};
	struct listing *l = arg;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_one(l->db, "SELECT function, file, line, module, offset FROM site WHERE id = ?1",
		    site_id, &stmt, &why) != 1)
		return;
	buf_adds(l->b, l->n++ ? ",{" : "{");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_member(l->b, names[i], stmt, (int)i);
	buf_addf(l->b, ",\"library\":%s}", is_library ? "true" : "false");
}

void place_add_json(struct buf *b, struct sqlite3 *db, int64_t stack_id)
{
	struct listing l = {.b = b, .db = db};

	buf_addc(b, '[');
	place_frames(db, stack_id, add_object, &l);
	buf_addc(b, ']');
}
