/* memory.c - the memory of a process, out of its core and the files that were mapped. */
/* SPDX-License-Identifier: MIT */
#include "tracer/core/private.h"

#include <unistd.h>

const struct segment *core_segment(const struct core *c, uint64_t addr)
{
	size_t lo = 0, hi = c->n_segments;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->segments[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && addr - c->segments[lo - 1].start < c->segments[lo - 1].len
		       ? &c->segments[lo - 1]
		       : NULL;
}

size_t core_read_own(const struct core *c, uint64_t addr, void *to, size_t len)
{
	const struct segment *s = core_segment(c, addr);
	uint64_t at = s ? addr - s->start : 0, there;
	ssize_t n;

	if (!s || at >= s->size)
		return 0;
	there = s->size - at;
	n = pread(c->fd, to, len < there ? len : (size_t)there, (off_t)(s->offset + at));
	return n > 0 ? (size_t)n : 0;
}

/* The same from the file that was mapped there. */
static size_t read_file(const struct core *c, uint64_t addr, void *to, size_t len)
{
	for (size_t i = 0; i < c->p.n_maps; i++) {
		const struct core_map *m = &c->p.maps[i];
		ssize_t n;

		if (addr < m->start || addr >= m->end || c->files[c->file_of[i]].fd < 0)
			continue;
		if (len > m->end - addr)
			len = (size_t)(m->end - addr);
		n = pread(c->files[c->file_of[i]].fd, to, len,
			(off_t)(m->offset + (addr - m->start)));
		return n > 0 ? (size_t)n : 0;
	}
	return 0;
}

bool core_read(void *core, uint64_t addr, void *to, size_t len)
{
	const struct core *c = core;

	for (size_t done = 0; done < len;) {
		size_t n = core_read_own(c, addr + done, (char *)to + done, len - done);

		if (!n)
			n = read_file(c, addr + done, (char *)to + done, len - done);
		if (!n)
			return false;
		done += n;
	}
	return true;
}
