/* writer.c - a thread that does the store's work in order. */
/* SPDX-License-Identifier: MIT */
#include "tracer/store/writer.h"

#include "base/mem.h"
#include "base/thread.h"

#include <pthread.h>

/* How many jobs may wait: 2 MiB of rows, a few milliseconds of work. */
enum { MAX_WAITING = 32 };

struct writer {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t more; /* a job was added, or the end asked for */
	pthread_cond_t less; /* a job was done */
	struct job *first, **last;
	struct job *spare;
	size_t waiting; /* jobs that are not done */
	bool stop;
	void (*run)(void *arg, struct job *j);
	void *arg;
};

struct job *job_new(void)
{
	struct job *j = xcalloc(1, sizeof *j);

	j->rows.data = xmalloc(STORE_ROOM);
	j->rows.arena = BUF_INIT;
	return j;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	free(j->sql);
	free(j->rows.data);
	buf_done(&j->rows.arena);
	free(j);
}

/* Takes the first job, or returns NULL at the end. The mutex is held. */
static struct job *take(struct writer *w)
{
	struct job *j;

	while (!w->first && !w->stop)
		(void)pthread_cond_wait(&w->more, &w->mutex);
	j = w->first;
	if (!j)
		return NULL;
	w->first = j->next;
	if (!w->first)
		w->last = &w->first;
	return j;
}

static void *work(void *arg)
{
	struct writer *w = arg;
	struct job *j;

	(void)pthread_mutex_lock(&w->mutex);
	while ((j = take(w))) {
		(void)pthread_mutex_unlock(&w->mutex);
		w->run(w->arg, j);
		free(j->sql);
		j->sql = NULL;
		(void)pthread_mutex_lock(&w->mutex);
		j->next = w->spare;
		w->spare = j;
		w->waiting--;
		(void)pthread_cond_signal(&w->less);
	}
	(void)pthread_mutex_unlock(&w->mutex);
	return NULL;
}

struct writer *writer_start(void (*run)(void *arg, struct job *j), void *arg)
{
	struct writer *w = xcalloc(1, sizeof *w);

	w->run = run;
	w->arg = arg;
	w->last = &w->first;
	(void)pthread_mutex_init(&w->mutex, NULL);
	(void)pthread_cond_init(&w->more, NULL);
	(void)pthread_cond_init(&w->less, NULL);
	if (thread_start(&w->thread, work, w) == 0)
		return w;
	free(w);
	return NULL;
}

void writer_push(struct writer *w, struct job *j)
{
	j->next = NULL;
	(void)pthread_mutex_lock(&w->mutex);
	while (w->waiting >= MAX_WAITING)
		(void)pthread_cond_wait(&w->less, &w->mutex);
	*w->last = j;
	w->last = &j->next;
	w->waiting++;
	(void)pthread_cond_signal(&w->more);
	(void)pthread_mutex_unlock(&w->mutex);
}

struct job *writer_spare(struct writer *w)
{
	struct job *j;

	(void)pthread_mutex_lock(&w->mutex);
	j = w->spare;
	if (j)
		w->spare = j->next;
	(void)pthread_mutex_unlock(&w->mutex);
	return j ? j : job_new();
}

void writer_drain(struct writer *w)
{
	(void)pthread_mutex_lock(&w->mutex);
	while (w->waiting)
		(void)pthread_cond_wait(&w->less, &w->mutex);
	(void)pthread_mutex_unlock(&w->mutex);
}

void writer_stop(struct writer *w)
{
	if (!w)
		return;
	(void)pthread_mutex_lock(&w->mutex);
	w->stop = true;
	(void)pthread_cond_signal(&w->more);
	(void)pthread_mutex_unlock(&w->mutex);
	(void)pthread_join(w->thread, NULL);
	while (w->spare) {
		struct job *j = w->spare;

		w->spare = j->next;
		job_free(j);
	}
	(void)pthread_cond_destroy(&w->less);
	(void)pthread_cond_destroy(&w->more);
	(void)pthread_mutex_destroy(&w->mutex);
	free(w);
}
