/* source.c - the reader of the preload library's rings, fed by hand. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema/record.h"
#include "tracer/shim/private.h"

enum { RINGS = 4, CHUNKS = 4, KEPT = 8192 };

/* What came out, and the ring's other end. */
struct bench {
	struct shim_drain d;
	char *memory;
	struct {
		struct rec_head head;
		uint64_t words[8];
	} got[KEPT];
	size_t n;
};

static void keep(void *arg, const struct rec_head *rec)
{
	struct bench *b = arg;

	ASSERT(b->n < KEPT);
	b->got[b->n].head = *rec;
	memcpy(b->got[b->n].words, rec + 1,
		rec->size - sizeof *rec < 64 ? rec->size - sizeof *rec : 64);
	b->n++;
}

/* fd: of an empty file for the arena, or -1. */
static struct bench *bench_on(int fd)
{
	struct bench *b = xcalloc(1, sizeof *b);
	uint64_t bytes = shim_arena_layout(&b->d.arena, RINGS, CHUNKS);

	ASSERT(fd < 0 || ftruncate(fd, (off_t)bytes) == 0);
	b->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
	ASSERT(b->memory != MAP_FAILED);
	shim_arena_init(&b->d.arena, b->memory);
	b->d.arena.fd = fd;
	shim_drain_init(&b->d, false, UINT64_MAX);
	return b;
}

static struct bench *bench_new(void)
{
	return bench_on(-1);
}

static void bench_free(struct bench *b)
{
	uint64_t bytes = b->d.arena.bytes;

	shim_drain_done(&b->d);
	munmap(b->memory, bytes);
	free(b);
}

static uint64_t *slot_at(struct bench *b, uint32_t chunk, uint64_t n)
{
	return (uint64_t *)(b->memory + b->d.arena.data_at + chunk * (uint64_t)ARENA_CHUNK_BYTES) +
	       n % ARENA_CHUNK_SLOTS * ARENA_SLOT_WORDS;
}

static struct arena_ring *ring_make(struct bench *b, uint32_t i, uint32_t pid, uint32_t tid)
{
	struct arena_ring *r = shim_arena_ring(&b->d.arena, i);

	r->owner = (uint64_t)pid << 32 | tid;
	r->first = i + 1;
	r->image = 7;
	shim_arena_chunk(&b->d.arena, i)->owner = i + 1;
	r->state = ARENA_RING_LIVE;
	return r;
}

/* Returns the time, a microsecond after the call: what tests date back by less is not older than the ring. */
static uint64_t now(void)
{
	struct shim_clock c = {0};
	uint64_t begun = shim_clock_sample(&c).mono, t;

	do
		t = shim_clock_sample(&c).mono;
	while (t < begun + 1000);
	return t;
}

/* Writes one lock slot into the ring's chunk and commits it. */
static void put(struct bench *b, uint32_t chunk, uint64_t n, unsigned kind, uint64_t ts)
{
	uint64_t *s = slot_at(b, chunk, n);
	uint64_t gen = shim_arena_chunk(&b->d.arena, chunk)->gen;

	s[0] = ts;
	s[1] = 0x1000 | (uint64_t)kind << 48;
	s[2] = 0x4711 | (gen | ARENA_TAG_HEAD) << 48;
}

#define MUTEX(slot) ((slot) << 4 | LOCK_MUTEX | LOCK_NORMAL << 8)

TEST(shim_acquire_release)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 6);
	uint64_t t = now();

	put(b, 0, 0, MUTEX(ARENA_REQUEST), t - 300);
	put(b, 0, 1, MUTEX(ARENA_ACQUIRED), t - 200);
	put(b, 0, 2, MUTEX(ARENA_RELEASE), t - 100);
	r->head = 3;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 3);
	ASSERT_INT(b->got[0].head.kind, REC_LOCK_REQUEST);
	ASSERT_INT(b->got[1].head.kind, REC_LOCK_ACQUIRE);
	ASSERT_INT(b->got[2].head.kind, REC_LOCK_RELEASE);
	ASSERT_INT(b->got[1].head.pid, 5);
	ASSERT_INT(b->got[1].head.tid, 6);
	ASSERT_INT(b->got[1].head.flags, REC_SHIM);
	ASSERT_INT(b->got[1].words[0], 0x1000);
	ASSERT_INT(b->got[1].words[6], b->got[0].head.ts);
	ASSERT_INT(b->got[1].words[7], 0x4711);
	bench_free(b);
}

