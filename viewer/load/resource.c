/* resource.c - short names for what threads wait for and hold. */
/* SPDX-License-Identifier: MIT */
#include "viewer/load/resource.h"

#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/names.h"
#include "viewer/load/load.h"

static char *load_locks(struct resources *res, sqlite3 *db, const struct trace *t)
{
	struct rows r = rows_begin(db, "SELECT id, name, kind, process_id FROM lock ORDER BY id");
	size_t cap = 0;

	while (rows_next(&r)) {
		struct lock_row *l;

		ARRAY_GROW(res->lock_list, res->n_locks, cap);
		l = &res->lock_list[res->n_locks++];
		*l = (struct lock_row){.id = rows_int(&r, 0, 0),
			.name = rows_text(&r, 1),
			.kind = rows_text(&r, 2),
			.proc = trace_proc(t, rows_int(&r, 3, -1)),
			.number = res->n_locks - 1};
		if (!*l->name) {
			free(l->name);
			l->name = xasprintf("%s %lld", l->kind, (long long)names_own_id(l->id));
		}
	}
	for (size_t i = 0; i < res->n_locks; i++)
		(void)hash_set(&res->locks, (uint64_t)res->lock_list[i].id, &res->lock_list[i]);
	return rows_end(&r);
}

/* "FIFO path", "pipe 3"; "pipe at stdout" for one that the command was given. */
static char *short_name(const struct pipe_row *p, const char *path)
{
	_cleanup_free_ char *given = xasprintf("%s at ", p->kind);

	if (*path)
		return xasprintf("%s %s", p->kind, path);
	if (!strncmp(p->long_name, given, strlen(given))) {
		const char *users = strstr(p->long_name, " (");

		return users ? xstrndup(p->long_name, (size_t)(users - p->long_name))
			     : xstrdup(p->long_name);
	}
	return xasprintf("%s %lld", p->kind, (long long)names_own_id(p->id));
}

static char *load_pipes(struct resources *res, sqlite3 *db)
{
	struct rows r = rows_begin(db, "SELECT id, name, kind, path FROM pipe ORDER BY id");
	size_t cap = 0;

	while (rows_next(&r)) {
		_cleanup_free_ char *path = rows_text(&r, 3);
		struct pipe_row *p;

		ARRAY_GROW(res->pipe_list, res->n_pipes, cap);
		p = &res->pipe_list[res->n_pipes++];
		*p = (struct pipe_row){.id = rows_int(&r, 0, 0),
			.long_name = rows_text(&r, 1),
			.kind = rows_text(&r, 2)};
		p->is_two_sided = names_pipe_is_two_sided(p->kind);
		p->name = short_name(p, path);
		if (!*p->long_name) {
			free(p->long_name);
			p->long_name = xstrdup(p->name);
		}
	}
	for (size_t i = 0; i < res->n_pipes; i++)
		(void)hash_set(&res->pipes, (uint64_t)res->pipe_list[i].id, &res->pipe_list[i]);
	return rows_end(&r);
}

char *resources_load(struct resources *res, sqlite3 *db, const struct trace *t)
{
	char *why = load_locks(res, db, t);

	return why ? why : load_pipes(res, db);
}

void resources_done(struct resources *res)
{
	for (size_t i = 0; i < res->n_locks; i++) {
		free(res->lock_list[i].name);
		free(res->lock_list[i].kind);
	}
	for (size_t i = 0; i < res->n_pipes; i++) {
		free(res->pipe_list[i].name);
		free(res->pipe_list[i].long_name);
		free(res->pipe_list[i].kind);
	}
	free(res->lock_list);
	free(res->pipe_list);
	hash_done(&res->locks);
	hash_done(&res->pipes);
	*res = (struct resources){0};
}

const struct lock_row *resources_lock(const struct resources *res, int64_t id)
{
	return hash_get(&res->locks, (uint64_t)id);
}

const struct pipe_row *resources_pipe(const struct resources *res, int64_t id)
{
	return hash_get(&res->pipes, (uint64_t)id);
}

void resources_add_target(struct buf *b, const struct resources *res, const struct trace *t,
	const struct target *on, bool brief)
{
	const struct lock_row *lock = on->lock_id ? resources_lock(res, on->lock_id) : NULL;
	const struct pipe_row *pipe = on->pipe_id ? resources_pipe(res, on->pipe_id) : NULL;

	if (lock)
		buf_addf(b, " %s", lock->name);
	else if (pipe)
		buf_addf(b, " %s", brief ? pipe->name : pipe->long_name);
	else if (on->target_proc != NONE)
		buf_addf(b, brief ? " %s" : " %s (pid %lld)", t->procs[on->target_proc].name,
			(long long)t->procs[on->target_proc].pid);
	else if (on->target_thread != NONE)
		buf_addf(b, brief ? " %s" : " %s (tid %lld)",
			trace_thread_name(t, on->target_thread),
			(long long)t->threads[on->target_thread].tid);
}
