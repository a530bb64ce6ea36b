/* explore.c - the timeline as data, for the script of the page that looks into it. */
/* SPDX-License-Identifier: MIT */
#include "viewer/page/explore.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "viewer/load/holds.h"
#include "viewer/load/load.h"
#include "viewer/page/base64.h"
#include "viewer/page/tables.h"
#include "viewer/timeline/timeline.h"
#include "viewer/tree/tree.h"

/*
 * Number of columns into which short spans are summed: finer than any screen,
 * while bins (COLUMNS_MAX for each lane at most, BINS for all) and spans stay few.
 */
enum { LANES_MAX = 3000, COLUMNS_MIN = 1000, COLUMNS_MAX = HOLD_PARTS, BINS = 1000000 };

/* Limits: arrows kept, stacks included. */
enum { ARROWS = 6000, STACKS = 2000 };

/* Parts of the run in each of which it is seen how dense short spans are: of one lane, and of all together. */
enum { PARTS = 1000, PARTS_IN_ALL = 40000 };

struct explore {
	const struct timeline *tl;
	struct buf refs, places, path; /* JSON arrays without their brackets */
	struct hash ref_of, place_of;
	size_t n_refs, n_places;
	struct hash waits; /* id -> number of its span, plus 1 */
	uint32_t *place;   /* of each span, 0: none */
	uint32_t *waker;   /* of each span: number of the lane that ended the wait, plus 1 */
	size_t n_stacks;
};

static void json(struct buf *b, const char *text)
{
	buf_add_json(b, text, strlen(text));
}

static void comma(struct buf *b)
{
	if (b->len && b->data[b->len - 1] != '[')
		buf_addc(b, ',');
}

static long long lane_of(const struct timeline *tl, size_t thread)
{
	return thread == NONE || tl->lane_of[thread] == NONE ? -1 : (long long)tl->lane_of[thread];
}

static void add_ref(struct buf *b, const char *kind, const char *name, const char *detail,
	long long lane, long long id)
{
	comma(b);
	buf_addf(b, "[\"%s\",", kind);
	json(b, name);
	buf_addc(b, ',');
	json(b, detail);
	buf_addf(b, ",%lld,%lld]", lane, id);
}

/* What a span is about: a lock, a pipe, a process or a thread. */
static void describe(struct explore *x, const struct span *s)
{
	const struct timeline *tl = x->tl;
	const struct lock_row *lock = s->lock_id ? resources_lock(&tl->res, s->lock_id) : NULL;
	const struct pipe_row *pipe = s->pipe_id ? resources_pipe(&tl->res, s->pipe_id) : NULL;

	if (lock) {
		add_ref(&x->refs, "lock", lock->name, lock->kind, -1, lock->id);
	} else if (pipe) {
		add_ref(&x->refs, "pipe", pipe->name, pipe->long_name, -1, pipe->id);
	} else if (s->target_proc != NONE) {
		const struct proc_row *p = &tl->t->procs[s->target_proc];
		_cleanup_free_ char *pid = xasprintf("pid %lld", (long long)p->pid);

		add_ref(&x->refs, "process", p->name, pid, lane_of(tl, p->main_thread), p->id);
	} else {
		const struct thread_row *th = &tl->t->threads[s->target_thread];
		_cleanup_free_ char *tid = xasprintf("tid %lld", (long long)th->tid);

		add_ref(&x->refs, "thread", trace_thread_name(tl->t, s->target_thread), tid,
			lane_of(tl, s->target_thread), th->id);
	}
}