TEST(shim_order_between_rings)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5), *s = ring_make(b, 1, 5, 6);
	uint64_t t = now();

	for (unsigned i = 0; i < 10; i++) {
		put(b, 0, i, MUTEX(ARENA_ACQUIRE), t + 2 * i);
		put(b, 1, i, MUTEX(ARENA_ACQUIRE), t + 2 * i + 1);
	}
	r->head = s->head = 10;
	while (now() < t + 100000)
		;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 20);
	for (unsigned i = 1; i < 20; i++)
		ASSERT(b->got[i].head.ts >= b->got[i - 1].head.ts);
	bench_free(b);
}

/* Pairs of slots, a hold of 10 ns each 30 ns. */
static void put_pairs(struct bench *b, uint32_t ring, unsigned n, uint64_t t)
{
	for (unsigned i = 0; i < n; i++) {
		put(b, ring, 2 * i, MUTEX(ARENA_ACQUIRE), t + 30 * i);
		put(b, ring, 2 * i + 1, ARENA_RELEASE << 4 | LOCK_MUTEX, t + 30 * i + 10);
	}
	shim_arena_ring(&b->d.arena, ring)->head = 2 * n;
}

static void pass(uint64_t t)
{
	while (now() < t)
		;
}

/* The number of holds, tries or else 1 that a record stands for. */
static uint64_t times(const struct bench *b, size_t i)
{
	return b->got[i].head.kind == REC_LOCK_FOLD ? b->got[i].words[6] : 1;
}

/* A ring that is taken after the first look is found when its process has counted it. */
TEST(shim_new_ring_is_sought)
{
	struct bench *b = bench_new();
	uint64_t t = now();

	(void)ring_make(b, 0, 5, 5);
	shim_drain_poll(&b->d, keep, b);
	(void)ring_make(b, 1, 5, 6);
	put_pairs(b, 1, 1, t);
	pass(t + 100000);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 0);
	shim_arena_head(&b->d.arena)->taken++;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 2);
	bench_free(b);
}

/* Equal short holds come as one record, after the first thousand of a thread, unless each is wanted. */
TEST(shim_equal_holds_together)
{
	for (unsigned i = 0; i < 3; i++) {
		struct bench *b = bench_new();
		uint64_t t = now();

		(void)ring_make(b, 0, 5, 5);
		put_pairs(b, 0, 100, t);
		pass(t + 100000);
		shim_open_seek(&b->d, now());
		b->d.rings[0].singles = i == 0 ? 0 : 1000;
		b->d.keep_all = i == 1;
		shim_drain_poll(&b->d, keep, b);
		ASSERT_INT(b->n, i == 2 ? 1 : 200);
		if (i == 2) {
			ASSERT_INT(b->got[0].head.kind, REC_LOCK_FOLD);
			ASSERT_INT(b->got[0].head.ts, t + 99 * 30 + 10);
			ASSERT_INT(b->got[0].words[0], 0x1000);
			ASSERT_INT(times(b, 0), 100);
			ASSERT_INT(b->got[0].words[7], t);
		}
		bench_free(b);
	}
}

/* What another thread did in between stays in between. */
TEST(shim_equal_holds_in_order)
{
	struct bench *b = bench_new();
	struct arena_ring *s;
	uint64_t t = now(), holds = 0, before = 0;

	(void)ring_make(b, 0, 5, 5);
	s = ring_make(b, 1, 5, 6);
	put_pairs(b, 0, 100, t);
	put(b, 1, 0, MUTEX(ARENA_REQUEST), t + 30 * 50 + 5);
	s->head = 1;
	pass(t + 100000);
	shim_open_seek(&b->d, now());
	b->d.rings[0].singles = 1000;
	shim_drain_poll(&b->d, keep, b);
	for (size_t i = 0; i < b->n; i++) {
		if (b->got[i].head.kind == REC_LOCK_REQUEST)
			before = holds;
		else if (b->got[i].head.kind != REC_LOCK_RELEASE)
			holds += times(b, i);
		ASSERT(i == 0 || b->got[i].head.ts >= b->got[i - 1].head.ts);
	}
	ASSERT_INT(holds, 100);
	/* The fifty-first was taken, and not released yet. */
	ASSERT_INT(before, 51);
	ASSERT(b->n < 10);
	bench_free(b);
}

