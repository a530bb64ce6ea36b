/* maps.c - what this process has mapped. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/maps.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "probes/shim/options.h"
#include "probes/shim/sys.h"

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
 * Reads /proc/self/maps piece by piece: reading the loader's own list would need its lock, which another thread may
 * hold while it waits for this one.
 */
void maps_walk(mapping_visit *visit, void *arg)
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
