/* source.c - the preload library as a source of records. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/shim/shim.h"

enum { RINGS = 4096 };

#define MIB (1024ull * 1024)

struct state {
	struct shim_drain drain;
	struct shim_feed *feed;
	char *path, *library, *mpi;
	int wakeup;
	int lock; /* the file: locked as long as there is somebody who reads it */
	bool mapped;
};

static uint64_t pidns_number(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

static uint64_t proc_device(void)
{
	struct stat st;

	return stat("/proc", &st) == 0 ? st.st_dev : 0;
}

static int shim_available(struct buf *why)
{
	(void)why;
	return 0;
}

/* ---- The file ---- */

/* A sixteenth of the memory that is left, at most 1 GiB, and no more than half of what the file system has left. */
static uint64_t default_bytes(int dir, uint64_t memory)
{
	uint64_t want = memory && memory / 16 < 1024 * MIB ? memory / 16 : 1024 * MIB;
	struct statfs fs;

	if (fstatfs(dir, &fs) == 0 && (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / 2 < want)
		want = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize / 2;
	return want;
}

/* By this lock, and not by a process ID, the programs see that pptrace is alive. */
static int file_lock(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static int close_after_error(int fd)
{
	int rc = -errno;

	(void)close(fd);
	return rc;
}

/* Makes the file; returns its descriptor or -errno. */
static int file_make(struct state *s, const struct source_config *config)
{
	const char *dir = config->arena_dir,
		   *name = config->stacks ? (config->everything ? "arena" ARENA_STACKS ARENA_ALL
								: "arena" ARENA_STACKS)
			   : config->everything ? "arena" ARENA_ALL
						: "arena";
	uint64_t bytes = config->ring_bytes;
	_cleanup_close_ int at = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int fd;

	if (at < 0 || fstat(at, &st) < 0)
		return -errno;
	if (st.st_uid != config->owner || (st.st_mode & 077))
		return -EPERM;
	if (!bytes)
		bytes = default_bytes(at, config->memory);
	if (bytes < 4 * MIB)
		bytes = 4 * MIB;
	shim_arena_layout(&s->drain.arena, RINGS, (uint32_t)(bytes / ARENA_CHUNK_BYTES));
	fd = openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (config->owner != geteuid() && fchown(fd, config->owner, (gid_t)-1) < 0)
		return close_after_error(fd);
	s->path = xasprintf("%s/%s", dir, name);
	return fd;
}

static int file_map(struct state *s, int fd)
{
	char *base;
	int rc = posix_fallocate(fd, 0, (off_t)s->drain.arena.data_at);

	if (rc)
		return -rc;
	if (ftruncate(fd, (off_t)s->drain.arena.bytes) < 0)
		return -errno;
	base = mmap(NULL, s->drain.arena.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	madvise(base, s->drain.arena.bytes, MADV_DONTDUMP);
	shim_guard_begin(base, s->drain.arena.bytes);
	shim_arena_init(&s->drain.arena, base);
	s->drain.arena.check_populated = true;
	s->drain.arena.fd = fd;
	s->mapped = true;
	return 0;
}

/* Programs that go on have the file mapped, and its memory counts as theirs. Whatever the reader sees of it now, it survives. */
static void shim_let_go(struct source *src)
{
	const struct state *s = src->state;
	const struct shim_arena *a = &s->drain.arena;

	__atomic_store_n(&shim_arena_head(a)->closed, 1, __ATOMIC_RELEASE);
	(void)fallocate(s->lock, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)a->data_at,
		(off_t)(a->bytes - a->data_at));
}

static void shim_detach(struct source *src)
{
	struct state *s = src->state;

	if (!s)
		return;
	if (s->mapped) {
		uint64_t bytes = s->drain.arena.bytes;
		char *base = s->drain.arena.base;

		shim_feed_end(s->feed);
		shim_let_go(src);
		munmap(base, bytes);
		shim_guard_end();
	}
	if (s->path)
		unlink(s->path);
	shim_drain_done(&s->drain);
	mem_cleanup_close(&s->wakeup);
	mem_cleanup_close(&s->lock);
	free(s->path);
	free(s->library);
	free(s->mpi);
	free(s);
	src->state = NULL;
}

static int shim_attach(struct source *src, const struct source_config *config, struct buf *why)
{
	struct state *s = xcalloc(1, sizeof *s);
	struct arena_head *h;
	int rc;

	src->state = s;
	s->library = config->shim_path ? xstrdup(config->shim_path) : NULL;
	s->mpi = config->mpi_path ? xstrdup(config->mpi_path) : NULL;
	s->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->drain.ns.own = pidns_number();
	s->drain.clock.tsc = shim_clock_tsc();
	s->lock = rc = file_make(s, config);
	if (rc >= 0)
		rc = file_lock(s->lock);
	if (rc == 0)
		rc = file_map(s, s->lock);
	if (rc < 0) {
		buf_addf(why, "cannot make the shared memory for locks in %s: %s",
			config->arena_dir, strerror(-rc));
		shim_detach(src);
		return rc;
	}
	h = shim_arena_head(&s->drain.arena);
	h->flags =
		(config->drop ? ARENA_FLAG_DROP : 0) | (config->keep_all ? ARENA_FLAG_SINGLY : 0);
	h->clock = s->drain.clock.tsc ? ARENA_CLOCK_TSC : ARENA_CLOCK_MONOTONIC;
	h->data_bytes = config->data_bytes;
	h->pidns = s->drain.ns.own;
	h->proc_dev = proc_device();
	shim_drain_beat(&s->drain);
	shim_drain_init(&s->drain, config->everything, config->memory);
	s->drain.keep_all = config->keep_all;
	s->drain.tasks.known.authority = config->authority;
	s->feed = shim_feed_begin(&s->drain.arena, s->lock);
	return 0;
}

static int shim_adopt(struct source *src, pid_t pid)
{
	shim_tasks_root(&((struct state *)src->state)->drain.tasks, (uint32_t)pid);
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
	free(s->mpi); /* it lies where the library does */
	s->mpi = NULL;
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
	buf_addf(env, "LD_PRELOAD=%s%s%s%s%s", s->library, s->mpi ? ":" : "", s->mpi ? s->mpi : "",
		others && *others ? ":" : "", others ? others : "");
	buf_addc(env, '\0');
	return 0;
}

static int shim_poll(struct source *src, source_emit *emit, void *arg, uint64_t *ret_until)
{
	struct state *s = src->state;
	uint64_t counter;

	if (read(s->wakeup, &counter, sizeof counter) < 0)
		counter = 0;
	/* Left over: come again at once. */
	if (shim_drain_poll(&s->drain, emit, arg)) {
		counter = 1;
		if (write(s->wakeup, &counter, sizeof counter) < 0)
			counter = 0;
	}
	*ret_until = s->drain.until;
	return 0;
}

/* A thread that finds no room waits a while before it drops anything: the last half of it alone counts. */
static unsigned shim_pressure(struct source *src)
{
	struct shim_drain *d = &((struct state *)src->state)->drain;
	uint64_t half = (uint64_t)d->arena.n_chunks * ARENA_CHUNK_SLOTS / 2;

	/* It is asked while records are worked off, which may take longer than a thread waits for one that seems dead. */
	shim_drain_beat(d);
	return d->waiting > half ? (unsigned)((d->waiting - half) * 100 / half) : 0;
}

static size_t shim_backlog(struct source *src)
{
	return ((struct state *)src->state)->drain.waiting;
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
	dropped = shim_drain_dropped(&s->drain);
	if (dropped)
		loss(arg, "shim", 0, dropped);
	dropped = shim_drain_dropped_vital(&s->drain);
	if (dropped)
		loss(arg, "shim: births and ends", 0, dropped);
	if (shim_drain_unidentified(&s->drain))
		loss(arg, "shim: unidentified processes of PID namespaces", 0,
			shim_drain_unidentified(&s->drain));
	/* Also when it is none any more: they may have been late only. */
	loss(arg, "shim: interrupted for good", 0, shim_drain_interrupted(&s->drain));
	if (shim_guard_hit())
		loss(arg, "shim: the file of the rings was cut off", 0, 1);
	if (s->drain.expand.malformed)
		loss(arg, "shim: malformed", 0, s->drain.expand.malformed);
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
		.pressure = shim_pressure,
		.backlog = shim_backlog,
		.wakeup_fd = shim_wakeup_fd,
		.losses = shim_losses,
		.let_go = shim_let_go,
		.detach = shim_detach,
	};

	return &shim;
}