/* A hold that lasts stands by itself, and so do those of another lock and those that are not complete. */
TEST(shim_long_hold_apart)
{
	struct bench *b = bench_new();
	uint64_t t = now(), holds = 0;

	(void)ring_make(b, 0, 5, 5);
	put_pairs(b, 0, 100, t);
	for (unsigned i = 81; i < 200; i++) /* the release of the fortieth and all that follows */
		slot_at(b, 0, i)[0] += 50000;
	slot_at(b, 0, 120)[1] ^= 0x1000 ^ 0x2000;
	slot_at(b, 0, 121)[1] ^= 0x1000 ^ 0x2000;
	slot_at(b, 0, 199)[2] = 0;
	pass(t + 200000);
	shim_open_seek(&b->d, now());
	b->d.rings[0].singles = 1000;
	shim_drain_poll(&b->d, keep, b);
	for (size_t i = 0; i < b->n; i++)
		if (b->got[i].head.kind != REC_LOCK_RELEASE) {
			ASSERT(b->got[i].words[0] == 0x1000 || times(b, i) == 1);
			holds += times(b, i);
		}
	ASSERT_INT(holds, 100);
	ASSERT(b->n > 4 && b->n < 60);
	bench_free(b);
}

/* What a signal handler interrupted is waited for, and nobody goes ahead of it. */
TEST(shim_hole_holds_the_rest)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5), *s = ring_make(b, 1, 5, 6);
	uint64_t t = now(), until;

	put(b, 0, 0, MUTEX(ARENA_ACQUIRE), t);
	put(b, 0, 2, MUTEX(ARENA_RELEASE), t + 30);
	put(b, 1, 0, MUTEX(ARENA_ACQUIRE), t + 20);
	r->head = 3;
	s->head = 1;
	while (now() < t + 200000)
		;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 1);
	until = b->d.until;
	ASSERT(until <= t + 10);
	put(b, 0, 1, MUTEX(ARENA_BUSY), t + 10);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 4);
	ASSERT_INT(b->got[1].head.kind, REC_LOCK_ACQUIRE);
	ASSERT_INT(b->got[1].words[5], EBUSY);
	ASSERT_INT(b->got[3].head.kind, REC_LOCK_RELEASE);
	ASSERT(b->d.until > until);
	bench_free(b);
}

/* A thread that is stopped for a long time in the middle of a record does not hold up the rest, and loses nothing. */
TEST(shim_late_record)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5);
	uint64_t t = now(), until;

	put(b, 0, 0, MUTEX(ARENA_ACQUIRE), t);
	put(b, 0, 3, MUTEX(ARENA_ACQUIRE), t + 30);
	r->head = 4;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 1);
	b->d.rings[0].hole = 1;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 2);
	ASSERT_INT(shim_drain_interrupted(&b->d), 1);
	until = b->d.until;
	put(b, 0, 1, MUTEX(ARENA_RELEASE), t + 10);
	put(b, 0, 2, MUTEX(ARENA_BUSY), t + 20);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 4);
	ASSERT_INT(b->got[2].head.kind, REC_LOCK_RELEASE);
	ASSERT(b->got[2].head.ts > until);
	ASSERT_INT(shim_drain_interrupted(&b->d), 0);
	bench_free(b);
}

/* The thread of the first ring goes on while the second ring's record is handed over. */
static void wake_and_keep(void *arg, const struct rec_head *rec)
{
	struct bench *b = arg;

	keep(arg, rec);
	if (rec->tid == 6)
		put(b, 0, 0, MUTEX(ARENA_ACQUIRE), 1);
}

