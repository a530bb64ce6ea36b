/* ring.c - each thread's ring in the arena: taken, given room, written. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "probes/shim/private.h"
#include "probes/shim/sys.h"
#include "probes/shim/locks/thread.h"

/*
 * The hot path is in shim.h. What is here runs once for each chunk of 2048
 * slots, with all signals blocked, and makes no call that could allocate,
 * lock or change errno.
 */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define WAIT_MAX_NS 1000000000ull /* the longest that a full arena holds the program */
#define BEAT_MAX_NS 300000000ull  /* a tracer whose heartbeat stops that long is gone */
#define WAIT_STEP_NS 200000

enum { SKIP_RECORDS = 127 };

enum { LIMIT_SHARE = 16, LEAST_BYTES = 2 << 20 };

static const uint64_t no_epoch = 1;
const uint64_t *shim_epoch = &no_epoch;
bool shim_tsc;
/* Not 0: that is what a child's wiped epoch looks like. */
__thread struct ring_local ring_local = {.epoch = NO_EPOCH};

static struct arena_head *arena;

/* Where things are in it, as the head said when it was mapped: a program that runs wild may write there later. */
static struct {
	struct arena_ring *rings;
	struct arena_chunk *chunks;
	char *data;
	uint32_t n_rings;
} at;

static uint32_t usable_chunks; /* that lie in what could be mapped */
static struct shim_wiped *wiped;
static uint64_t last_epoch = 1;
static uint32_t last_pid;
static bool modules_done;
static bool muted;
static bool gave_up;       /* waited in vain; do not wait again before there was room */
static uint64_t dead_beat; /* heartbeat at which the tracer was found dead */
static uint8_t populated[(1u << 18) / 8];

static uint64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- The arena ---- */

static bool head_is_sane(const struct arena_head *h, uint64_t size)
{
	return h->magic == ARENA_MAGIC && h->version == ARENA_VERSION && h->bytes <= size &&
	       h->rings_at >= sizeof *h && h->n_rings && h->n_rings <= 1u << 16 && h->n_chunks &&
	       h->n_chunks <= 1u << 18 && h->rings_at % 64 == 0 && h->chunks_at % 64 == 0 &&
	       h->data_at % 4096 == 0 &&
	       h->rings_at + h->n_rings * sizeof(struct arena_ring) <= h->chunks_at &&
	       h->chunks_at + h->n_chunks * sizeof(struct arena_chunk) <= h->data_at &&
	       h->data_at + (uint64_t)h->n_chunks * ARENA_CHUNK_BYTES <= h->bytes;
}

