/* object.c - first sights of objects, what they are mapped from, and the program's modules. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "probes/shim/private.h"
#include "probes/shim/sys.h"

/* One line of /proc/self/maps. */
struct mapping {
	uint64_t start, end, offset, dev, inode;
	bool exec, shared;
	const char *path;
};

/* Returns false to end the walk. */
typedef bool mapping_visit(void *arg, const struct mapping *m);

static const char *scan_number(const char *p, unsigned base, uint64_t *ret)
{
	uint64_t n = 0;

	for (;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (base == 16 && *p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a') + 10;
		else
			break;
		n = n * base + digit;
	}
	*ret = n;
	return p;
}

/* "55d0c-55d0e r-xp 00002000 fe:00 1234   /usr/bin/cat" */
static bool parse_line(const char *line, struct mapping *m)
{
	uint64_t major, minor;
	const char *p = scan_number(line, 16, &m->start);

	if (*p++ != '-')
		return false;
	p = scan_number(p, 16, &m->end);
	if (strlen(p) < 8)
		return false;
	m->exec = p[3] == 'x';
	m->shared = p[4] == 's';
	p = scan_number(p + 6, 16, &m->offset);
	p = scan_number(p + (*p == ' '), 16, &major);
	p = scan_number(p + (*p == ':'), 16, &minor);
	p = scan_number(p + (*p == ' '), 10, &m->inode);
	p += strspn(p, " ");
	m->dev = makedev(major, minor);
	m->path = p;
	return true;
}

/*
 * Reads /proc/self/maps piece by piece: the loader's own list would need its
 * lock, which another thread may hold while it waits for this one.
 */
static void maps_walk(mapping_visit *visit, void *arg)
{
	char buf[4096];
	size_t have = 0;
	bool on = true;
	long n, fd = -1;

	if (!shim_options.sandboxed)
		fd = sys4(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	while (on && (n = sys3(SYS_read, fd, buf + have, sizeof buf - 1 - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)n;
		buf[have] = '\0';
		while (on && (end = memchr(line, '\n', have - (size_t)(line - buf)))) {
			struct mapping m;

			*end = '\0';
			if (parse_line(line, &m))
				on = visit(arg, &m);
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
		if (have == sizeof buf - 1)
			have = 0;
	}
	sys1(SYS_close, fd);
}

static bool visit_module(void *arg, const struct mapping *m)
{
	struct rec_MODULE r;
	size_t len = strlen(m->path);

	(void)arg;
	if (!m->exec || !m->inode)
		return true;
	memset(&r, 0, sizeof r);
	r.start = m->start;
	r.len = m->end - m->start;
	r.offset = m->offset;
	r.dev = m->dev;
	r.inode = m->inode;
	if (len >= sizeof r.path)
		r.head.flags = REC_CUT;
	memcpy(r.path, m->path, len < sizeof r.path ? len : sizeof r.path - 1);
	RECORD(MODULE, &r);
	return true;
}

void object_modules(void)
{
	maps_walk(visit_module, NULL);
}

struct place {
	uint64_t addr;
	struct rec_LOCK_INIT *r;
};

static bool visit_place(void *arg, const struct mapping *m)
{
	struct place *p = arg;

	if (p->addr < m->start || p->addr >= m->end)
		return true;
	/* The C library marks every robust mutex as shared; in private memory nobody else can reach it. */
	p->r->pshared = m->shared;
	if (!m->shared)
		return false;
	p->r->dev = m->dev;
	p->r->inode = m->inode;
	p->r->offset = m->offset + (p->addr - m->start);
	return false;
}

void object_place(const void *addr, uint64_t *ret_dev, uint64_t *ret_inode, uint64_t *ret_offset)
{
	struct rec_LOCK_INIT r;
	struct place p = {ADDR(addr), &r};

	memset(&r, 0, sizeof r);
	maps_walk(visit_place, &p);
	*ret_dev = r.dev;
	*ret_inode = r.inode;
	*ret_offset = r.offset;
}

bool object_is_new(const void *addr)
{
	struct shim_wiped *w = shim_wiped();
	uint64_t key = ADDR(addr), hash = key * 0x9e3779b97f4a7c15ull;
	uint64_t *set;

	if (!w)
		return true;
	set = w->seen[(hash >> 32) % OBJECT_SETS];
	for (unsigned i = 0; i < OBJECT_WAYS; i++) {
		uint64_t was = __atomic_load_n(&set[i], __ATOMIC_RELAXED);

		if (was == key)
			return false;
		if (!was) {
			__atomic_store_n(&set[i], key, __ATOMIC_RELAXED);
			return true;
		}
	}
	__atomic_store_n(&set[hash % OBJECT_WAYS], key, __ATOMIC_RELAXED);
	return true;
}

void object_init(const void *addr, unsigned kind, unsigned type, bool pshared, uint64_t value,
	uint64_t site, const char *name)
{
	struct rec_LOCK_INIT r;
	struct place p = {ADDR(addr), &r};

	memset(&r, 0, sizeof r);
	r.addr = ADDR(addr);
	r.kind = kind;
	r.type = type;
	r.pshared = pshared;
	r.value = value;
	r.site = site;
	if (name) {
		size_t len = strlen(name);

		memcpy(r.name, name, len < sizeof r.name ? len : sizeof r.name - 1);
	}
	if (pshared)
		maps_walk(visit_place, &p);
	RECORD(LOCK_INIT, &r);
}

void object_destroy(const void *addr, unsigned kind)
{
	struct rec_LOCK_DESTROY r;

	memset(&r, 0, sizeof r);
	r.addr = ADDR(addr);
	r.kind = kind;
	RECORD(LOCK_DESTROY, &r);
}