/* What a thread has filled after a long time comes before what it wrote then. */
TEST(shim_late_record_before_the_next)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5), *s = ring_make(b, 1, 5, 6);
	uint64_t t = now();

	r->head = 1;
	shim_drain_poll(&b->d, keep, b);
	b->d.rings[0].hole = 1;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(shim_drain_interrupted(&b->d), 1);
	put(b, 0, 1, MUTEX(ARENA_RELEASE), t + 20);
	put(b, 1, 0, MUTEX(ARENA_ACQUIRE), t + 10);
	r->head = 2;
	s->head = 1;
	shim_drain_poll(&b->d, wake_and_keep, b);
	ASSERT_INT(b->n, 3);
	ASSERT_INT(b->got[0].head.tid, 6);
	ASSERT_INT(b->got[1].head.kind, REC_LOCK_ACQUIRE);
	ASSERT_INT(b->got[2].head.kind, REC_LOCK_RELEASE);
	bench_free(b);
}

/* A ring goes on in another chunk, and the first is given back with a new generation. */
TEST(shim_next_chunk)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5);
	struct arena_chunk *first = shim_arena_chunk(&b->d.arena, 0);
	uint64_t t = now() - 1000000;

	for (uint64_t i = 0; i < ARENA_CHUNK_SLOTS; i++)
		put(b, 0, i, MUTEX(ARENA_ACQUIRE), t + i);
	r->head = ARENA_CHUNK_SLOTS - 1;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, ARENA_CHUNK_SLOTS - 1);
	shim_arena_chunk(&b->d.arena, 3)->owner = 1;
	first->next = 4;
	put(b, 3, 0, MUTEX(ARENA_RELEASE), t + 5000);
	r->head = ARENA_CHUNK_SLOTS + 1;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, ARENA_CHUNK_SLOTS + 1);
	ASSERT_INT(first->owner, 0);
	ASSERT_INT(first->gen, 2);
	bench_free(b);
}

/* Chunks that lie ready are copied out of the file; what was not written yet when they were is read when it is, in its turn. */
TEST(shim_chunks_are_copied)
{
	_cleanup_close_ int fd = memfd_create("arena", MFD_CLOEXEC);
	struct bench *b = bench_on(fd);
	struct arena_ring *r = ring_make(b, 0, 5, 5);
	uint64_t t = now(), n = 3 * ARENA_CHUNK_SLOTS, hole = 2 * ARENA_CHUNK_SLOTS - 100;

	for (uint32_t c = 1; c < 3; c++) {
		shim_arena_chunk(&b->d.arena, c)->owner = 1;
		shim_arena_chunk(&b->d.arena, c - 1)->next = c + 1;
	}
	for (uint64_t i = 0; i < n; i++)
		if (i != hole)
			put(b, (uint32_t)(i / ARENA_CHUNK_SLOTS), i, MUTEX(ARENA_BUSY), t + i);
	r->head = n;
	pass(t + n + 100000);
	b->d.keep_all = true;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, hole);
	ASSERT_INT(b->d.arena.copies[1].of, 2);
	put(b, 1, hole, MUTEX(ARENA_BUSY), t + hole);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, n);
	ASSERT_INT(b->d.arena.copies[2].of, 3);
	for (uint64_t i = 1; i < n; i++)
		ASSERT(b->got[i].head.ts >= b->got[i - 1].head.ts);
	ASSERT_INT(b->got[hole].head.ts - b->got[hole - 1].head.ts, 1);
	bench_free(b);
}

/* What an earlier owner left in a chunk is not read again. */
TEST(shim_old_generation)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5);

	put(b, 0, 0, MUTEX(ARENA_ACQUIRE), now());
	b->d.arena.gen[0] = 2;
	r->head = 1;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 0);
	bench_free(b);
}

/* Writes a record of events.def as the library does. */
static unsigned put_raw(
	struct bench *b, uint64_t n, unsigned kind, const void *payload, size_t len, uint64_t ts)
{
	uint64_t gen = shim_arena_chunk(&b->d.arena, 0)->gen;
	unsigned slots = 1;

