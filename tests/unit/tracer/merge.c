/* merge.c - tests of tracer/merge.c. */
/* SPDX-License-Identifier: MIT */
#include "tracer/merge.h"

#include "base/mem.h"
#include "schema/record.h"
#include "tests/unit/test.h"

static void add(struct merge *m, uint64_t ts, unsigned tid)
{
	struct rec_COMM rec = {.head = {REC_COMM, sizeof rec, 0, ts, 1, tid}};

	merge_add(m, &rec.head);
}

struct seen {
	uint64_t ts[100000];
	unsigned tid[100000];
	size_t n;
};

static void collect(void *arg, const struct rec_head *rec)
{
	struct seen *s = arg;

	s->ts[s->n] = rec->ts;
	s->tid[s->n++] = rec->tid;
}

TEST(merge_orders_by_time_up_to_the_watermark)
{
	struct merge *m = merge_new();
	struct seen *s = xcalloc(1, sizeof *s);

	add(m, 5, 1);
	add(m, 3, 2);
	add(m, 9, 3);
	add(m, 4, 4);
	ASSERT_INT(merge_emit(m, 5, collect, s), 3);
	ASSERT_INT(s->tid[0], 2);
	ASSERT_INT(s->tid[1], 4);
	ASSERT_INT(s->tid[2], 1);
	ASSERT_INT(merge_emit(m, 8, collect, s), 0);
	add(m, 8, 5);
	ASSERT_INT(merge_emit(m, UINT64_MAX, collect, s), 2);
	ASSERT_INT(s->tid[3], 5);
	ASSERT_INT(s->tid[4], 3);
	ASSERT_INT(merge_bytes(m), 0);
	merge_free(m);
	free(s);
}

TEST(merge_keeps_the_order_of_equal_times)
{
	struct merge *m = merge_new();
	struct seen *s = xcalloc(1, sizeof *s);

	add(m, 7, 1);
	add(m, 3, 2);
	add(m, 7, 3);
	add(m, 3, 4);
	add(m, 7, 5);
	merge_emit(m, 7, collect, s);
	ASSERT_INT(s->n, 5);
	ASSERT_INT(s->tid[0], 2);
	ASSERT_INT(s->tid[1], 4);
	ASSERT_INT(s->tid[2], 1);
	ASSERT_INT(s->tid[3], 3);
	ASSERT_INT(s->tid[4], 5);
	merge_free(m);
	free(s);
}

TEST(merge_of_many_shuffled_records_is_sorted)
{
	struct merge *m = merge_new();
	struct seen *s = xcalloc(1, sizeof *s);
	uint64_t x = 1, until = 0;

	for (unsigned i = 0; i < 90000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		add(m, 2000 + i * 10u + (x >> 33) % 1000, i);
		if (i % 1000 == 999) {
			until = 2000 + i * 10u;
			merge_emit(m, until, collect, s);
			ASSERT(!s->n || s->ts[s->n - 1] <= until);
		}
	}
	merge_emit(m, UINT64_MAX, collect, s);
	ASSERT_INT(s->n, 90000);
	for (size_t i = 1; i < s->n; i++)
		ASSERT(s->ts[i - 1] <= s->ts[i]);
	merge_free(m);
	free(s);
}
