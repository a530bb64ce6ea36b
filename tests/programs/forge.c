/* forge.c - a traced program that lies: records of its own making, in the rings that it shares with pptrace. */
/* SPDX-License-Identifier: MIT */
/*
 * forge HOW PID [UID]: becomes the user UID, writes into its rings that the
 * process PID, with which it has nothing to do, belongs to the recording, and
 * deadlocks. HOW: "fork" PID is its child; "task" it records in PID's name;
 * "ring" PID has a ring of its own; "none": nothing. Or it ends by itself, after
 * "end" it has said many times that PID is born and ends, and that it has
 * ended itself; "lost" each ring has lost more than can be counted; "scribble"
 * it has locked, forked and written random words all over the arena, PID is the seed.
 */
#include <grp.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cases.h"
#include "base/arch.h"
#include "schema/arena.h"
#include "schema/record.h"

static char *arena;
static pthread_mutex_t lock_a = PTHREAD_MUTEX_INITIALIZER;
static uint32_t victim;

/* The mapping of the arena, which the preload library made before the program began. */
static char *find_arena(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[1024];
	void *found = NULL;

	need(f != NULL, "maps");
	while (!found && fgets(line, sizeof line, f))
		if (strstr(line, "/pptrace-") && strstr(line, "/arena"))
			(void)sscanf(line, "%p", &found);
	(void)fclose(f);
	return found;
}

static struct arena_head *head(void)
{
	return (struct arena_head *)(void *)arena;
}

static struct arena_ring *ring_of(uint64_t owner)
{
	struct arena_ring *r = (struct arena_ring *)(void *)(arena + head()->rings_at);

	for (uint32_t i = 0; i < head()->n_rings; i++)
		if (r[i].owner == owner)
			return &r[i];
	return NULL;
}

static struct arena_chunk *chunk(uint32_t number)
{
	return (struct arena_chunk *)(void *)(arena + head()->chunks_at) + (number - 1);
}

/* Slot n of a ring, and the generation that its last word must carry. */
static uint64_t *slot(const struct arena_ring *r, uint64_t n, uint64_t *ret_gen)
{
	uint32_t at = r->first;

	for (uint64_t i = 0; at && i < n / ARENA_CHUNK_SLOTS; i++)
		at = chunk(at)->next;
	if (!at)
		return NULL;
	*ret_gen = chunk(at)->gen;
	return (uint64_t *)(void *)(arena + head()->data_at +
				    (uint64_t)(at - 1) * ARENA_CHUNK_BYTES) +
	       n % ARENA_CHUNK_SLOTS * ARENA_SLOT_WORDS;
}