	for (size_t done = 0; done < len; done += ARENA_PAYLOAD, slots++) {
		uint64_t w[3] = {0}, *s = slot_at(b, 0, n + slots);

		memcpy(w, (const char *)payload + done,
			len - done < ARENA_PAYLOAD ? len - done : ARENA_PAYLOAD);
		s[0] = w[0];
		s[1] = w[1];
		s[2] = w[2] | gen << 48;
	}
	put(b, 0, n, ARENA_RAW << 4, ts);
	slot_at(b, 0, n)[1] = len | (uint64_t)kind << 16 | (uint64_t)(ARENA_RAW << 4) << 48;
	return slots;
}

TEST(shim_raw_record_and_handles)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5);
	struct arena_handle handle = {.handle = 0x7f0012345640, .tid = 99};
	uint64_t join[7] = {SYNC_JOIN, 0, 0, 0x7f0012345640, 0, 0, 0x4242}, t = now();
	unsigned n = put_raw(b, 0, ARENA_KIND_HANDLE, &handle, sizeof handle, t - 20);

	r->head = n + put_raw(b, n, REC_SYNC_BEGIN, join, sizeof join, t - 10);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 1);
	ASSERT_INT(b->got[0].head.kind, REC_SYNC_BEGIN);
	ASSERT_INT(b->got[0].head.size, sizeof(struct rec_SYNC_BEGIN));
	ASSERT_INT(b->got[0].words[0], SYNC_JOIN);
	ASSERT_INT(b->got[0].words[3], 99);
	ASSERT_INT(b->got[0].words[6], 0x4242);
	bench_free(b);
}

TEST(shim_raw_rubbish)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5);
	char payload[300] = "";
	unsigned n = put_raw(b, 0, 77, payload, 8, now());

	n += put_raw(b, n, REC_COMM, payload, 300, now());
	put(b, 0, n, 15 << 4, now());
	put(b, 0, n + 1, MUTEX(ARENA_ACQUIRE), now());
	r->head = n + 2;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 1);
	ASSERT_INT(b->d.expand.malformed, 3);
	bench_free(b);
}

/* Times that cannot be neither go out nor stop the ring. */
TEST(shim_time_of_the_future)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5);
	uint64_t t = now();

	put(b, 0, 0, MUTEX(ARENA_ACQUIRE), UINT64_MAX - 5);
	put(b, 0, 1, MUTEX(ARENA_RELEASE), t);
	put(b, 0, 2, MUTEX(ARENA_ACQUIRE), 3);
	r->head = 3;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 3);
	for (unsigned i = 0; i < 3; i++) {
		ASSERT(b->got[i].head.ts <= t + 1000000000);
		ASSERT(b->got[i].head.ts >= t - 1000000000);
	}
	bench_free(b);
}

TEST(shim_broken_chains)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5), *s = ring_make(b, 1, 5, 6);
	struct arena_ring *u = ring_make(b, 2, 5, 7);

	r->head = UINT64_MAX;
	s->first = 99;
	s->head = 1;
	u->first = 1; /* another's */
	u->head = 1;
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 0);
	ASSERT(b->d.rings[0].broken);
	ASSERT(b->d.rings[1].broken);
	ASSERT(b->d.rings[2].broken);
	bench_free(b);
}

/* What a dead thread left half written is given up, the rest is read, and all is given back. */
TEST(shim_dead_thread)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5), *young;
	uint64_t t = now();

	r->born = t - 10;
	put(b, 0, 0, MUTEX(ARENA_ACQUIRE), t);
	put(b, 0, 2, MUTEX(ARENA_RELEASE), t + 1);
	r->head = 4;
	r->dropped = 3;
	/* The process has executed another program since. */
	young = ring_make(b, 1, 5, 5);
	young->image = 8;
	young->born = t;
	for (unsigned i = 0; i < 3; i++)
		shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 2);
	/* The last thing that it was about is no loss: its end says enough. */
	ASSERT_INT(shim_drain_interrupted(&b->d), 1);
	ASSERT_INT(shim_drain_dropped(&b->d), 3);
	ASSERT_INT(r->owner, 0);
	ASSERT_INT(shim_arena_chunk(&b->d.arena, 0)->owner, 0);
	bench_free(b);
}

