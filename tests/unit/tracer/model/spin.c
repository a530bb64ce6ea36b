/* spin.c - tests of the model: which samples make a loop that only looks at memory. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/model/feed.h"

#include <errno.h>

enum { MS = 1000000 };

#define SPINS "SELECT thread_id, samples, repeats, yields FROM spin"

static void begin(struct feed *f)
{
	feed_open(f);
	feed_at(f, 10, 10, 10);
	FEED(f, WAIT_END, .waker_pid = 0);
}

/* A sample every 10 ms of a thread that is in one of so many states; state 0: a new one each time. */
static void samples(struct feed *f, int n, unsigned states, enum sample_where where)
{
	for (int i = 0; i < n; i++) {
		uint64_t state = states ? (unsigned)i % states + 1 : 1000 + f->ts;

		feed_at(f, f->ts - FEED_T0 + 10 * MS, 10, 10);
		FEED(f, SAMPLE, .ip = 0x4000 + state % 16, .period_ns = 10 * MS, .where = where,
			.state = state);
	}
}

TEST(spin_in_a_loop_of_few_states)
{
	struct feed f;

	begin(&f);
	samples(&f, 20, 4, SAMPLE_USER);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 300 * MS);
	EXPECT(&f, SPINS, "1|20|16|0");
	feed_close(&f);
}

TEST(spin_through_sched_yield)
{
	struct feed f;

	begin(&f);
	samples(&f, 15, 1, SAMPLE_YIELD);
	FEED(&f, WAIT_BEGIN, .syscall = 34);
	feed_end(&f, 300 * MS);
	EXPECT(&f, SPINS, "1|15|14|15");
	feed_close(&f);
}

TEST(work_is_no_spin)
{
	struct feed f;

	begin(&f);
	samples(&f, 50, 0, SAMPLE_USER);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 1000 * MS);
	EXPECT(&f, SPINS, "");
	feed_close(&f);
}

TEST(short_loops_are_no_spin)
{
	struct feed f;

	begin(&f);
	samples(&f, 8, 2, SAMPLE_USER);
	samples(&f, 20, 0, SAMPLE_USER);
	samples(&f, 8, 2, SAMPLE_USER);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 1000 * MS);
	EXPECT(&f, SPINS, "");
	feed_close(&f);
}

TEST(system_calls_are_no_spin)
{
	struct feed f;

	begin(&f);
	for (int i = 0; i < 10; i++) {
		samples(&f, 5, 1, SAMPLE_USER);
		samples(&f, 1, 1, SAMPLE_CALL);
	}
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 2000 * MS);
	EXPECT(&f, SPINS, "");
	feed_close(&f);
}

static void tries(struct feed *f, int n, uint64_t error)
{
	for (int i = 0; i < n; i++) {
		feed_at(f, f->ts - FEED_T0 + 200000, 10, 10);
		FEED(f, LOCK_ACQUIRE, .addr = 0x1000, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X,
			.attempt = LOCK_TRY, .result = error);
		if (!error)
			FEED(f, LOCK_RELEASE, .addr = 0x1000, .kind = LOCK_MUTEX);
	}
}

TEST(spin_by_trylock_until_another_has_it)
{
	struct feed f;

	begin(&f);
	tries(&f, 2000, 0);
	tries(&f, 1, EBUSY);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 1000 * MS);
	EXPECT(&f, "SELECT thread_id, samples, tries FROM spin", "1|0|2000");
	feed_close(&f);
}

TEST(trylock_that_is_asked_again_is_no_spin)
{
	struct feed f;

	begin(&f);
	tries(&f, 2000, 0);
	tries(&f, 1, EBUSY);
	tries(&f, 2000, 0);
	FEED(&f, EXIT, .last = 1);
	feed_end(&f, 2000 * MS);
	EXPECT(&f, SPINS, "");
	feed_close(&f);
}

TEST(samples_after_the_end_make_no_process)
{
	struct feed f;

	begin(&f);
	samples(&f, 2, 4, SAMPLE_USER);
	FEED(&f, EXIT, .last = 1);
	FEED(&f, REAP, .child_pid = 10);
	samples(&f, 200, 4, SAMPLE_USER);
	feed_end(&f, 3000 * (uint64_t)MS);
	EXPECT(&f, "SELECT count(*) FROM process", "1");
	EXPECT(&f, "SELECT count(*) FROM thread", "1");
	feed_close(&f);
}
