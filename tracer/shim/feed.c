/* feed.c - memory for the rings, made ready before a program wants it. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "base/thread.h"

/*
 * A page that is new to the file costs several times as much as one that only has to be mapped, and a thread that
 * needs it often holds the very lock that it records. So a thread of pptrace stays ahead of those that write.
 */
enum {
	AHEAD_MIN = 64,   /* 3 MiB that are ready though nobody has taken any */
	AHEAD_MAX = 512,  /* 24 MiB: 10 ms of two threads that only lock */
	STEP_NS = 300000, /* between looks while chunks are taken */
	IDLE_MAX_NS = 20000000
};

struct shim_feed {
	struct shim_arena *arena;
	int fd; /* of its file */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t end;
	bool stop;
	uint32_t ahead;
	uint32_t hint;  /* at the last look */
	uint32_t taken; /* chunks between the last two looks */
};

/*
 * Gives a chunk its space. Says where there is no room, where a store would end with
 * SIGBUS; before 5.14 only the file can be asked, and the pages come as they are touched.
 */
static int make_space(struct shim_feed *f, uint32_t i)
{
	void *data = shim_arena_data(f->arena, i);

	if (madvise(data, ARENA_CHUNK_BYTES, MADV_POPULATE_WRITE) == 0)
		return 0;
	if (errno == EINVAL &&
		fallocate(f->fd, 0, (char *)data - f->arena->base, ARENA_CHUNK_BYTES) == 0)
		return 0;
	return -errno;
}

/* Makes the free chunks ready that will be taken next; returns how many were not, or -errno. */
static int feed(struct shim_feed *f)
{
	struct shim_arena *a = f->arena;
	uint32_t hint = __atomic_load_n(&shim_arena_head(a)->chunk_hint, __ATOMIC_RELAXED);
	uint32_t ready = 0;
	int made = 0, rc;

	f->taken = hint > f->hint && hint <= a->n_chunks ? hint - f->hint : 0;
	f->hint = hint;

	for (uint32_t i = hint; i < a->n_chunks && ready < f->ahead; i++) {
		if (__atomic_load_n(&shim_arena_head(a)->closed, __ATOMIC_RELAXED))
			return -ECANCELED;
		struct arena_chunk *c = shim_arena_chunk(a, i);

		if (__atomic_load_n(&c->owner, __ATOMIC_RELAXED))
			continue;
		ready++;
		if (__atomic_load_n(&c->space, __ATOMIC_RELAXED))
			continue;
		rc = make_space(f, i);
		if (rc)
			return rc;
		__atomic_store_n(&c->space, 1, __ATOMIC_RELAXED);
		made++;
	}
	return made;
}

static void sleep_until_end(struct shim_feed *f, long ns)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ns;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)pthread_cond_timedwait(&f->end, &f->mutex, &until);
}

static void *work(void *arg)
{
	struct shim_feed *f = arg;
	long pause = STEP_NS;

	(void)pthread_mutex_lock(&f->mutex);
	while (!f->stop) {
		int made;

		(void)pthread_mutex_unlock(&f->mutex);
		made = feed(f);
		(void)pthread_mutex_lock(&f->mutex);
		if (made < 0)
			break;
		pause = made ? STEP_NS : pause * 2 < IDLE_MAX_NS ? pause * 2 : IDLE_MAX_NS;
		/* Not what was made: that is all of it at first, though nobody has taken any. */
		if (f->taken > f->ahead / 4 && f->ahead < AHEAD_MAX)
			f->ahead *= 2;
		if (!f->stop)
			sleep_until_end(f, pause);
	}
	(void)pthread_mutex_unlock(&f->mutex);
	return NULL;
}

struct shim_feed *shim_feed_begin(struct shim_arena *a, int fd)
{
	struct shim_feed *f = xcalloc(1, sizeof *f);
	pthread_condattr_t attr;

	f->arena = a;
	f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	f->ahead = AHEAD_MIN;
	(void)pthread_mutex_init(&f->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->end, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (thread_start(&f->thread, work, f) == 0)
		return f;
	mem_cleanup_close(&f->fd);
	free(f);
	return NULL;
}

void shim_feed_end(struct shim_feed *f)
{
	if (!f)
		return;
	(void)pthread_mutex_lock(&f->mutex);
	f->stop = true;
	(void)pthread_cond_signal(&f->end);
	(void)pthread_mutex_unlock(&f->mutex);
	(void)pthread_join(f->thread, NULL);
	(void)pthread_cond_destroy(&f->end);
	(void)pthread_mutex_destroy(&f->mutex);
	mem_cleanup_close(&f->fd);
	free(f);
}