TEST(shim_clock_interpolates)
{
	struct shim_clock_pair *p = xcalloc(3, sizeof *p);
	struct shim_clock c = {.tsc = true, .pairs = p, .len = 3, .cap = 3};

	p[0] = (struct shim_clock_pair){1000, 500, 0.5};
	p[1] = (struct shim_clock_pair){2000, 1000, 1.0};
	p[2] = (struct shim_clock_pair){3000, 2000, 0};
	ASSERT_INT(shim_clock_mono(&c, 1500), 750);
	ASSERT_INT(shim_clock_mono(&c, 2500), 1500);
	ASSERT_INT(shim_clock_mono(&c, 1000), 500);
	ASSERT_INT(shim_clock_mono(&c, 3000), 2000);
	ASSERT_INT(shim_clock_mono(&c, 3100), 2100);
	ASSERT_INT(shim_clock_mono(&c, 900), 450);
	ASSERT_INT(shim_clock_mono(&c, 0), 0);
	shim_clock_done(&c);
}

/* ---- Series ---- */

/* A series at the begin of the ring's first chunk, as its thread leaves it. */
static void put_series(struct bench *b, uint32_t ring, uint64_t first, uint64_t count,
	uint64_t held, uint64_t last, uint64_t since)
{
	uint64_t *s = slot_at(b, ring, 0), gen = shim_arena_chunk(&b->d.arena, ring)->gen;

	s[3] = count | 10ull << 32;
	s[4] = held;
	s[5] = 0x4712 | gen << 48;
	s[6] = last;
	s[7] = since;
	s[8] = gen << 48;
	put(b, ring, 0, MUTEX(ARENA_SERIES), first);
	if (shim_arena_ring(&b->d.arena, ring)->head < ARENA_SERIES_SLOTS)
		shim_arena_ring(&b->d.arena, ring)->head = ARENA_SERIES_SLOTS;
}

/* Holds are handed over as they are added. */
TEST(shim_series_piece_by_piece)
{
	struct bench *b = bench_new();
	uint64_t t = now(), u;

	(void)ring_make(b, 0, 5, 5);
	put_series(b, 0, t, 3, 25, t + 1000, 0);
	pass(t + 100000);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 1);
	ASSERT_INT(b->got[0].head.kind, REC_LOCK_FOLD);
	ASSERT_INT(b->got[0].words[0], 0x1000);
	ASSERT_INT(b->got[0].words[6], 3);
	ASSERT_INT(b->got[0].words[7], t);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 1);
	u = now();
	put_series(b, 0, t, 5, 40, u, 0);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 2);
	ASSERT_INT(b->got[1].words[6], 2);
	ASSERT_INT(b->got[1].words[7], t + 1000);
	ASSERT_INT(b->got[1].head.ts, u);
	/* What comes behind it ends it. */
	put(b, 0, 3, MUTEX(ARENA_ACQUIRE), u + 10);
	shim_arena_ring(&b->d.arena, 0)->head = 4;
	pass(u + 1000);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 3);
	ASSERT_INT(b->got[2].head.kind, REC_LOCK_ACQUIRE);
	bench_free(b);
}

