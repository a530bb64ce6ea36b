/* maps.c - memory that processes share, and who else could come to share it. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"
#include "tracer/snapshot/snapshot.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/sysmacros.h>

#include "base/mem.h"
#include "tracer/symbols/symbols.h"

void maps_load(struct snap_process *p)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	char path[64];

	if (p->has_maps)
		return;
	p->has_maps = true;
	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)p->live);
	f = fopen(path, "re");
	while (f && getline(&line, &cap, f) > 0) {
		struct snap_map m = {.path = NULL};
		unsigned major_nr, minor_nr;
		char perms[5];
		int n = 0;

		if (!maps_line_has(line, 's'))
			continue;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
			    &m.start, &m.end, perms, &m.offset, &major_nr, &minor_nr, &m.inode,
			    &n) != 7 ||
			perms[3] != 's')
			continue;
		m.dev = makedev(major_nr, minor_nr);
		if (!m.dev)
			continue;
		m.path = xstrndup(line + n, strcspn(line + n, "\n"));
		ARRAY_GROW(p->maps, p->n_maps, p->cap_maps);
		p->maps[p->n_maps++] = m;
	}
}

void maps_done(struct snap_process *p)
{
	for (size_t i = 0; i < p->n_maps; i++)
		free(p->maps[i].path);
	free(p->maps);
	p->maps = NULL;
	p->n_maps = p->cap_maps = 0;
}

/*
 * The path by which another process could still map a file; NULL: there is none. A
 * semaphore of sem_open was made under another name, which is gone.
 */
static char *path_now(const struct snap_process *p, const struct snap_map *m)
{
	static const char gone[] = " (deleted)", shm[] = "/dev/shm/";
	size_t len = strlen(m->path), n_gone = strlen(gone);
	char folder[64], *found = NULL;
	struct dirent *e;
	DIR *d;

	if (!strncmp(m->path, "/SYSV", 5)) /* a segment with a key, or without */
		return strncmp(m->path + 5, "00000000", 8) ? xstrdup(m->path) : NULL;
	if (m->path[0] != '/' || !strncmp(m->path, "/memfd:", 7))
		return NULL;
	if (len <= n_gone || strcmp(m->path + len - n_gone, gone) != 0)
		return xstrdup(m->path);
	if (strncmp(m->path, shm, strlen(shm)) != 0)
		return NULL;
	(void)snprintf(folder, sizeof folder, "/proc/%d/root%s", (int)p->live, shm);
	d = opendir(folder);
	while (d && !found && (e = readdir(d)) != NULL)
		if (e->d_ino == m->inode)
			found = xasprintf("%s%s", shm, e->d_name);
	if (d)
		(void)closedir(d);
	return found;
}

bool snapshot_is_named(pid_t pid, uint64_t dev, uint64_t inode)
{
	struct snap_process p = {.live = pid};
	bool is_named = true;

	maps_load(&p);
	for (size_t i = 0; i < p.n_maps && is_named; i++) {
		_cleanup_free_ char *path = NULL;

		if (p.maps[i].dev != dev || p.maps[i].inode != inode)
			continue;
		path = path_now(&p, &p.maps[i]);
		is_named = path != NULL;
	}
	maps_done(&p);
	return is_named;
}

void maps_shared(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	uint64_t addr = t->args[0];

	maps_load(p);
	for (size_t i = 0; i < p->n_maps; i++) {
		struct snap_map *m = &p->maps[i];
		size_t k = 0;

		if (addr < m->start || addr >= m->end)
			continue;
		t->wait.dev = m->dev;
		t->wait.inode = m->inode;
		t->wait.offset = m->offset + (addr - m->start);
		if (!m->is_looked_up) {
			char *path = path_now(p, m);

			free(m->path);
			m->path = path;
			m->is_looked_up = true;
		}
		t->map_path = m->path;
		while (k < s->n_shared &&
			(s->shared[k].dev != m->dev || s->shared[k].inode != m->inode))
			k++;
		if (k < s->n_shared)
			continue;
		ARRAY_GROW(s->shared, s->n_shared, s->cap_shared);
		s->shared[s->n_shared++] = (struct snap_shared){
			.dev = m->dev, .inode = m->inode, .is_named = m->path != NULL};
	}
}
