/* source_shim.c - the preload library as a source of records. */
/* SPDX-License-Identifier: MIT */
#include "tracer/source_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum {
	RINGS = 4096,
	POLL_SLOTS = 200000 /* handed over by one poll at most, so that memory stays bounded */

};

#define MIB (1024ull * 1024)
#define SLACK_NS 50000u           /* between a stamp and its slot being seen */
#define HOLE_MAX_NS 1000000000ull /* a slot that stays empty so long is given up */
#define FUTURE_RAW (1ull << 36)   /* no record is so much younger than the drain */
#define ALIVE_CHECK_NS 300000000ull

struct state {
	struct shim_arena arena;
	struct shim_clock clock;
	struct shim_expand expand;
	struct shim_tasks tasks;
	struct shim_ring *rings; /* one for each in the arena */
	uint32_t *heap;          /* rings with a record to hand over, oldest first */
	size_t n_heap;
	char *path, *library;
	uint64_t pidns;
	uint64_t latest; /* raw: when the drain began */
	uint64_t until;  /* mono: handed over so far */
	uint64_t lost_dropped, lost_holes;
	int wakeup;
	bool mapped;
};

static uint64_t pidns_number(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

static int shim_available(struct buf *why)
{
#if defined(__x86_64__) || defined(__aarch64__)
	(void)why;
	return 0;
#else
	buf_adds(why, "the preload library is not built for this processor");
	return -ENOTSUP;
#endif
}

/* ---- The file ---- */

/* An eighth of the memory, at most 1 GiB, and no more than half of what the file system has left. */
static uint64_t default_bytes(int dir)
{
	struct statfs fs;
	struct sysinfo info;
	uint64_t want = 1024 * MIB;

	if (sysinfo(&info) == 0 && (uint64_t)info.totalram * info.mem_unit / 8 < want)
		want = (uint64_t)info.totalram * info.mem_unit / 8;
	if (fstatfs(dir, &fs) == 0 && (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / 2 < want)
		want = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / 2;
	return want;
}

/* Makes the file; returns its descriptor or -errno. */
static int file_make(struct state *s, const struct source_config *config)
{
	const char *dir = config->arena_dir,
		   *name = config->everything ? "arena" ARENA_ALL : "arena";
	uint64_t bytes = config->ring_bytes;
	_cleanup_close_ int at = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int fd;

	if (at < 0 || fstat(at, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return -EPERM;
	if (!bytes)
		bytes = default_bytes(at);
	if (bytes < 4 * MIB)
		bytes = 4 * MIB;
	shim_arena_layout(&s->arena, RINGS, (uint32_t)(bytes / ARENA_CHUNK_BYTES));
	fd = openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	s->path = xasprintf("%s/%s", dir, name);
	return fd;
}

static int file_map(struct state *s, int fd)
{
	char *base;
	int rc = posix_fallocate(fd, 0, (off_t)s->arena.data_at);

	if (rc)
		return -rc;
	if (ftruncate(fd, (off_t)s->arena.bytes) < 0)
		return -errno;
	base = mmap(
		NULL, s->arena.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	madvise(base, s->arena.bytes, MADV_DONTDUMP);
	shim_arena_init(&s->arena, base);
	s->arena.check_populated = true;
	s->mapped = true;
	return 0;
}

static void shim_detach(struct source *src)
{
	struct state *s = src->state;

	if (!s)
		return;
	if (s->mapped) {
		uint64_t bytes = s->arena.bytes;
		char *base = s->arena.base;

		__atomic_store_n(&shim_arena_head(&s->arena)->closed, 1, __ATOMIC_RELEASE);
		munmap(base, bytes);
	}
	if (s->path)
		unlink(s->path);
	for (uint32_t i = 0; s->rings && i < s->arena.n_rings; i++)
		free(s->rings[i].pinned);
	shim_arena_done(&s->arena);
	shim_clock_done(&s->clock);
	shim_expand_done(&s->expand);
	shim_tasks_done(&s->tasks);
	mem_cleanup_close(&s->wakeup);
	free(s->rings);
	free(s->heap);
	free(s->path);
	free(s->library);
	free(s);
	src->state = NULL;
}

static int shim_attach(struct source *src, const struct source_config *config, struct buf *why)
{
	struct state *s = xcalloc(1, sizeof *s);
	_cleanup_close_ int fd = -1;
	struct arena_head *h;
	int rc;

	src->state = s;
	s->library = config->shim_path ? xstrdup(config->shim_path) : NULL;
	s->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->pidns = pidns_number();
	s->clock.tsc = shim_clock_tsc();
	s->expand.clock = &s->clock;
	s->expand.tasks = config->everything ? &s->tasks : NULL;
	fd = file_make(s, config);
	rc = fd < 0 ? fd : file_map(s, fd);
	if (rc < 0) {
		buf_addf(why, "cannot make the shared memory for locks in %s: %s",
			config->arena_dir, strerror(-rc));
		shim_detach(src);
		return rc;
	}
	s->rings = xcalloc(s->arena.n_rings, sizeof *s->rings);
	s->heap = xcalloc(s->arena.n_rings, sizeof *s->heap);
	h = shim_arena_head(&s->arena);
	h->flags = config->drop ? ARENA_FLAG_DROP : 0;
	h->clock = s->clock.tsc ? ARENA_CLOCK_TSC : ARENA_CLOCK_MONOTONIC;
	h->data_bytes = config->data_bytes;
	h->pidns = s->pidns;
	h->heartbeat = 1;
	s->until = shim_clock_sample(&s->clock).mono;
	return 0;
}

static int shim_adopt(struct source *src, pid_t pid)
{
	shim_tasks_root(&((struct state *)src->state)->tasks, (uint32_t)pid);
	return 0;
}

/* LD_PRELOAD is a list: a path with a separator in it needs another name. */
static int library_link(struct state *s)
{
	_cleanup_free_ char *link = NULL;

	if (!strpbrk(s->library, ": \t\n"))
		return 0;
	link = xasprintf(
		"%.*s/libpptrace-shim.so", (int)(strrchr(s->path, '/') - s->path), s->path);
	if (symlink(s->library, link) < 0)
		return -errno;
	free(s->library);
	s->library = steal(&link);
	return 0;
}

static int shim_environment(struct source *src, struct buf *env)
{
	const char *others = getenv("LD_PRELOAD");
	struct state *s = src->state;
	int rc = s->library ? library_link(s) : 0;

	if (rc < 0)
		return rc;
	buf_addf(env, "PPTRACE_ARENA=%s", s->path);
	buf_addc(env, '\0');
	if (!s->library)
		return 0;
	buf_addf(env, "LD_PRELOAD=%s%s%s", s->library, others && *others ? ":" : "",
		others ? others : "");
	buf_addc(env, '\0');
	return 0;
}

/* ---- Which rings there are ---- */

static bool thread_is_gone(const struct state *s, const struct shim_ring *r)
{
	/* Numbers of another PID namespace say nothing here. */
	if (r->pidns != s->pidns || !s->pidns)
		return false;
	return syscall(SYS_tgkill, r->pid, r->tid, 0) < 0 && errno == ESRCH;
}

/* An exec ended the threads of the image before it. */
static void supersede(struct state *s, const struct shim_ring *young)
{
	for (uint32_t i = 0; i < s->arena.n_rings; i++) {
		struct shim_ring *r = &s->rings[i];

		if (r->live && r->pid == young->pid && r->image != young->image &&
			r->pidns == young->pidns && r->born < young->born)
			r->dead = true;
	}
}

static void find_rings(struct state *s)
{
	for (uint32_t i = 0; i < s->arena.n_rings; i++) {
		struct shim_ring *r = &s->rings[i];

		if (!r->live && shim_ring_open(&s->arena, r, i))
			supersede(s, r);
		if (r->live)
			shim_ring_look(&s->arena, r);
	}
}

/* Gives back what dead threads have left when it has been read. */
static void retire_rings(struct state *s, uint64_t now)
{
	for (uint32_t i = 0; i < s->arena.n_rings; i++) {
		struct shim_ring *r = &s->rings[i];

		if (!r->live)
			continue;
		if (!r->dead && now - r->checked > ALIVE_CHECK_NS) {
			r->checked = now;
			/* What it wrote last may have come after the look. */
			if (thread_is_gone(s, r)) {
				r->dead = true;
				continue;
			}
		}
		if (r->dead && (r->broken || r->tail >= r->head)) {
			uint64_t seen = r->head;

			shim_ring_look(&s->arena, r);
			if (r->broken || r->head == seen)
				s->lost_dropped += shim_ring_close(&s->arena, r);
		}
	}
}

/* ---- Handing over in the order of time ---- */

static bool heap_before(const struct state *s, uint32_t a, uint32_t b)
{
	return s->rings[a].next != s->rings[b].next ? s->rings[a].next < s->rings[b].next : a < b;
}

static void heap_down(struct state *s, size_t i)
{
	uint32_t *h = s->heap, v = h[i];

	for (size_t child; (child = 2 * i + 1) < s->n_heap; i = child) {
		if (child + 1 < s->n_heap && heap_before(s, h[child + 1], h[child]))
			child++;
		if (!heap_before(s, h[child], v))
			break;
		h[i] = h[child];
	}
	h[i] = v;
}

/* Gives up what is reserved and will not be filled: one slot, and what belonged to it is skipped next. */
static void skip_hole(struct state *s, struct shim_ring *r)
{
	if (!r->dead)
		shim_ring_pin(r);
	shim_ring_skip(&s->arena, r, 1);
	r->hole = 0;
	s->lost_holes++;
}

/*
 * Finds the time of the ring's next record. False: it has none now; then
 * *floor_raw is lowered if one may come that is older.
 */
static bool ring_next(struct state *s, struct shim_ring *r, uint64_t now, uint64_t *floor_raw)
{
	for (;;) {
		enum shim_next next = shim_ring_time(&s->arena, r, &r->next);

		if (next == SHIM_RECORD) {
			r->hole = 0;
			/* A time that cannot be must not hold the ring for ever. */
			if (r->next > s->latest + FUTURE_RAW)
				r->next = r->last;
			return true;
		}
		if (next == SHIM_REST) {
			shim_ring_skip(&s->arena, r, 1);
			continue;
		}
		if (next != SHIM_HOLE)
			return false;
		if (!r->hole)
			r->hole = now;
		if (!r->dead && now - r->hole < HOLE_MAX_NS) {
			if (r->last < *floor_raw)
				*floor_raw = r->last;
			return false;
		}
		skip_hole(s, r);
	}
}

/* Hands over the record at the ring's tail. */
static bool ring_take(struct state *s, struct shim_ring *r, source_emit *emit, void *arg)
{
	struct shim_slot slot;
	unsigned n;

	switch (shim_ring_peek(&s->arena, r, &slot, &n)) {
	case SHIM_RECORD:
		slot.ts = r->next;
		shim_expand(&s->expand, r, &slot, s->until, emit, arg);
		r->last = slot.ts;
		shim_ring_skip(&s->arena, r, n);
		return true;
	case SHIM_HOLE:
	case SHIM_REST:
		/* A record that was cut off. */
		skip_hole(s, r);
		return true;
	case SHIM_EMPTY:
		return false;
	case SHIM_BROKEN:
		r->broken = true;
		return false;
	}
	return false;
}

/* Hands over all records up to the raw time horizon, at most POLL_SLOTS; returns the raw time up to which nothing is left. */
static uint64_t hand_over(
	struct state *s, uint64_t horizon, uint64_t now, source_emit *emit, void *arg)
{
	uint64_t floor_raw = horizon;
	size_t n = 0;

	s->n_heap = 0;
	for (uint32_t i = 0; i < s->arena.n_rings; i++)
		if (s->rings[i].live && ring_next(s, &s->rings[i], now, &floor_raw))
			s->heap[s->n_heap++] = i;
	for (size_t i = s->n_heap / 2; i-- > 0;)
		heap_down(s, i);
	while (s->n_heap) {
		struct shim_ring *r = &s->rings[s->heap[0]];

		/* Nobody goes ahead of a record that is still being written: what follows from it may lie elsewhere. */
		if (r->next > floor_raw)
			break;
		if (++n > POLL_SLOTS)
			return r->next < floor_raw ? r->next : floor_raw;
		if (!ring_take(s, r, emit, arg) || !ring_next(s, r, now, &floor_raw))
			s->heap[0] = s->heap[--s->n_heap];
		heap_down(s, 0);
	}
	return floor_raw;
}

static int shim_poll(struct source *src, source_emit *emit, void *arg, uint64_t *ret_until)
{
	struct state *s = src->state;
	struct arena_head *h = shim_arena_head(&s->arena);
	struct shim_clock_pair now = shim_clock_sample(&s->clock);
	uint64_t done, until, counter;

	__atomic_add_fetch(&h->heartbeat, 1, __ATOMIC_RELAXED);
	if (read(s->wakeup, &counter, sizeof counter) < 0)
		counter = 0;
	s->latest = now.raw;
	find_rings(s);
	done = hand_over(s, now.raw, now.mono, emit, arg);
	retire_rings(s, now.mono);
	until = shim_clock_mono(&s->clock, done);
	until = until > SLACK_NS ? until - SLACK_NS : 0;
	if (until > s->until)
		s->until = until;
	shim_clock_prune(&s->clock, done);
	/* Left over: come again at once. */
	if (s->n_heap && s->rings[s->heap[0]].next <= now.raw) {
		counter = 1;
		if (write(s->wakeup, &counter, sizeof counter) < 0)
			counter = 0;
	}
	*ret_until = s->until;
	return 0;
}

static int shim_wakeup_fd(struct source *src)
{
	return ((struct state *)src->state)->wakeup;
}

static void shim_losses(struct source *src, source_loss *loss, void *arg)
{
	struct state *s = src->state;
	uint64_t dropped;

	if (!s || !s->mapped)
		return;
	dropped = s->lost_dropped +
		  __atomic_load_n(&shim_arena_head(&s->arena)->no_ring, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < s->arena.n_rings; i++)
		if (s->rings[i].live)
			dropped += __atomic_load_n(
				&shim_arena_ring(&s->arena, i)->dropped, __ATOMIC_RELAXED);
	if (dropped)
		loss(arg, "shim", 0, dropped);
	if (s->lost_holes)
		loss(arg, "shim: interrupted for good", 0, s->lost_holes);
	if (s->expand.malformed)
		loss(arg, "shim: malformed", 0, s->expand.malformed);
}

struct source *source_shim(void)
{
	static struct source shim = {
		.name = "shim",
		.available = shim_available,
		.attach = shim_attach,
		.adopt = shim_adopt,
		.environment = shim_environment,
		.poll = shim_poll,
		.wakeup_fd = shim_wakeup_fd,
		.losses = shim_losses,
		.detach = shim_detach,
	};

	return &shim;
}