/* A hold that goes on is an acquisition as soon as it is not short; what another thread did after its begin waits for it. */
TEST(shim_series_held)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5), *s = ring_make(b, 1, 5, 6);
	uint64_t t;

	shim_open_seek(&b->d, now());
	t = now();
	put_series(b, 0, t, 3, 25, t + 100, t + 200);
	put(b, 1, 0, MUTEX(ARENA_REQUEST), t + 300);
	s->head = 1;
	pass(t + 500);
	b->d.latest = t + 500;
	{
		uint64_t floor = t + 500;

		shim_ring_look(&b->d.arena, &b->d.rings[0]);
		ASSERT_INT(shim_ring_time(&b->d.arena, &b->d.rings[0], &b->d.rings[0].next),
			SHIM_RECORD);
		ASSERT_INT(shim_series_next(&b->d, &b->d.rings[0], false, &floor), SHIM_RECORD);
		ASSERT(shim_series_take(&b->d, &b->d.rings[0], keep, b));
		ASSERT_INT(shim_series_next(&b->d, &b->d.rings[0], false, &floor), SHIM_EMPTY);
		ASSERT_INT(floor, t + 199);
	}
	pass(t + 3 * ARENA_SHORT_NS);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 3);
	ASSERT_INT(b->got[1].head.kind, REC_LOCK_ACQUIRE);
	ASSERT_INT(b->got[1].head.ts, t + 200);
	ASSERT_INT(b->got[1].words[7], 0x4711);
	ASSERT_INT(b->got[2].head.kind, REC_LOCK_REQUEST);
	put(b, 0, 3, ARENA_RELEASE << 4 | LOCK_MUTEX, now());
	r->head = 4;
	pass(now() + 100000);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->n, 4);
	ASSERT_INT(b->got[3].head.kind, REC_LOCK_RELEASE);
	bench_free(b);
}

/* While its thread changes it, it is not read, unless that has lasted for too long or the thread has died. */
TEST(shim_series_busy)
{
	for (unsigned i = 0; i < 3; i++) {
		struct bench *b = bench_new();
		uint64_t t = now();

		(void)ring_make(b, 0, 5, 5);
		put_series(b, 0, t, 3, 25, t + 100, t + 200);
		pass(t + 100000);
		shim_arena_ring(&b->d.arena, 0)->series_busy = 1;
		shim_drain_poll(&b->d, keep, b);
		ASSERT_INT(b->n, 0);
		if (i == 0)
			shim_arena_ring(&b->d.arena, 0)->series_busy = 0;
		else if (i == 1)
			b->d.rings[0].dead = true;
		else
			b->d.rings[0].hole = 1;
		shim_drain_poll(&b->d, keep, b);
		ASSERT_INT(b->n, 2);
		ASSERT_INT(b->got[1].head.ts, t + 200);
		bench_free(b);
	}
}

/* Sums that cannot be are left alone; what comes behind them is read. */
TEST(shim_series_impossible)
{
	const struct {
		uint64_t count, held, last, since;
	} bad[] = {{3, 500, 100, 0}, {3, 25, 0, 0}, {0, 0, 0, 1ull << 60}, {3, 25, 1ull << 60, 0}};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct bench *b = bench_new();
		uint64_t t = now();

		(void)ring_make(b, 0, 5, 5);
		put_series(b, 0, t, bad[i].count, bad[i].held,
			bad[i].last ? t + bad[i].last : t - 1, bad[i].since ? t + bad[i].since : 0);
		put(b, 0, 3, MUTEX(ARENA_ACQUIRE), t + 2500);
		shim_arena_ring(&b->d.arena, 0)->head = 4;
		pass(t + 100000);
		shim_drain_poll(&b->d, keep, b);
		ASSERT_INT(b->n, 1);
		ASSERT_INT(b->got[0].head.ts, t + 2500);
		bench_free(b);
	}
}

/* One that begins too late in a chunk is not one. */
TEST(shim_series_cut_off)
{
	struct bench *b = bench_new();
	struct arena_ring *r = ring_make(b, 0, 5, 5);
	uint64_t t = now();

	shim_arena_chunk(&b->d.arena, 1)->owner = 1;
	shim_arena_chunk(&b->d.arena, 0)->next = 2;
	for (uint64_t i = 0; i < ARENA_CHUNK_SLOTS - 1; i++)
		put(b, 0, i, MUTEX(ARENA_BUSY), t + i);
	put(b, 0, ARENA_CHUNK_SLOTS - 1, MUTEX(ARENA_SERIES), t + ARENA_CHUNK_SLOTS);
	put(b, 1, ARENA_CHUNK_SLOTS, MUTEX(ARENA_ACQUIRE), t + ARENA_CHUNK_SLOTS + 1);
	r->head = ARENA_CHUNK_SLOTS + 1;
	pass(t + 100000);
	shim_drain_poll(&b->d, keep, b);
	ASSERT_INT(b->got[b->n - 1].head.ts, t + ARENA_CHUNK_SLOTS + 1);
	bench_free(b);
}
