/* symbols.c - where the lock functions lie in a program or library file. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema/probe_config.h"
#include "schema/record.h"

struct function {
	const char *name;
	uint64_t cookie;
};

#define MUTEX(attempt) LOCK_COOKIE(LOCK_DO_LOCK, LOCK_MUTEX, LOCK_MODE_X, attempt)
#define RWLOCK(mode, attempt) LOCK_COOKIE(LOCK_DO_LOCK, LOCK_RWLOCK, mode, attempt)
#define SPIN(attempt) LOCK_COOKIE(LOCK_DO_LOCK, LOCK_SPIN, LOCK_MODE_X, attempt)
#define PLAIN(action, kind) LOCK_COOKIE(action, kind, 0, 0)
#define WAITS(kind, op, attempt) LOCK_COOKIE(LOCK_DO_WAIT, kind, op, attempt)
#define POINT(kind, op) LOCK_COOKIE(LOCK_DO_POINT, kind, op, 0)

static const struct function functions[] = {
	{"pthread_mutex_lock", MUTEX(LOCK_PLAIN)},
	{"pthread_mutex_trylock", MUTEX(LOCK_TRY)},
	{"pthread_mutex_timedlock", MUTEX(LOCK_TIMED)},
	{"pthread_mutex_clocklock", MUTEX(LOCK_TIMED)},
	{"pthread_mutex_unlock", PLAIN(LOCK_DO_UNLOCK, LOCK_MUTEX)},
	{"pthread_mutex_init", PLAIN(LOCK_DO_INIT, LOCK_MUTEX)},
	{"pthread_mutex_destroy", PLAIN(LOCK_DO_DESTROY, LOCK_MUTEX)},
	{"pthread_rwlock_rdlock", RWLOCK(LOCK_MODE_S, LOCK_PLAIN)},
	{"pthread_rwlock_wrlock", RWLOCK(LOCK_MODE_X, LOCK_PLAIN)},
	{"pthread_rwlock_tryrdlock", RWLOCK(LOCK_MODE_S, LOCK_TRY)},
	{"pthread_rwlock_trywrlock", RWLOCK(LOCK_MODE_X, LOCK_TRY)},
	{"pthread_rwlock_timedrdlock", RWLOCK(LOCK_MODE_S, LOCK_TIMED)},
	{"pthread_rwlock_timedwrlock", RWLOCK(LOCK_MODE_X, LOCK_TIMED)},
	{"pthread_rwlock_clockrdlock", RWLOCK(LOCK_MODE_S, LOCK_TIMED)},
	{"pthread_rwlock_clockwrlock", RWLOCK(LOCK_MODE_X, LOCK_TIMED)},
	{"pthread_rwlock_unlock", PLAIN(LOCK_DO_UNLOCK, LOCK_RWLOCK)},
	{"pthread_rwlock_init", PLAIN(LOCK_DO_INIT, LOCK_RWLOCK)},
	{"pthread_rwlock_destroy", PLAIN(LOCK_DO_DESTROY, LOCK_RWLOCK)},
	{"pthread_spin_lock", SPIN(LOCK_PLAIN)},
	{"pthread_spin_trylock", SPIN(LOCK_TRY)},
	{"pthread_spin_unlock", PLAIN(LOCK_DO_UNLOCK, LOCK_SPIN)},
	{"pthread_spin_destroy", PLAIN(LOCK_DO_DESTROY, LOCK_SPIN)},
	{"pthread_cond_init", PLAIN(LOCK_DO_INIT, LOCK_COND)},
	{"pthread_cond_destroy", PLAIN(LOCK_DO_DESTROY, LOCK_COND)},
	{"pthread_cond_wait", WAITS(LOCK_COND, SYNC_COND_WAIT, LOCK_PLAIN)},
	{"pthread_cond_timedwait", WAITS(LOCK_COND, SYNC_COND_WAIT, LOCK_TIMED)},
	{"pthread_cond_clockwait", WAITS(LOCK_COND, SYNC_COND_WAIT, LOCK_TIMED)},
	{"pthread_cond_signal", POINT(LOCK_COND, SYNC_COND_SIGNAL)},
	{"pthread_cond_broadcast", POINT(LOCK_COND, SYNC_COND_BROADCAST)},
	{"sem_init", PLAIN(LOCK_DO_INIT, LOCK_SEM)},
	{"sem_destroy", PLAIN(LOCK_DO_DESTROY, LOCK_SEM)},
	{"sem_open", PLAIN(LOCK_DO_SEM_OPEN, LOCK_SEM)},
	{"sem_wait", WAITS(LOCK_SEM, SYNC_SEM_WAIT, LOCK_PLAIN)},
	{"sem_trywait", WAITS(LOCK_SEM, SYNC_SEM_WAIT, LOCK_TRY)},
	{"sem_timedwait", WAITS(LOCK_SEM, SYNC_SEM_WAIT, LOCK_TIMED)},
	{"sem_clockwait", WAITS(LOCK_SEM, SYNC_SEM_WAIT, LOCK_TIMED)},
	{"sem_post", POINT(LOCK_SEM, SYNC_SEM_POST)},
	{"pthread_barrier_init", PLAIN(LOCK_DO_INIT, LOCK_BARRIER)},
	{"pthread_barrier_destroy", PLAIN(LOCK_DO_DESTROY, LOCK_BARRIER)},
	{"pthread_barrier_wait", WAITS(LOCK_BARRIER, SYNC_BARRIER_WAIT, LOCK_PLAIN)},
	{"pthread_once", PLAIN(LOCK_DO_ONCE, LOCK_ONCE)},
	{"pthread_create", PLAIN(LOCK_DO_CREATE, 0)},
	{"pthread_join", LOCK_COOKIE(LOCK_DO_JOIN, 0, 0, LOCK_PLAIN)},
	{"pthread_tryjoin_np", LOCK_COOKIE(LOCK_DO_JOIN, 0, 0, LOCK_TRY)},
	{"pthread_timedjoin_np", LOCK_COOKIE(LOCK_DO_JOIN, 0, 0, LOCK_TIMED)},
	{"pthread_clockjoin_np", LOCK_COOKIE(LOCK_DO_JOIN, 0, 0, LOCK_TIMED)},
	{"pthread_detach", POINT(0, SYNC_DETACH)},
};

/* A section of symbols and what belongs to it. */
struct table {
	Elf *elf;
	GElf_Shdr head;
	Elf_Data *symbols;
	Elf_Data *versions; /* NULL: none */
};