static uint32_t ref_number(struct explore *x, const struct span *s)
{
	const struct timeline *tl = x->tl;
	bool lock = s->lock_id && resources_lock(&tl->res, s->lock_id);
	bool pipe = !lock && s->pipe_id && resources_pipe(&tl->res, s->pipe_id);
	bool proc = !lock && !pipe && s->target_proc != NONE;
	uint64_t key;
	uintptr_t at;

	if (!lock && !pipe && !proc && s->target_thread == NONE)
		return 0;
	key = lock   ? hash_mix(1, (uint64_t)s->lock_id, 0)
	      : pipe ? hash_mix(2, (uint64_t)s->pipe_id, 0)
	      : proc ? hash_mix(3, s->target_proc, 0)
		     : hash_mix(4, s->target_thread, 0);
	at = (uintptr_t)hash_get(&x->ref_of, key);
	if (at)
		return (uint32_t)at;
	describe(x, s);
	(void)hash_set(&x->ref_of, key, (void *)(uintptr_t)++x->n_refs);
	return (uint32_t)x->n_refs;
}

/* "bank.c:26 (dine)", or what is known of it. */
static void add_place(struct buf *b, struct rows *r)
{
	_cleanup_free_ char *file = rows_text(r, 2), *function = rows_text(r, 4);
	_cleanup_free_ char *module = rows_text(r, 5);
	const char *path = *file ? file : module, *slash = strrchr(path, '/');

	buf_adds(b, slash ? slash + 1 : path);
	if (*file && !rows_is_null(r, 3))
		buf_addf(b, ":%lld", (long long)rows_int(r, 3, 0));
	if (*function)
		buf_addf(b, " (%s)", function);
}

/* Where somebody waits: the place, and below it the stack, as far as it is known. Returns its number, 0: nothing is known. */
static uintptr_t place_number(struct explore *x, sqlite3 *db, struct rows *r)
{
	int64_t stack = rows_int(r, 6, 0);
	uint64_t key = hash_mix((uint64_t)rows_int(r, 1, 0), (uint64_t)stack, 0);
	uintptr_t at = (uintptr_t)hash_get(&x->place_of, key);
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_free_ char *frames = NULL;

	if (at || (rows_is_null(r, 1) && !stack))
		return at;
	add_place(&text, r);
	if (stack && x->n_stacks++ < STACKS)
		frames = trace_stack(db, stack);
	if (frames)
		buf_addf(&text, "\n%s", frames);
	comma(&x->places);
	json(&x->places, text.data);
	at = ++x->n_places;
	(void)hash_set(&x->place_of, key, (void *)at);
	return at;
}

/* Adds the ids of the waits that are shown one by one, as a JSON array. */
static void add_ids(struct buf *b, const struct timeline *tl)
{
	buf_addc(b, '[');
	for (size_t i = 0; i < tl->n_lanes; i++)
		for (size_t k = 0; k < tl->lanes[i].n; k++) {
			const struct span *s = &tl->lanes[i].spans[k];

			if (s->kind != SPAN_WAIT || !s->id)
				continue;
			comma(b);
			buf_addf(b, "%lld", (long long)s->id);
		}
	buf_addc(b, ']');
}

#define PLACES_SQL(stack)                                                                          \
	"SELECT w.id, w.site_id, s.file, s.line, s.function, s.module, " stack                     \
	", w.waker_id FROM wait w LEFT JOIN site s ON s.id = w.site_id"                            \
	" WHERE w.id IN (SELECT value FROM json_each(?1)) ORDER BY w.id"

/* The places of the waits that are shown one by one, and who ended them; of the others there may be millions. */
static char *load_places(struct explore *x, sqlite3 *db)
{
	_cleanup_buf_ struct buf ids = BUF_INIT;
	struct rows r = rows_begin(
		db, rows_has(db, "wait.stack_id") ? PLACES_SQL("w.stack_id") : PLACES_SQL("NULL"));

	add_ids(&ids, x->tl);
	if (!r.why)
		(void)sqlite3_bind_text(r.stmt, 1, ids.data, -1, SQLITE_STATIC);
	while (rows_next(&r)) {
		uintptr_t span = (uintptr_t)hash_get(&x->waits, (uint64_t)rows_int(&r, 0, 0));

		if (!span)
			continue;
		x->place[span - 1] = (uint32_t)place_number(x, db, &r);
		x->waker[span - 1] =
			(uint32_t)(lane_of(x->tl, trace_thread(x->tl->t, rows_int(&r, 7, -1))) + 1);
	}
	return rows_end(&r);
}

