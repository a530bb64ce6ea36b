/* site.c - places in programs: addresses to rows of the table site. */
/* SPDX-License-Identifier: MIT */
/*
 * An address is resolved once for each program image: a table that forgets
 * older entries answers the hot path; behind it the same place in a file is
 * one row, in whatever process it is mapped.
 */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "tracer/symbols/symbols.h"

#include <sys/stat.h>

enum { CACHE_SIZE = 4096 };

/* /proc/PID/maps is not read more often than this for one process. */
static const int64_t map_again_ns = 50000000;

struct cached_site {
	int64_t image;
	uint64_t addr;
	int64_t site; /* 0: empty */
	bool is_return;
};

struct site_cache {
	struct cached_site entries[CACHE_SIZE];
	struct hash places; /* module and offset to the id of a row */
};

/* A process that forked without exec shares its parent's mappings until it asks for them. */
void model_sites_fork(struct model *m, struct proc *child, struct proc *parent)
{
	if (m->config.symbols)
		symbols_inherit(m->config.symbols, child->id, parent->id);
}

void model_sites_exec(struct model *m, struct proc *p)
{
	if (m->config.symbols)
		symbols_forget(m->config.symbols, p->id);
	p->mapped_ns = STORE_NULL;
}

/* Reads the mappings of a living process, unless that was done a moment ago. */
static bool map_process(struct model *m, struct proc *p)
{
	if (p->ended || p->retired ||
		(p->mapped_ns != STORE_NULL && m->now - p->mapped_ns < map_again_ns))
		return false;
	p->mapped_ns = m->now;
	return symbols_map_proc(m->config.symbols, p->id, (pid_t)p->pid) == 0;
}

void model_map(struct model *m, struct proc *p)
{
	if (m->config.symbols && p->mapped_ns == STORE_NULL)
		(void)map_process(m, p);
}

/* Returns the id of the row of a place, written if it is new; the row's own id is set here. */
static int64_t place_id(struct model *m, uint64_t key, struct row_site *row)
{
	int64_t id;

	if (!m->sites)
		m->sites = xcalloc(1, sizeof *m->sites);
	id = (int64_t)(intptr_t)hash_get(&m->sites->places, key);
	if (id)
		return id;
	row->id = m->ids.site++;
	(void)hash_set(&m->sites->places, key, (void *)(intptr_t)row->id);
	store_put(m->store, STORE_SITE, row);
	return row->id;
}

static int64_t symbol_place(struct model *m, const struct symbol *sym)
{
	uint64_t module = sym->module ? hash_bytes(sym->module, strlen(sym->module)) : 0;
	/* Where calls were inlined, one address has several functions. */
	uint64_t function = sym->function ? hash_bytes(sym->function, strlen(sym->function)) : 0;
	uint64_t key = hash_mix(module, sym->offset, hash_mix(function, (uint64_t)sym->line, 0));

	return place_id(m, key,
		&(struct row_site){.module = sym->module,
			.offset = (int64_t)sym->offset,
			.function = sym->function,
			.file = sym->file,
			.line = sym->line ? sym->line : STORE_NULL});
}

int64_t model_place(
	struct model *m, const char *language, const char *file, const char *function, int line)
{
	uint64_t key = hash_mix(hash_bytes(file, strlen(file)),
		hash_bytes(function, strlen(function)), (uint64_t)line + 1);

	return place_id(m, key,
		&(struct row_site){.offset = STORE_NULL,
			.function = function,
			.file = file,
			.line = line ? line : STORE_NULL,
			.language = language});
}

static int64_t resolve(struct model *m, struct proc *p, uint64_t addr, bool is_return)
{
	struct symbol sym = {0};
	struct symbols *s = m->config.symbols;

	if (s && !symbols_code(s, p->id, addr, is_return, &sym) && map_process(m, p))
		(void)symbols_code(s, p->id, addr, is_return, &sym);
	if (!sym.module)
		sym.offset = addr;
	return symbol_place(m, &sym);
}

size_t model_frames(
	struct model *m, struct proc *p, uint64_t addr, bool is_return, struct model_frame *ret)
{
	struct symbol places[SYMBOLS_INLINED];
	struct symbols *s = m->config.symbols;
	size_t n = s ? symbols_inlined(s, p->id, addr, is_return, places, SYMBOLS_INLINED) : 0;