static const struct function *function_find(const char *name)
{
	if (strncmp(name, "pthread_", 8) && strncmp(name, "sem_", 4))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i].name, name))
			return &functions[i];
	return NULL;
}

/* Offset in the file of a virtual address, or 0. */
static uint64_t file_offset(Elf *elf, uint64_t addr)
{
	size_t n;

	if (elf_getphdrnum(elf, &n))
		return 0;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && (ph.p_flags & PF_X) &&
			addr >= ph.p_vaddr && addr < ph.p_vaddr + ph.p_filesz)
			return addr - ph.p_vaddr + ph.p_offset;
	}
	return 0;
}

/* Symbols of an older version are there for old programs and call the newer ones. */
static bool is_old_version(const struct table *t, int index)
{
	GElf_Versym version;

	return t->versions && gelf_getversym(t->versions, index, &version) && (version & 0x8000);
}

static size_t symbol_add(struct lock_symbol *ret, size_t n, size_t max, struct lock_symbol s)
{
	for (size_t i = 0; i < n; i++)
		if (ret[i].offset == s.offset)
			return n;
	if (n < max)
		ret[n++] = s;
	return n;
}

/* What the names of a table tell about the file. */
struct origin {
	bool glibc; /* glibc, or a static program with it */
	bool libc;  /* the C library (or an old libpthread) itself, not one that stands before it */
};

static void origin_learn(struct origin *o, const char *name)
{
	if (!strcmp(name, "gnu_get_libc_version") || !strcmp(name, "__libc_start_main_impl") ||
		!strcmp(name, "__libc_setup_tls"))
		o->glibc = true;
	if (!strcmp(name, "__libc_start_main") || !strcmp(name, "__pthread_unwind"))
		o->libc = true;
}