static void put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

/* Times as fractions of the whole run, so that 32 bits are precise enough. */
static uint32_t share(const struct timeline *tl, int64_t ns)
{
	double part;

	if (ns <= tl->since)
		return 0;
	if (ns >= tl->until)
		return UINT32_MAX;
	part = (double)(ns - tl->since) / (double)(tl->until - tl->since);
	return (uint32_t)(part * (double)UINT32_MAX);
}

/* Share of a merged span that its members took, as a 32-bit fraction. */
static uint32_t part(const struct span *s)
{
	double share = s->to > s->from ? (double)s->sum / (double)(s->to - s->from) : 0;

	return share >= 1 ? UINT32_MAX : share <= 0 ? 0 : (uint32_t)(share * (double)UINT32_MAX);
}

static void put_span(
	struct explore *x, unsigned char *to, size_t lane, const struct span *s, size_t number)
{
	put32(to, (uint32_t)lane);
	put32(to + 4, share(x->tl, s->from));
	put32(to + 8, share(x->tl, s->to));
	put32(to + 12, ref_number(x, s));
	put32(to + 16, x->place[number]);
	put32(to + 20, s->count > UINT32_MAX ? UINT32_MAX : (uint32_t)s->count);
	put32(to + 24, s->kind == SPAN_WAITS || s->kind == SPAN_HOLDS ? part(s) : x->waker[number]);
	to[28] = (unsigned char)s->kind;
	to[29] = (unsigned char)s->reason;
	to[30] = (unsigned char)(s->stuck | s->endless << 1 | s->shared << 2);
	to[31] = s->level > UINT8_MAX ? UINT8_MAX : (unsigned char)s->level;
}

static void add_lane(struct buf *b, const struct timeline *tl, const struct lane *l, int64_t fold)
{
	const struct trace *t = tl->t;
	const struct proc_row *p = &t->procs[l->proc];
	const struct thread_row *th = l->thread == NONE ? NULL : &t->threads[l->thread];
	enum stuck stuck = l->is_fold ? STUCK_NOT : th ? th->stuck : p->stuck;
	_cleanup_buf_ struct buf end = BUF_INIT;

	comma(b);
	buf_addc(b, '[');
	json(b, l->is_fold           ? tl->tree->nodes[l->fold_node].words
		: l->is_first || !th ? p->name
				     : trace_thread_name(t, l->thread));
	if (l->is_first && !l->is_fold)
		trace_add_status(&end, p);
	buf_addf(b, ",%lld,%d,%d,%zu,%lld,%lld,",
		(long long)(l->is_fold           ? 0
			    : l->is_first || !th ? p->pid
						 : th->tid),
		l->is_first, l->is_fold, l->proc, (long long)l->from, (long long)l->to);
	json(b, end.data);
	buf_addf(b, ",%d,%u,\"%s%lld\",%lld]", stuck != STUCK_NOT, l->levels,
		l->is_fold           ? ""
		: l->is_first || !th ? "row-p"
				     : "row-t",
		(long long)(l->is_fold           ? 0
			    : l->is_first || !th ? p->id
						 : th->id),
		(long long)fold);
}

static void add_reasons(struct buf *b)
{
	for (unsigned r = 0; r < WAIT_REASON_END; r++) {
		const struct wait_info *info = wait_info(r);

		comma(b);
		buf_addc(b, '[');
		json(b, info->name);
		buf_addc(b, ',');
		json(b, info->words);
		buf_addc(b, ',');
		json(b, timeline_verb(r));
		buf_addf(b, ",\"%s\",", info->colour);
		json(b, wait_words(info, false));
		buf_addc(b, ']');
	}
}