	for (size_t i = 0; i < n; i++)
		ret[i] = (struct model_frame){symbol_place(m, &places[i]),
			places[i].file && symbols_is_library_source(places[i].file)};
	/* A frame of a library is one as a whole. */
	if (n == 1)
		ret[0].is_library |= symbols_is_library(s, p->id, addr + !is_return);
	if (n)
		return n;
	ret[0] = (struct model_frame){model_site(m, p, addr, is_return), false};
	return 1;
}

/* Where a place is remembered: one multiplication, as this is asked for with each record. */
static size_t cache_slot(const struct proc *p, uint64_t addr, bool is_return)
{
	uint64_t key = addr ^ (uint64_t)p->image << 40 ^ (uint64_t)is_return << 39;

	return (size_t)(key * 0x9e3779b97f4a7c15ull >> 52);
}

_Static_assert(CACHE_SIZE == 1 << 12, "the 12 upper bits of 64");

int64_t model_site(struct model *m, struct proc *p, uint64_t addr, bool is_return)
{
	struct cached_site *c;

	if (!addr)
		return STORE_NULL;
	if (!m->sites)
		m->sites = xcalloc(1, sizeof *m->sites);
	c = &m->sites->entries[cache_slot(p, addr, is_return)];
	if (c->site && c->addr == addr && c->image == p->image && c->is_return == is_return)
		return c->site;
	*c = (struct cached_site){p->image, addr, resolve(m, p, addr, is_return), is_return};
	return c->site;
}

/* Says whether no function of the C library made the system call that ended at ip. */
static bool is_own_call(struct symbols *s, const struct proc *p, uint64_t ip)
{
	const char *name = symbols_function(s, p->id, ip, false);

	/* Rust's and libstdc++'s locks call the kernel by syscall(), Go's without any library. */
	if (name && (!strcmp(name, "syscall") || !strncmp(name, "runtime.", 8) ||
			    !strncmp(name, "internal/", 9)))
		return true;
	return !symbols_is_compiled_library(s, p->id, ip);
}

bool model_is_code(struct model *m, struct proc *p, uint64_t addr)
{
	struct symbols *s = m->config.symbols;

	return s && (symbols_is_mapped(s, p->id, addr) ||
			    (map_process(m, p) && symbols_is_mapped(s, p->id, addr)));
}

bool model_is_of_shim(const struct model *m, const struct proc *p, uint64_t ip)
{
	struct symbols *s = m->config.symbols;
	const char *file = s ? symbols_mapped_file(s, p->id, ip) : NULL;

	return file && strstr(file, "/libpptrace-shim.so");
}

/* "/lib/ld-musl-x86_64.so.1", "/usr/lib/x86_64-linux-musl/libc.so"; not what only lies in a folder of that name. */
static bool is_musl_file(const char *path)
{
	const char *base = strrchr(path, '/');

	if (!base)
		return false;
	return !strncmp(base, "/ld-musl-", 9) || !strncmp(base, "/libc.musl-", 11) ||
	       (!strcmp(base, "/libc.so") && strstr(path, "-linux-musl"));
}

/* Says whether the system call that ended at ip was made by musl: its functions for that have names of their own. */
static bool is_of_musl(struct symbols *s, const struct proc *p, uint64_t ip)
{
	const char *file = symbols_mapped_file(s, p->id, ip);
	const char *name = symbols_function(s, p->id, ip, false);

	return (file && is_musl_file(file)) ||
	       (name && (!strncmp(name, "__syscall_cp", 12) || !strncmp(name, "__cp_", 5)));
}

enum futex_maker model_futex_maker(struct model *m, struct proc *p, uint64_t ip)
{
	struct symbols *s = m->config.symbols;

	if (!ip || !s || p->retired)
		return FUTEX_OF_GLIBC;
	if (p->futex_ip == ip && p->futex_image == p->image)
		return p->futex_maker;
	if (!model_is_code(m, p, ip))
		return FUTEX_OF_GLIBC;
	p->futex_maker = is_of_musl(s, p, ip)    ? FUTEX_OF_MUSL
			 : is_own_call(s, p, ip) ? FUTEX_OF_PROGRAM
						 : FUTEX_OF_GLIBC;
	p->futex_ip = ip;
	p->futex_image = p->image;
	return p->futex_maker;
}

char *model_variable(struct model *m, struct proc *p, uint64_t addr)
{
	if (!m->config.symbols || !addr)
		return NULL;
	(void)map_process(m, p);
	return symbols_data(m->config.symbols, p->id, addr);
}

void model_sites_done(struct model *m)
{
	if (!m->sites)
		return;
	hash_done(&m->sites->places);
	free(m->sites);
}
