/* batch.c - rows on their way to the server: one piece is sent while the next is made. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>

/* A request: the server makes one piece of it, and takes or leaves it as a whole. */
enum { BATCH_BYTES = 24 << 20, BATCH_ROWS = 1000000 };

struct batch {
	struct server *server; /* the thread's while it sends */
	struct push_counts *counts;
	char *insert;
	struct buf rows; /* that are being collected */
	uint64_t n;
	pthread_t thread;
	bool is_sending;
	struct buf sent; /* what the thread sends, and what it says about that */
	uint64_t n_sent;
	struct buf why;
	int rc;
};

struct batch *batch_new(struct server *s, const char *insert, struct push_counts *counts)
{
	struct batch *b = xcalloc(1, sizeof *b);

	b->server = s;
	b->counts = counts;
	b->insert = xstrdup(insert);
	b->rows = b->sent = b->why = BUF_INIT;
	return b;
}

static void *send_rows(void *arg)
{
	struct batch *b = arg;

	b->rc = server_insert(b->server, b->insert, b->sent.data, b->sent.len, &b->why);
	return NULL;
}

/* Waits until what is under way has arrived. Returns 0 or -EIO with a sentence in why. */
static int wait_sent(struct batch *b, struct buf *why)
{
	int rc;

	if (b->is_sending)
		(void)pthread_join(b->thread, NULL);
	b->is_sending = false;
	rc = b->rc;
	b->rc = 0;
	if (rc < 0) {
		buf_reset(why);
		buf_adds(why, b->why.data);
	} else {
		b->counts->rows += b->n_sent;
		b->counts->bytes += b->sent.len;
	}
	b->n_sent = 0;
	buf_reset(&b->sent);
	return rc;
}

/* Where there can be no thread it is sent at once. */
static int begin_to_send(struct batch *b, struct buf *why)
{
	struct buf empty;
	int rc = wait_sent(b, why);

	if (rc < 0 || !b->n)
		return rc;
	empty = b->sent;
	b->sent = b->rows;
	b->n_sent = b->n;
	b->rows = empty;
	b->n = 0;
	b->is_sending = thread_start(&b->thread, send_rows, b) == 0;
	if (!b->is_sending)
		(void)send_rows(b);
	return 0;
}

struct buf *batch_rows(struct batch *b)
{
	return &b->rows;
}

uint64_t batch_kept(const struct batch *b)
{
	return b->n;
}

int batch_row(struct batch *b, struct buf *why)
{
	b->n++;
	return b->rows.len < BATCH_BYTES && b->n < BATCH_ROWS ? 0 : begin_to_send(b, why);
}

int batch_end(struct batch *b, struct buf *why)
{
	int rc = begin_to_send(b, why);

	return rc < 0 ? rc : wait_sent(b, why);
}

void batch_free(struct batch *b)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	(void)wait_sent(b, &why);
	buf_done(&b->rows);
	buf_done(&b->sent);
	buf_done(&b->why);
	free(b->insert);
	free(b);
}