static void add_marks(struct buf *b, const struct timeline *tl)
{
	for (size_t i = 0; i < tl->n_marks; i++) {
		const struct mark *m = &tl->marks[i];

		comma(b);
		buf_addf(b, "[%d,%zu,%lld,", (int)m->kind, m->lane, (long long)m->ts);
		json(b, m->kind == MARK_SIGNAL ? trace_signal_name(m->signo)
					       : tl->t->execs[m->exec].path);
		buf_addc(b, ']');
	}
}

static void add_arrows(struct buf *b, const struct timeline *tl)
{
	for (size_t i = 0; i < tl->n_arrows; i++) {
		const struct arrow *a = &tl->arrows[i];

		comma(b);
		buf_addf(b, "[%d,%zu,%zu,%lld,%lld,%zu]", (int)a->kind, a->from, a->to,
			(long long)a->t_from, (long long)a->t_to, a->count);
	}
}

static void add_finding(struct buf *b, const struct timeline *tl, const struct finding_row *f)
{
	comma(b);
	buf_addf(b, "[%lld,", (long long)f->ts);
	json(b, f->severity);
	buf_addc(b, ',');
	json(b, f->summary);
	buf_adds(b, ",[");
	for (size_t i = 0; i < f->n_members; i++) {
		long long lane = lane_of(tl, trace_thread(tl->t, f->members[i].thread_id));

		if (lane < 0)
			continue;
		comma(b);
		buf_addf(b, "%lld", lane);
	}
	buf_adds(b, "]]");
}

/* What processes called themselves, and from when on; the program's name comes first. */
static void add_titles(struct buf *b, const struct timeline *tl)
{
	for (size_t i = 0; i < tl->n_lanes; i++) {
		const struct lane *l = &tl->lanes[i];
		const struct proc_row *p = &tl->t->procs[l->proc];

		for (size_t k = 0; !l->is_fold && l->is_first && k < p->n_titles; k++) {
			const struct title_row *n = &tl->t->titles[p->first_title + k];

			comma(b);
			if (k == 0) {
				buf_addf(b, "[%zu,%lld,", i, (long long)-TIME_LIMIT);
				json(b, p->program);
				buf_adds(b, "],");
			}
			buf_addf(b, "[%zu,%lld,", i, (long long)n->ts);
			json(b, n->text ? n->text : p->program);
			buf_addc(b, ']');
		}
	}
}

static void add_lanes(struct buf *b, const struct timeline *tl)
{
	_cleanup_buf_ struct buf folds = BUF_INIT;
	_cleanup_free_ int64_t *fold = xcalloc(tl->n_lanes + 1, sizeof *fold);

	explore_folds(&folds, tl, fold);
	buf_adds(b, ",\"lanes\":[");
	for (size_t i = 0; i < tl->n_lanes; i++)
		add_lane(b, tl, &tl->lanes[i], fold[i]);
	buf_adds(b, "],\"folds\":[");
	buf_adds(b, folds.data ? folds.data : "");
	buf_adds(b, "],\"titles\":[");
	add_titles(b, tl);
	buf_addc(b, ']');
}

static void add_head(struct buf *b, const struct explore *x)
{
	const struct timeline *tl = x->tl;
	_cleanup_buf_ struct buf folded = BUF_INIT;

	buf_addf(b, "{\"t0\":%lld,\"t1\":%lld,\"sched\":%s,\"folded\":", (long long)tl->since,
		(long long)tl->until, tl->has_sched ? "true" : "false");
	timeline_add_folded(&folded, tl);
	json(b, folded.data);
	add_lanes(b, tl);
	buf_adds(b, ",\"reasons\":[");
	add_reasons(b);
	buf_adds(b, "],\"refs\":[");
	buf_adds(b, x->refs.data);
	buf_adds(b, "],\"places\":[");
	buf_adds(b, x->places.data);
	buf_adds(b, "],\"marks\":[");
	add_marks(b, tl);
	buf_adds(b, "],\"arrows\":[");
	add_arrows(b, tl);
	buf_adds(b, "],\"path\":[");
	buf_adds(b, x->path.data ? x->path.data : "");
	buf_adds(b, "],\"findings\":[");
	for (size_t i = 0; i < tl->t->n_findings; i++)
		add_finding(b, tl, &tl->t->findings[i]);
	buf_adds(b, "]}");
}