/* How much of the program's limit on its address space (ulimit -v) the mapping may take. */
static uint64_t fair_share(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	uint64_t share;

	if (sys4(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	share = limit.rlim_cur / LIMIT_SHARE;
	return share > LEAST_BYTES ? share : LEAST_BYTES;
}

/* Maps the file, or as much of it as is fair and possible. */
static struct arena_head *map_file(int fd, uint64_t size, uint64_t *ret_len)
{
	uint64_t fair = fair_share();

	for (int shift = 0; shift <= 9; shift++) {
		uint64_t len = (size >> shift) & ~4095ull;
		long p;

		if (len > fair)
			continue;
		p = sys6(SYS_mmap, 0, (long)len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			fd, 0);
		if (p > 0 || p < -4095) {
			*ret_len = len;
			return (struct arena_head *)p;
		}
		if (p != -ENOMEM)
			break;
	}
	return NULL;
}

/*
 * Opens what the environment names: a file that belongs to whom the process
 * acts for, in a folder that nobody else may enter. A program that runs with
 * other rights than pptrace (setuid, su) so never writes to a file that an
 * ordinary user could have put there.
 */
static int open_file(uint64_t *ret_size)
{
	struct stat st;
	long fd = sys4(SYS_openat, AT_FDCWD, shim_options.arena,
		O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0);

	if (fd < 0)
		return (int)fd;
	if (sys2(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode) &&
		st.st_uid == (uid_t)sys0(SYS_geteuid) && (st.st_mode & 077) == 0 &&
		st.st_size >= 65536) {
		*ret_size = (uint64_t)st.st_size;
		return (int)fd;
	}
	sys1(SYS_close, fd);
	return -EPERM;
}

/* Maps the arena; -EAGAIN: may work later. Threads may race: the first one to publish its mapping wins. */
static int arena_map(void)
{
	struct arena_head *mine, *none = NULL;
	uint64_t size = 0, len = 0;
	int fd = open_file(&size);

	if (fd < 0)
		return fd == -EMFILE || fd == -ENFILE || fd == -EINTR ? -EAGAIN : fd;
	mine = map_file(fd, size, &len);
	sys1(SYS_close, fd);
	if (!mine)
		return -ENOMEM;
	if (!head_is_sane(mine, size) || len < mine->data_at + ARENA_CHUNK_BYTES * 16) {
		sys2(SYS_munmap, mine, len);
		return -EINVAL;
	}
	sys3(SYS_madvise, mine, len, MADV_DONTDUMP);
	uint64_t chunks = (len - mine->data_at) / ARENA_CHUNK_BYTES;

	if (chunks > mine->n_chunks)
		chunks = mine->n_chunks;
	if (!__atomic_compare_exchange_n(
		    &arena, &none, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		sys2(SYS_munmap, mine, len);
		return 0;
	}
	shim_tsc = mine->clock == ARENA_CLOCK_TSC;
	shim_options.data_bytes = mine->data_bytes;
	at.rings = (struct arena_ring *)((char *)mine + mine->rings_at);
	at.chunks = (struct arena_chunk *)((char *)mine + mine->chunks_at);
	at.data = (char *)mine + mine->data_at;
	at.n_rings = mine->n_rings;
	__atomic_store_n(&usable_chunks, (uint32_t)chunks, __ATOMIC_RELEASE);
	return 0;
}

/* The memory that a child does not inherit. */
static bool wiped_map(void)
{
	struct shim_wiped *none = NULL;
	long p = sys6(SYS_mmap, 0, sizeof *wiped, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p < 0 && p >= -4095)
		return false;
	if (sys3(SYS_madvise, p, sizeof *wiped, MADV_WIPEONFORK) < 0 ||
		!__atomic_compare_exchange_n(&wiped, &none, (struct shim_wiped *)p, false,
			__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		sys2(SYS_munmap, p, sizeof *wiped);
	return __atomic_load_n(&wiped, __ATOMIC_ACQUIRE) != NULL;
}

struct shim_wiped *shim_wiped(void)
{
	return __atomic_load_n(&wiped, __ATOMIC_ACQUIRE);
}

bool shim_active(void)
{
	int rc;

	if (likely(__atomic_load_n(&usable_chunks, __ATOMIC_ACQUIRE) && shim_wiped()))
		return true;
	if (!shim_options.arena[0])
		return false;
	if (shim_options.sandboxed && !__atomic_load_n(&arena, __ATOMIC_ACQUIRE))
		return false;
	rc = __atomic_load_n(&arena, __ATOMIC_ACQUIRE) ? 0 : arena_map();
	if (rc < 0 && rc != -EAGAIN)
		shim_options.arena[0] = '\0';
	return rc == 0 && (shim_wiped() || wiped_map()) &&
	       __atomic_load_n(&usable_chunks, __ATOMIC_ACQUIRE);
}

/* The time of a process's first record may be asked for before anything has mapped the arena, which says what clock it is. */
uint64_t shim_clock(void)
{
	if (muted)
		return 0;
	if (!__atomic_load_n(&usable_chunks, __ATOMIC_ACQUIRE) && shim_active() && shim_tsc)
		return shim_now();
	return monotonic();
}

void ring_mute(void)
{
	muted = true;
	shim_tsc = false;
	shim_options.arena[0] = '\0';
	__atomic_store_n(&usable_chunks, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&shim_epoch, &no_epoch, __ATOMIC_RELEASE);
}

/* ---- Chunks ---- */

static struct arena_chunk *chunk_row(uint32_t i)
{
	return at.chunks + i;
}

static uint64_t *chunk_data(uint32_t i)
{
	return (uint64_t *)(at.data + (uint64_t)i * ARENA_CHUNK_BYTES);
}

/*
 * Maps the chunk, if this process has not done so before, and allocates its
 * space if nobody has. What is there already is mapped many pages at a time if
 * it is asked for as for reading (fault-around: mm/memory.c), and may be
 * written all the same: shared memory keeps no count of its dirty pages.
 */
static bool chunk_populate(uint32_t i)
{
	int how = __atomic_load_n(&chunk_row(i)->space, __ATOMIC_RELAXED) ? MADV_POPULATE_READ
									  : MADV_POPULATE_WRITE;
	uint8_t bit = (uint8_t)(1u << (i % 8));
	long rc;

	if (__atomic_load_n(&populated[i / 8], __ATOMIC_RELAXED) & bit)
		return true;
	rc = sys3(SYS_madvise, chunk_data(i), ARENA_CHUNK_BYTES, how);
	/* Below a filter its pages are mapped as they are touched, if their space is there. */
	if (rc < 0 && !(shim_options.sandboxed && how == MADV_POPULATE_READ))
		return false;
	__atomic_fetch_or(&populated[i / 8], bit, __ATOMIC_RELAXED);
	__atomic_store_n(&chunk_row(i)->space, 1, __ATOMIC_RELAXED);
	return true;
}

/* Takes a free chunk for a ring; returns its number plus 1, or 0. The last few are kept for rings that have none. */
static uint32_t chunk_take(uint32_t ring, bool first)
{
	uint32_t n = usable_chunks, hint = __atomic_load_n(&arena->chunk_hint, __ATOMIC_ACQUIRE);
	uint32_t spare = n / 16 < 64 ? n / 16 : 64;

	if (hint == UINT32_MAX)
		return 0;
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = (hint + k) % n, none = 0;
		struct arena_chunk *c = chunk_row(i);

		if ((!first && i >= n - spare) || __atomic_load_n(&c->owner, __ATOMIC_RELAXED) ||
			!__atomic_compare_exchange_n(&c->owner, &none, ring + 1, false,
				__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		/* Most processes need a page or two of their first chunk: these are mapped when they are touched. */
		if (!(first && __atomic_load_n(&c->space, __ATOMIC_RELAXED)) &&
			!chunk_populate(i)) {
			__atomic_store_n(&c->owner, 0, __ATOMIC_RELEASE);
			return 0;
		}
		__atomic_store_n(&c->next, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&arena->chunk_hint, i + 1, __ATOMIC_RELEASE);
		return i + 1;
	}
	if (!first)
		__atomic_store_n(&arena->chunk_hint, UINT32_MAX, __ATOMIC_RELEASE);
	return 0;
}

static void pause_ns(long ns)
{
	struct timespec ts = {0, ns};

	sys4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL);
}

/* Takes a chunk, and waits for one as long as the tracer is alive and at most a second. */
static uint32_t chunk_get(uint32_t ring, bool first)
{
	uint64_t start, moved, beat;
	uint32_t c = chunk_take(ring, first);

	if (c) {
		gave_up = false;
		return c;
	}
	beat = __atomic_load_n(&arena->heartbeat, __ATOMIC_RELAXED);
	if (gave_up || (arena->flags & ARENA_FLAG_DROP) || beat == dead_beat)
		return 0;
	if (shim_filtered && filter_forbids(SYS_clock_nanosleep))
		return 0;
	start = moved = monotonic();
	while (!__atomic_load_n(&arena->closed, __ATOMIC_RELAXED)) {
		uint64_t now, b;

		pause_ns(WAIT_STEP_NS);
		c = chunk_take(ring, first);
		if (c)
			return c;
		now = monotonic();
		b = __atomic_load_n(&arena->heartbeat, __ATOMIC_RELAXED);
		if (b != beat)
			moved = now;
		beat = b;
		if (now - moved > BEAT_MAX_NS)
			dead_beat = b;
		if (now - moved > BEAT_MAX_NS || now - start > WAIT_MAX_NS)
			break;
	}
	gave_up = true;
	return 0;
}

/* ---- Rings ---- */

static struct arena_ring *ring_claim(uint64_t owner)
{
	struct arena_ring *rings = at.rings;
	uint32_t n = at.n_rings, hint = __atomic_load_n(&arena->ring_hint, __ATOMIC_RELAXED);

	for (uint32_t k = 0; k < n; k++) {
		struct arena_ring *r = &rings[(hint + k) % n];
		uint64_t none = 0;

		if (!__atomic_load_n(&r->owner, __ATOMIC_RELAXED) &&
			__atomic_compare_exchange_n(&r->owner, &none, owner, false,
				__ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			__atomic_store_n(
				&arena->ring_hint, (uint32_t)(r - rings) + 1, __ATOMIC_RELAXED);
			return r;
		}
	}
	return NULL;
}

static uint32_t ring_number(const struct arena_ring *r)
{
	return (uint32_t)(r - at.rings);
}

/* Adds a chunk behind the ring's last one. */
static bool ring_grow(struct ring_local *t, bool first)
{
	uint32_t c = chunk_get(ring_number(t->ring), first);
	unsigned place = (unsigned)(t->limit / ARENA_CHUNK_SLOTS) % RING_CHUNKS;

	if (!c)
		return false;
	t->chunk[place].data = chunk_data(c - 1);
	t->chunk[place].tag =
		((uint64_t)(__atomic_load_n(&chunk_row(c - 1)->gen, __ATOMIC_ACQUIRE) & 0x7fff) |
			ARENA_TAG_HEAD)
		<< 48;
	__atomic_store_n(
		first ? &t->ring->first : &chunk_row(t->last_chunk - 1)->next, c, __ATOMIC_RELEASE);
	t->last_chunk = c;
	t->limit += ARENA_CHUNK_SLOTS;
	return true;
}

static uint64_t image_number(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint64_t n = 0;

	if (random)
		memcpy(&n, random, sizeof n);
	return n;
}

static uint64_t pidns_number(void)
{
	struct stat st;

	return sys4(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &st, 0) == 0 ? st.st_ino : 0;
}

static uint64_t parse_number(const char **p)
{
	uint64_t n = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		n = n * 10 + (uint64_t)(**p - '0');
	return n;
}

/*
 * This thread as the tracer numbers it, if that lives in another PID namespace
 * and the /proc of here is still its own: "4711/task/4712". A thread may be
 * gone before the tracer could look for it.
 */
static uint64_t outer_numbers(void)
{
	char link[64];
	const char *p = link;
	struct stat st;
	uint64_t pid;
	long n;

	if (!wiped->pidns || wiped->pidns == arena->pidns || !arena->proc_dev ||
		sys4(SYS_newfstatat, AT_FDCWD, "/proc", &st, 0) < 0 || st.st_dev != arena->proc_dev)
		return 0;
	n = sys4(SYS_readlinkat, AT_FDCWD, "/proc/thread-self", link, sizeof link - 1);
	if (n <= 0)
		return 0;
	link[n] = '\0';
	pid = parse_number(&p);
	if (strncmp(p, "/task/", 6) != 0)
		return 0;
	p += 6;
	return pid << 32 | parse_number(&p);
}

uint32_t shim_tid(void)
{
	long tid = sys0(SYS_gettid);

	return tid > 0 ? (uint32_t)tid : thread_tid(pthread_self());
}

uint32_t shim_pid(void)
{
	struct shim_wiped *w = shim_wiped();
	long pid = sys0(SYS_getpid);

	if (pid > 0)
		return (uint32_t)pid;
	/* A child that is new has its first thread alone. */
	if (w && !w->pid)
		w->pid = shim_tid();
	return w ? w->pid : 0;
}

/* Takes a ring for this thread; the first one in a process also makes its epoch. */
static bool ring_take(struct ring_local *t)
{
	uint32_t pid = shim_pid(), tid = shim_tid();
	uint64_t none = 0, mine = __atomic_add_fetch(&last_epoch, 1, __ATOMIC_RELAXED);
	struct arena_ring *r = pid && tid ? ring_claim((uint64_t)pid << 32 | tid) : NULL;
	long parent;

	if (!r)
		return false;
	if (!wiped->pid)
		wiped->pid = pid;
	__atomic_compare_exchange_n(
		&wiped->epoch, &none, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	__atomic_store_n(&shim_epoch, &wiped->epoch, __ATOMIC_RELEASE);
	/* A look at a file's attributes opens nothing, and what a filter may punish is not called. */
	if (!wiped->pidns)
		wiped->pidns = pidns_number();
	t->ring = r;
	t->head = &r->head;
	t->limit = 0;
	t->last_chunk = 0;
	r->image = image_number();
	r->pidns = wiped->pidns;
	parent = sys0(SYS_getppid);
	/* Where it may not be asked for: fork has copied the number that the parent left here. */
	r->parent = parent > 0 ? (uint64_t)parent : last_pid != pid ? last_pid : 0;
	last_pid = pid;
	r->outer = outer_numbers();
	r->dropped = 0;
	r->head = 0;
	r->first = 0;
	r->born = shim_now();
	if (!ring_grow(t, true)) {
		__atomic_store_n(&r->owner, 0, __ATOMIC_RELEASE);
		return false;
	}
	__atomic_store_n(&r->state, ARENA_RING_LIVE, __ATOMIC_RELEASE);
	t->epoch = wiped->epoch;
	return true;
}

/* Counts a record that finds no room. */
static bool count_lost(struct ring_local *t)
{
	if (t->epoch == *shim_epoch)
		__atomic_fetch_add(&t->ring->dropped, 1, __ATOMIC_RELAXED);
	else if (arena)
		__atomic_fetch_add(&arena->no_ring, 1, __ATOMIC_RELAXED);
	return false;
}

static bool ring_ready(struct ring_local *t)
{
	if (t->epoch != *shim_epoch && !ring_take(t))
		return false;
	/* The margin stays for those that checked before and have not reserved yet. */
	while (*t->head + RING_MARGIN >= t->limit)
		if (!ring_grow(t, false))
			return false;
	return true;
}

/* Cold: signals are blocked, so that no handler sees a ring half made. */
__attribute__((noinline, cold)) bool ring_room(void)
{
	struct ring_local *t = &ring_local;
	uint64_t all = ~0ull, old;
	bool new_image, ok, blocked;

	if (!shim_has_tls())
		return false;
	if (!shim_options.ready)
		shim_options_read();
	if (t->quiet || (!shim_options.arena[0] && !usable_chunks))
		return false;
	/* Where there was no room just now there is none yet: dropping must be cheap. */
	if (t->skip) {
		t->skip--;
		return count_lost(t);
	}
	blocked = sys4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, 8) == 0;
	if (!blocked && t->busy)
		return count_lost(t);
	t->busy = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	ok = shim_active() && !__atomic_load_n(&arena->closed, __ATOMIC_RELAXED) && ring_ready(t);
	/* Where everything is recorded the program's start tells, after its exec. */
	new_image = ok && !shim_all && !__atomic_exchange_n(&modules_done, true, __ATOMIC_RELAXED);
	if (!ok) {
		t->skip = SKIP_RECORDS;
		count_lost(t);
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->busy = false;
	if (blocked)
		sys4(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
	if (new_image)
		object_modules();
	return ok;
}

/* ---- Records of any kind ---- */

/* Fills one slot behind the first with 22 bytes of payload. */
static void put_payload(uint64_t *slot, uint64_t tag, const char *data, size_t len)
{
	uint64_t w[ARENA_SLOT_WORDS] = {0, 0, 0};

	if (likely(len >= ARENA_PAYLOAD))
		memcpy(w, data, ARENA_PAYLOAD);
	else
		memcpy(w, data, len);
	slot[0] = w[0];
	slot[1] = w[1];
	slot[2] = w[2] | (tag & ~((uint64_t)ARENA_TAG_HEAD << 48));
}

/* Fills slots from n on that were reserved; the first one last, which commits. */
static void put_record(
	struct ring_local *t, uint64_t n, uint64_t ts, unsigned kind, const char *from, size_t len)
{
	unsigned aux = kind >> 16;
	uint64_t tag, *slot;

	for (size_t done = 0, i = 1; done < len; done += ARENA_PAYLOAD, i++) {
		slot = ring_slot(t, n + i, &tag);
		if (!slot)
			return;
		put_payload(slot, tag, from + done, len - done);
	}
	slot = ring_slot(t, n, &tag);
	if (!slot)
		return;
	slot[0] = ts;
	slot[1] = len | (uint64_t)(kind & 0xffff) << 16 |
		  (uint64_t)RING_KIND(ARENA_RAW, 0, aux) << 48;
	__atomic_store_n(&slot[2], tag, __ATOMIC_RELEASE);
}

static size_t slots_for(size_t len)
{
	return 1 + (len + ARENA_PAYLOAD - 1) / ARENA_PAYLOAD;
}

void ring_record(struct rec_head *rec, unsigned kind, size_t size)
{
	struct ring_local *t = &ring_local;
	const char *from = (const char *)(rec + 1);
	size_t len = size - sizeof *rec;
	uint64_t n;

	if (unlikely(!shim_has_tls()))
		return;
	/* Fields are words: what is 0 at the end is left off, first by the word. */
	for (uint64_t word; len >= sizeof word; len -= sizeof word) {
		memcpy(&word, from + len - sizeof word, sizeof word);
		if (word)
			break;
	}
	while (len && from[len - 1] == 0)
		len--;
	if (unlikely(t->task) && !rec->pid)
		rec->pid = rec->tid = t->task;
	if (rec->pid) {
		/* Task numbers are the end of the head. */
		from = (const char *)&rec->pid;
		len += 8;
		kind |= ARENA_AUX_TASK << 16;
	}
	if (t->epoch != *shim_epoch || *t->head + RING_MARGIN >= t->limit)
		if (!ring_room())
			return;
	n = ring_reserve(t->head, slots_for(len));
	put_record(t, n, rec->ts ? rec->ts : shim_now(), kind, from, len);
}

void ring_record_begin(struct ring_pending *p, size_t size)
{
	struct ring_local *t = &ring_local;

	*p = (struct ring_pending){.size = size};
	if (unlikely(!shim_has_tls()))
		return;
	if (t->epoch != *shim_epoch || *t->head + RING_MARGIN >= t->limit)
		if (!ring_room())
			return;
	p->thread = t;
	p->first = ring_reserve(t->head, slots_for(size - sizeof(struct rec_head) + 8));
	p->ts = shim_now();
}

void ring_record_end(struct ring_pending *p, struct rec_head *rec, unsigned kind, bool ok)
{
	size_t len = p->size - sizeof *rec + 8;

	if (!p->thread)
		return;
	if (!ok) {
		kind = ARENA_KIND_NOTHING;
	} else if (!rec->pid) {
		rec->pid = (uint32_t)(p->thread->ring->owner >> 32);
		rec->tid = (uint32_t)p->thread->ring->owner;
	}
	put_record(p->thread, p->first, p->ts, kind | ARENA_AUX_TASK << 16, (const char *)&rec->pid,
		len);
	p->thread = NULL;
}
