/* each.c - read many threads of a process at once. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <pthread.h>
#include <sched.h>

#include "base/mem.h"

enum { MAX_WORKERS = 4, WORTH_A_WORKER = 128 /* threads to be read */ };

struct share {
	struct snap_process *process;
	size_t from, to;
	void (*work)(void *arg, struct snap_process *p, struct snap_thread *t);
	void *arg;
	pthread_t worker;
	bool has_worker;
};

static void *do_share(void *arg)
{
	const struct share *s = arg;

	for (size_t i = s->from; i < s->to; i++)
		s->work(s->arg, s->process, &s->process->threads[i]);
	return NULL;
}

static size_t count_workers(size_t n_threads)
{
	cpu_set_t cpus;
	size_t n = n_threads / WORTH_A_WORKER, most;

	if (sched_getaffinity(0, sizeof cpus, &cpus) != 0)
		return 1;
	most = (size_t)CPU_COUNT(&cpus);
	most = most < MAX_WORKERS ? most : MAX_WORKERS;
	n = n < most ? n : most;
	return n ? n : 1;
}

void each_thread(struct snap_process *p,
	void (*work)(void *arg, struct snap_process *p, struct snap_thread *t), void *arg)
{
	struct share shares[MAX_WORKERS];
	size_t n = count_workers(p->n_threads);

	for (size_t i = 0; i < n; i++) {
		shares[i] = (struct share){.process = p,
			.from = p->n_threads * i / n,
			.to = p->n_threads * (i + 1) / n,
			.work = work,
			.arg = arg};
		/* The last share is this thread's own. */
		shares[i].has_worker = i + 1 < n && pthread_create(&shares[i].worker, NULL,
							    do_share, &shares[i]) == 0;
		if (!shares[i].has_worker)
			(void)do_share(&shares[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (shares[i].has_worker)
			(void)pthread_join(shares[i].worker, NULL);
}