/* Adds the functions of one table and learns what the file is. */
static size_t table_scan(
	const struct table *t, struct lock_symbol *ret, size_t n, size_t max, struct origin *origin)
{
	size_t count = t->head.sh_entsize ? t->head.sh_size / t->head.sh_entsize : 0;

	for (size_t i = 0; i < count; i++) {
		const struct function *f;
		const char *name;
		GElf_Sym sym;

		/* The file may lie about how many there are. */
		if (i > INT_MAX || !gelf_getsym(t->symbols, (int)i, &sym))
			break;
		if (sym.st_shndx == SHN_UNDEF || GELF_ST_TYPE(sym.st_info) != STT_FUNC)
			continue;
		name = elf_strptr(t->elf, t->head.sh_link, sym.st_name);
		if (!name)
			continue;
		origin_learn(origin, name);
		f = function_find(name);
		if (f && !is_old_version(t, (int)i))
			n = symbol_add(ret, n, max,
				(struct lock_symbol){file_offset(t->elf, sym.st_value), f->cookie});
	}
	return n;
}

static size_t elf_scan(Elf *elf, struct lock_symbol *ret, size_t max)
{
	struct table dynamic = {.elf = elf}, full = {.elf = elf};
	struct origin origin = {0};
	Elf_Scn *scn = NULL;
	size_t n = 0;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr head;

		if (!gelf_getshdr(scn, &head))
			continue;
		if (head.sh_type == SHT_DYNSYM) {
			dynamic.head = head;
			dynamic.symbols = elf_getdata(scn, NULL);
		} else if (head.sh_type == SHT_GNU_versym) {
			dynamic.versions = elf_getdata(scn, NULL);
		} else if (head.sh_type == SHT_SYMTAB) {
			full.head = head;
			full.symbols = elf_getdata(scn, NULL);
		}
	}
	if (dynamic.symbols)
		n = table_scan(&dynamic, ret, n, max, &origin);
	/*
	 * A library that stands before the C library's functions (a sanitizer's
	 * runtime, our own shim) calls them in turn: probing both would count twice.
	 */
	if (n && !origin.libc)
		return 0;
	if (!n && full.symbols)
		n = table_scan(&full, ret, n, max, &origin);
	for (size_t i = 0; i < n && origin.glibc; i++)
		ret[i].cookie |= LOCK_COOKIE_GLIBC;
	return n;
}

/*
 * The kernel cannot step over some instructions, such as the locked decrement
 * with which glibc's pthread_spin_lock begins on x86: bad prefixes.
 */
static bool can_be_probed(int fd, uint64_t offset)
{
#if defined(__x86_64__)
	static const unsigned char bad[] = {0x26, 0x2e, 0x36, 0x3e, 0xf0};
	unsigned char first;

	if (pread(fd, &first, 1, (off_t)offset) != 1)
		return false;
	return !memchr(bad, first, sizeof bad);
#else
	(void)fd;
	return offset != 0;
#endif
}

int lock_symbols_find(int fd, struct lock_symbol *ret, size_t max)
{
	bool has_spin = false;
	size_t n, kept = 0;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -ENOEXEC;
	n = elf_kind(elf) == ELF_K_ELF && gelf_getclass(elf) == ELFCLASS64 ? elf_scan(elf, ret, max)
									   : 0;
	elf_end(elf);
	for (size_t i = 0; i < n; i++)
		has_spin |= LOCK_KIND(ret[i].cookie) == LOCK_SPIN &&
			    LOCK_ACTION(ret[i].cookie) == LOCK_DO_LOCK &&
			    can_be_probed(fd, ret[i].offset);
	for (size_t i = 0; i < n; i++)
		if (!has_spin && LOCK_KIND(ret[i].cookie) == LOCK_SPIN)
			continue; /* a release without its acquisition is worth nothing */
		else if (ret[i].offset && can_be_probed(fd, ret[i].offset))
			ret[kept++] = ret[i];
	return (int)kept;
}
