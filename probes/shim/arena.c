/* arena.c - the arena is mapped, and the memory that a child does not inherit. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "probes/shim/shim.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "schema/plain.h"

enum { LIMIT_SHARE = 16, LEAST_BYTES = 2 << 20 };

static const uint64_t no_epoch = 1;
const uint64_t *shim_epoch = &no_epoch;
bool shim_tsc;

struct arena_head *shim_arena;
struct arena_places arena_at;
uint32_t arena_usable;

static struct shim_wiped *wiped;
static bool muted;

uint64_t arena_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

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

/*
 * Says whether the tracer has gone: its lock on the file went with it. Its number
 * would prove nothing, as that may be another process's by now.
 */
static bool is_orphaned(int fd)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	return sys3(SYS_fcntl, fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

_Static_assert(sizeof PLAIN_FILE <= sizeof "arena", "fits where the name of the arena is");

/* Nobody else does what the tracer would have done: the files are removed, and with them the reason to load this library. */
static void remove_orphan(void)
{
	char *slash = strrchr(shim_options.arena, '/');

	sys3(SYS_unlinkat, AT_FDCWD, shim_options.arena, 0);
	if (!slash)
		return;
	memcpy(slash + 1, PLAIN_FILE, sizeof PLAIN_FILE);
	sys3(SYS_unlinkat, AT_FDCWD, shim_options.arena, 0);
	*slash = '\0';
	sys3(SYS_unlinkat, AT_FDCWD, shim_options.arena, AT_REMOVEDIR);
	*slash = '/';
}

/* Maps the arena; -EAGAIN: may work later. Threads may race: the first one to publish its mapping wins. */
static int arena_map(void)
{
	struct arena_head *mine, *none = NULL;
	uint64_t size = 0, len = 0;
	int fd = open_file(&size);
	bool orphaned;

	if (fd < 0)
		return fd == -EMFILE || fd == -ENFILE || fd == -EINTR ? -EAGAIN : fd;
	mine = map_file(fd, size, &len);
	orphaned = is_orphaned(fd);
	sys1(SYS_close, fd);
	if (!mine)
		return -ENOMEM;
	if (!head_is_sane(mine, size) || len < mine->data_at + ARENA_CHUNK_BYTES * 16) {
		sys2(SYS_munmap, mine, len);
		return -EINVAL;
	}
	if (orphaned) {
		/* Those that have it mapped learn it from here. */
		__atomic_store_n(&mine->closed, 1, __ATOMIC_RELEASE);
		sys2(SYS_munmap, mine, len);
		remove_orphan();
		return -EOWNERDEAD;
	}
	sys3(SYS_madvise, mine, len, MADV_DONTDUMP);
	uint64_t chunks = (len - mine->data_at) / ARENA_CHUNK_BYTES;

	if (chunks > mine->n_chunks)
		chunks = mine->n_chunks;
	if (!__atomic_compare_exchange_n(
		    &shim_arena, &none, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		sys2(SYS_munmap, mine, len);
		return 0;
	}
	shim_tsc = mine->clock == ARENA_CLOCK_TSC;
	shim_options.data_bytes = mine->data_bytes;
	arena_at.rings = (struct arena_ring *)((char *)mine + mine->rings_at);
	arena_at.chunks = (struct arena_chunk *)((char *)mine + mine->chunks_at);
	arena_at.data = (char *)mine + mine->data_at;
	arena_at.n_rings = mine->n_rings;
	__atomic_store_n(&arena_usable, (uint32_t)chunks, __ATOMIC_RELEASE);
	return 0;
}

bool arena_allocate(const void *data, uint64_t len)
{
	uint64_t size;
	int fd = open_file(&size);
	long rc;

	if (fd < 0)
		return false;
	rc = sys4(SYS_fallocate, fd, 0, (const char *)data - (const char *)shim_arena, len);
	sys1(SYS_close, fd);
	return rc == 0;
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

	if (likely(__atomic_load_n(&arena_usable, __ATOMIC_ACQUIRE) && shim_wiped()))
		return true;
	if (!shim_options.arena[0])
		return false;
	if (shim_options.sandboxed && !__atomic_load_n(&shim_arena, __ATOMIC_ACQUIRE))
		return false;
	rc = __atomic_load_n(&shim_arena, __ATOMIC_ACQUIRE) ? 0 : arena_map();
	if (rc < 0 && rc != -EAGAIN)
		shim_options.arena[0] = '\0';
	return rc == 0 && (shim_wiped() || wiped_map()) &&
	       __atomic_load_n(&arena_usable, __ATOMIC_ACQUIRE);
}

/* The time of a process's first record may be asked for before anything has mapped the arena, which says what clock it is. */
uint64_t shim_clock(void)
{
	if (muted)
		return 0;
	if (!__atomic_load_n(&arena_usable, __ATOMIC_ACQUIRE) && shim_active() && shim_tsc)
		return shim_now();
	return arena_monotonic();
}

void arena_stop(void)
{
	shim_options.arena[0] = '\0';
	__atomic_store_n(&arena_usable, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&shim_epoch, &no_epoch, __ATOMIC_RELEASE);
}

void shim_mute(void)
{
	muted = true;
	shim_tsc = false;
	arena_stop();
}