static uint64_t now(void)
{
	struct timespec ts;

	if (head()->clock == ARENA_CLOCK_TSC)
		return arch_counter_early();
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Writes one record of events.def into a ring: payload is what follows its head; pid is not 0: in the name of that process. */
static void forge(
	struct arena_ring *r, unsigned kind, const void *payload, size_t len, uint32_t pid)
{
	unsigned char bytes[512] = {0};
	uint64_t gen, n, slots;
	size_t at = 0;

	if (pid) {
		memcpy(bytes, &pid, 4);
		memcpy(bytes + 4, &pid, 4);
		at = 8;
	}
	memcpy(bytes + at, payload, len);
	len += at;
	slots = 1 + (len + ARENA_PAYLOAD - 1) / ARENA_PAYLOAD;
	n = __atomic_fetch_add(&r->head, slots, __ATOMIC_RELAXED);
	for (uint64_t i = 0; i < slots; i++) {
		uint64_t *w = slot(r, n + i, &gen), last = 0;

		if (!w)
			return;
		if (i == 0) {
			w[0] = now();
			w[1] = (uint64_t)(len | kind << 16) | (uint64_t)(ARENA_RAW << 4) << 48 |
			       (uint64_t)(pid ? ARENA_AUX_TASK : 0) << 56;
			last = (gen | ARENA_TAG_HEAD) << 48;
		} else {
			memcpy(w, bytes + (i - 1) * ARENA_PAYLOAD, 16);
			memcpy(&last, bytes + (i - 1) * ARENA_PAYLOAD + 16, 6);
			last |= gen << 48;
		}
		__atomic_store_n(&w[2], last, __ATOMIC_RELEASE);
	}
}

static uint64_t own_owner(void)
{
	return (uint64_t)getpid() << 32 | (uint32_t)syscall(SYS_gettid);
}

static struct arena_ring *own_ring(void)
{
	struct arena_ring *r = ring_of(own_owner());

	need(r != NULL, "no ring of this thread");
	return r;
}

static void forge_fork(struct arena_ring *r)
{
	struct rec_FORK f = {.child_pid = victim,
		.child_tid = victim,
		.child_ns_pid = victim,
		.child_ns_tid = victim,
		.parent_pid = (uint32_t)getpid(),
		.comm = "forged"};

	forge(r, REC_FORK, &f.head + 1, sizeof f - sizeof f.head, 0);
}

static void forge_task(struct arena_ring *r)
{
	struct rec_LOCK_ACQUIRE a = {.addr = 4096, .kind = LOCK_MUTEX, .mode = LOCK_MODE_X};

	forge(r, REC_LOCK_ACQUIRE, &a.head + 1, sizeof a - sizeof a.head, victim);
}

static void as_child(void)
{
	forge_fork(own_ring());
}

static void as_task(void)
{
	forge_task(own_ring());
}

/* Takes a free ring, and a free chunk that has its memory, for the victim. */
static void as_ring(void)
{
	const struct arena_ring *mine = own_ring();
	struct arena_ring *r = ring_of(0);
	uint32_t number = 1;

	need(r != NULL, "no free ring");
	while (number <= head()->n_chunks && (chunk(number)->owner || !chunk(number)->space))
		number++;
	need(number <= head()->n_chunks, "no free chunk");
	chunk(number)->owner =
		(uint32_t)(r - (struct arena_ring *)(void *)(arena + head()->rings_at)) + 1;
	chunk(number)->next = 0;
	r->image = mine->image + 1;
	r->pidns = mine->pidns;
	r->first = number;
	r->born = now();
	r->parent = (uint32_t)getpid();
	r->head = 0;
	r->owner = (uint64_t)victim << 32 | victim;
	__atomic_store_n(&r->state, ARENA_RING_LIVE, __ATOMIC_RELEASE);
	forge_task(r);
}

static void ends_by_itself(void)
{
	(void)puts("forged");
	exit(0);
}

/* Time for pptrace to read the counters in between: it does so as it commits, every half second. */
static void as_lost(void)
{
	struct arena_ring *r = (struct arena_ring *)(void *)(arena + head()->rings_at);

	for (int pass = 0; pass < 4; pass++) {
		for (uint32_t i = 0; i < head()->n_rings; i++)
			r[i].dropped = pass % 2 ? UINT64_MAX / 2 + i : UINT64_MAX - i;
		head()->no_ring = pass % 2 ? INT64_MAX : 1;
		(void)usleep(600000);
		(void)pthread_mutex_lock(&lock_a);
		(void)pthread_mutex_unlock(&lock_a);
	}
	ends_by_itself();
}

/* It has ended, and the victim is born in its place; it has ended too, and is born again. */
static void as_end(void)
{
	struct rec_EXIT e = {.last = 1};
	struct arena_ring *r = own_ring();

	for (int i = 0; i < 20; i++) {
		forge_fork(r);
		forge(r, REC_EXIT, &e.head + 1, sizeof e - sizeof e.head, victim);
	}
	forge_fork(r);
	victim = (uint32_t)getpid();
	forge(r, REC_EXIT, &e.head + 1, sizeof e - sizeof e.head, victim);
	forge_fork(r);
	ends_by_itself();
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* What is there: heads, rings and chunks lie before the records, most of which nothing is written to. */
static void scribble(uint64_t *x, unsigned words)
{
	uint64_t bytes = head()->data_at + 64 * ARENA_CHUNK_BYTES;

	for (unsigned i = 0; i < words; i++) {
		uint64_t at = next_random(x) % (next_random(x) % 4 ? head()->data_at : bytes);
		uint64_t value = next_random(x) >> next_random(x) % 64;

		/* Small ones are valid more often; a page of the records that has no memory is left alone. */
		if (at >= sizeof(struct arena_head))
			memcpy(arena + (at & ~7ull), &value, 1u << value % 4);
	}
}

/* Rings full of nonsense, while it goes on to record; then it leaves without a word more. */
static void as_scribbler(void)
{
	uint64_t x = victim * 0x9e3779b97f4a7c15u + 1;

	for (int pass = 0; pass < 20; pass++) {
		scribble(&x, 1 + (unsigned)(next_random(&x) % 2000));
		(void)usleep((useconds_t)(next_random(&x) % 30000));
	}
	(void)write(STDOUT_FILENO, "forged\n", 7);
	(void)syscall(SYS_exit_group, 0);
}

static void as_nobody(void)
{
}

static const struct named_case cases[] = {
	{"none", as_nobody},
	{"fork", as_child},
	{"task", as_task},
	{"ring", as_ring},
	{"end", as_end},
	{"lost", as_lost},
	{"scribble", as_scribbler},
};

static pthread_mutex_t lock_b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_have_one;

static void *left(void *arg)
{
	(void)pthread_mutex_lock(&lock_a);
	(void)pthread_barrier_wait(&both_have_one);
	(void)pthread_mutex_lock(&lock_b);
	return arg;
}

static void deadlock(void)
{
	pthread_t thread;

	(void)pthread_barrier_init(&both_have_one, NULL, 2);
	need(pthread_create(&thread, NULL, left, NULL) == 0, "pthread_create");
	(void)pthread_mutex_lock(&lock_b);
	(void)pthread_barrier_wait(&both_have_one);
	(void)pthread_mutex_lock(&lock_a);
}

int main(int argc, char **argv)
{
	uid_t uid = argc > 3 ? (uid_t)atoi(argv[3]) : getuid();
	int status;

	victim = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
	/* A record of its own, so that it has a ring. */
	(void)pthread_mutex_lock(&lock_a);
	(void)pthread_mutex_unlock(&lock_a);
	arena = find_arena();
	need(arena || !strcmp(argc > 1 ? argv[1] : "none", "none"), "no arena is mapped");
	if (uid != getuid()) {
		need(setgroups(0, NULL) == 0, "setgroups");
		need(setresgid(uid, uid, uid) == 0, "setresgid");
		need(setresuid(uid, uid, uid) == 0, "setresuid");
	}
	status = CASES_RUN(cases, argc, argv);
	if (status == 0) {
		printf("forged\n");
		(void)fflush(stdout);
		deadlock();
	}
	return status;
}