static size_t number_waits(struct explore *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->tl->n_lanes; i++)
		for (size_t k = 0; k < x->tl->lanes[i].n; k++) {
			const struct span *s = &x->tl->lanes[i].spans[k];

			n++;
			if (s->kind == SPAN_WAIT && s->id)
				(void)hash_set(&x->waits, (uint64_t)s->id, (void *)(uintptr_t)n);
		}
	return n;
}

static void add_spans(struct buf *out, struct explore *x, size_t n)
{
	unsigned char *bytes = xcalloc(n + 1, EXPLORE_SPAN), *to = bytes;
	size_t at = 0;

	for (size_t i = 0; i < x->tl->n_lanes; i++)
		for (size_t k = 0; k < x->tl->lanes[i].n; k++, to += EXPLORE_SPAN)
			put_span(x, to, i, &x->tl->lanes[i].spans[k], at++);
	buf_adds(out, "<template id=\"explore-spans\">");
	base64_add(out, bytes, n * EXPLORE_SPAN);
	buf_adds(out, "</template>\n");
	free(bytes);
}

static char *add_all(
	struct buf *out, const struct timeline *tl, sqlite3 *db, struct buf *ret_sentence)
{
	struct explore x = {.tl = tl, .refs = BUF_INIT, .places = BUF_INIT, .path = BUF_INIT};
	_cleanup_buf_ struct buf head = BUF_INIT;
	size_t n = number_waits(&x);
	char *why;

	x.place = xcalloc(n + 1, sizeof *x.place);
	x.waker = xcalloc(n + 1, sizeof *x.waker);
	why = load_places(&x, db);
	if (!why)
		why = explore_add_path(&x.path, tl, db, ret_sentence);
	if (!why) {
		add_spans(out, &x, n);
		add_head(&head, &x);
		buf_adds(out, "<template id=\"explore-head\">");
		page_text(out, head.data);
		buf_adds(out, "</template>\n");
	}
	buf_done(&x.refs);
	buf_done(&x.places);
	buf_done(&x.path);
	hash_done(&x.ref_of);
	hash_done(&x.place_of);
	hash_done(&x.waits);
	free(x.place);
	free(x.waker);
	return why;
}

/* How many threads that live all the time would fill the lanes as those of the trace do. */
static double count_lives(const struct trace *t)
{
	double all = (double)(trace_last(t) - trace_begin(t)), lives = 1;

	for (size_t i = 0; i < t->n_threads && all > 0; i++)
		lives += (double)(trace_end(t, t->threads[i].end) - t->threads[i].start) / all;
	return lives;
}

/* As much detail as there is room for: few lanes, or lanes that live for a short time, have it fine. */
static size_t share_of(double room, double lives, size_t least, size_t most)
{
	double each = room / lives;

	return each < (double)least ? least : each > (double)most ? most : (size_t)each;
}

char *explore_add(struct buf *out, const struct trace *t, sqlite3 *db, struct buf *ret_sentence)
{
	/* A separate timeline: the static picture's has already merged short spans. */
	double lives = count_lives(t);
	size_t columns = share_of(BINS, lives, COLUMNS_MIN, COLUMNS_MAX);
	struct timeline_options opt = {.since = -TIME_LIMIT,
		.until = TIME_NEVER,
		.columns = columns,
		.max_merge = columns / share_of(PARTS_IN_ALL, lives, 1, PARTS),
		.max_lanes = t->n_threads < LANES_MAX ? 0 : LANES_MAX,
		.max_arrows = ARROWS};
	char *why = NULL;
	struct timeline *tl = timeline_new(t, db, &opt, &why);

	if (!tl)
		return why;
	why = add_all(out, tl, db, ret_sentence);
	timeline_free(tl);
	return why;
}
