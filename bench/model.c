/* model.c - how fast records become rows: lock records through the model into a database. */
/* SPDX-License-Identifier: MIT */
/*
 * Usage: model FILE RECORDS [HELD]: four threads take and release locks in
 * turns, HELD of them nested. Prints records and holds a second, bytes a hold
 * and the peak of memory.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/model/model.h"
#include "tracer/store/store.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 4, STEP_NS = 60 };

struct load {
	struct model *model;
	struct store *store;
	uint64_t ts;
};

static void send(struct load *l, struct rec_head *head, unsigned kind, size_t size, uint32_t tid)
{
	l->ts += STEP_NS;
	*head = (struct rec_head){(uint16_t)kind, (uint16_t)size, REC_SHIM, l->ts, 10, tid};
	model_feed(l->model, head);
}

static void take(struct load *l, uint32_t tid, uint64_t addr)
{
	struct rec_LOCK_ACQUIRE rec = {.addr = addr,
		.kind = LOCK_MUTEX,
		.type = LOCK_NORMAL,
		.mode = LOCK_MODE_X,
		.request = l->ts,
		.site = 0x1000 + addr % 64};

	send(l, &rec.head, REC_LOCK_ACQUIRE, sizeof rec, tid);
}

static void release(struct load *l, uint32_t tid, uint64_t addr)
{
	struct rec_LOCK_RELEASE rec = {.addr = addr, .kind = LOCK_MUTEX, .site = 0x2000};

	send(l, &rec.head, REC_LOCK_RELEASE, sizeof rec, tid);
}

static void run(struct load *l, long records, int held)
{
	for (long n = 0; n < records;) {
		uint32_t tid = 10 + (uint32_t)(n / (2 * held)) % THREADS;

		for (int i = 0; i < held; i++, n++)
			take(l, tid, 0x600000 + 64 * (uint64_t)i);
		for (int i = held; i > 0; i--, n++)
			release(l, tid, 0x600000 + 64 * (uint64_t)(i - 1));
	}
}

int main(int argc, char **argv)
{
	struct model_config config = {.t0 = 0, .tracer_pid = 1};
	struct load l = {0};
	long records = argc > 2 ? atol(argv[2]) : 10000000;
	int held = argc > 3 ? atoi(argv[3]) : 1;
	uint64_t start = clock_now();
	double took;
	struct rusage usage;
	struct stat file;
	char *why = NULL;

	if (argc < 2 || store_open(argv[1], &l.store, &why)) {
		(void)fprintf(stderr, "%s\n", why ? why : "usage: model FILE RECORDS [HELD]");
		return 1;
	}
	l.model = model_new(l.store, &config);
	run(&l, records, held);
	(void)model_finish(l.model, l.ts);
	(void)store_commit(l.store);
	model_free(l.model);
	(void)store_close(l.store);
	took = (double)(clock_now() - start) / 1e9;
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)stat(argv[1], &file);
	(void)printf(
		"%.2f s: %.2f M records/s, %.2f M holds/s, %.1f bytes a hold, %ld MiB at most\n",
		took, (double)records / took / 1e6, (double)records / 2 / took / 1e6,
		(double)file.st_size / ((double)records / 2), usage.ru_maxrss / 1024);
	return 0;
}
