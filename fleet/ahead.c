/* ahead.c - questions whose answers come in while earlier ones are read: a thread asks them, one after the other. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>

/* So much is kept of what has come and was not read; then the server waits. */
enum { KEPT_MAX = 32 << 20 };

struct question {
	char *sql;
	struct buf came; /* and was not read yet */
	struct buf why;
	int rc; /* when it is over */
	bool is_over;
};

struct ahead {
	struct server *server; /* the thread's own: another connection */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct question **list;
	size_t n, cap, n_asked, n_read;
	size_t kept;
	bool ends; /* nobody wants to know any more */
	bool is_started;
	pthread_t thread;
};

static int take(void *arg, const char *data, size_t len)
{
	struct ahead *a = arg;
	int rc = 0;

	(void)pthread_mutex_lock(&a->mutex);
	while (a->kept >= KEPT_MAX && !a->ends)
		(void)pthread_cond_wait(&a->changed, &a->mutex);
	if (a->ends) {
		rc = -ECANCELED;
	} else {
		buf_add(&a->list[a->n_asked]->came, data, len);
		a->kept += len;
		(void)pthread_cond_broadcast(&a->changed);
	}
	(void)pthread_mutex_unlock(&a->mutex);
	return rc;
}

static void *ask_all(void *arg)
{
	struct ahead *a = arg;

	(void)pthread_mutex_lock(&a->mutex);
	while (!a->ends) {
		struct question *q;

		if (a->n_asked == a->n) {
			(void)pthread_cond_wait(&a->changed, &a->mutex);
			continue;
		}
		q = a->list[a->n_asked];
		(void)pthread_mutex_unlock(&a->mutex);
		q->rc = server_read(a->server, q->sql, take, a, &q->why);
		(void)pthread_mutex_lock(&a->mutex);
		q->is_over = true;
		a->n_asked++;
		(void)pthread_cond_broadcast(&a->changed);
	}
	(void)pthread_mutex_unlock(&a->mutex);
	return NULL;
}

int ahead_new(struct ahead **ret, const struct server *s, struct buf *why)
{
	struct ahead *a = xcalloc(1, sizeof *a);
	int rc = server_again(&a->server, s, why);

	if (rc) {
		free(a);
		return rc;
	}
	(void)pthread_mutex_init(&a->mutex, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	*ret = a;
	return 0;
}

void ahead_ask(struct ahead *a, char *sql)
{
	struct question *q = xcalloc(1, sizeof *q);

	q->sql = sql;
	q->came = q->why = BUF_INIT;
	(void)pthread_mutex_lock(&a->mutex);
	ARRAY_GROW(a->list, a->n, a->cap);
	a->list[a->n++] = q;
	(void)pthread_cond_broadcast(&a->changed);
	(void)pthread_mutex_unlock(&a->mutex);
	/*
	 * Where there can be no thread it is asked when its answer is wanted. Nor is one tried later: it would begin with
	 * questions whose answers nobody takes from it any more.
	 */
	if (a->n == 1)
		a->is_started = thread_start(&a->thread, ask_all, a) == 0;
}

/* Waits for what comes next of an answer: all that has come is put into *ret. Returns false: that was all. */
static bool next(struct ahead *a, struct question *q, struct buf *ret)
{
	struct buf empty = *ret;
	bool any;

	(void)pthread_mutex_lock(&a->mutex);
	while (!q->came.len && !q->is_over)
		(void)pthread_cond_wait(&a->changed, &a->mutex);
	any = q->came.len > 0;
	*ret = q->came;
	q->came = empty;
	a->kept -= ret->len;
	(void)pthread_cond_broadcast(&a->changed);
	(void)pthread_mutex_unlock(&a->mutex);
	return any;
}

int ahead_read(struct ahead *a, http_data data, void *arg, struct buf *why)
{
	_cleanup_buf_ struct buf piece = BUF_INIT;
	struct question *q = a->list[a->n_read++];
	int rc = 0;

	if (!a->is_started)
		return server_read(a->server, q->sql, data, arg, why);
	while (!rc && next(a, q, &piece)) {
		rc = data(arg, piece.data, piece.len) ? -EIO : 0;
		buf_reset(&piece);
	}
	if (!rc && q->rc < 0) {
		rc = q->rc;
		buf_adds(why, q->why.data);
	}
	return rc;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	(void)pthread_mutex_lock(&a->mutex);
	a->ends = true;
	(void)pthread_cond_broadcast(&a->changed);
	(void)pthread_mutex_unlock(&a->mutex);
	if (a->is_started)
		(void)pthread_join(a->thread, NULL);
	for (size_t i = 0; i < a->n; i++) {
		free(a->list[i]->sql);
		buf_done(&a->list[i]->came);
		buf_done(&a->list[i]->why);
		free(a->list[i]);
	}
	free(a->list);
	server_close(a->server);
	(void)pthread_mutex_destroy(&a->mutex);
	(void)pthread_cond_destroy(&a->changed);
	free(a);
}
