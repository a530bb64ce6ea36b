/* room.c - how much memory the machine and the control groups leave. */
/* SPDX-License-Identifier: MIT */
#include "tracer/room.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/mem.h"

/* So deep are control groups followed; further out there is the machine anyway. */
enum { MAX_GROUPS = 32 };

struct group {
	char *dir;
	uint64_t limit;
	bool v2;
};

struct room {
	char *root;
	struct group groups[MAX_GROUPS];
	size_t n;
};

/* Where a hierarchy is mounted, and what of it is seen there. */
struct mount {
	char *root, *dir;
};

/* The names of a number in the files of either version. */
struct names {
	const char *limits[2], *usage, *inactive, *active;
};

static const struct names names[] = {
	{{"memory.limit_in_bytes", NULL}, "memory.usage_in_bytes", "total_inactive_file",
		"total_active_file"},
	{{"memory.max", "memory.high"}, "memory.current", "inactive_file", "active_file"},
};

static FILE *open_at(const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	return fopen(path, "re");
}

/* Reads a number of a control group; UINT64_MAX: "max", or there is none. */
static uint64_t read_number(const char *dir, const char *name)
{
	_cleanup_fclose_ FILE *f = open_at(dir, name);
	unsigned long long n;

	return f && fscanf(f, "%llu", &n) == 1 ? n : UINT64_MAX;
}

static bool has_name(const char *line, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(line, name, len) && (line[len] == ' ' || line[len] == ':');
}

/* Adds up the lines "NAME NUMBER" or "NAME: NUMBER" of two names. */
static uint64_t read_sum(const char *dir, const char *file, const char *first, const char *second)
{
	_cleanup_fclose_ FILE *f = open_at(dir, file);
	char line[128];
	uint64_t sum = 0;

	while (f && fgets(line, sizeof line, f))
		if (has_name(line, first) || (second && has_name(line, second)))
			sum += strtoull(line + strcspn(line, " "), NULL, 10);
	return sum;
}

/* A mount point may have spaces and the like in it, as \040. */
static void unescape(char *s)
{
	char *to = s;
	unsigned code;

	for (; *s; s++)
		if (*s == '\\' && sscanf(s + 1, "%3o", &code) == 1) {
			*to++ = (char)code;
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (!strncmp(list, word, len) && (!list[len] || list[len] == ','))
			return true;
	return false;
}

/* Finds the mount of the memory controller: proc_pid_mountinfo(5). */
static bool mount_find(const struct room *r, bool v2, struct mount *ret)
{
	_cleanup_fclose_ FILE *f = open_at(r->root, "proc/self/mountinfo");
	char line[4096], root[1024], dir[1024], type[32], options[512];

	while (f && fgets(line, sizeof line, f)) {
		char *rest = strstr(line, " - ");

		line[strcspn(line, "\n")] = '\0';
		if (!rest || sscanf(line, "%*s %*s %*s %1023s %1023s", root, dir) != 2 ||
			sscanf(rest, " - %31s %*s %511s", type, options) != 2)
			continue;
		if (v2 ? strcmp(type, "cgroup2")
		       : strcmp(type, "cgroup") || !has_word(options, "memory"))
			continue;
		unescape(root);
		unescape(dir);
		ret->root = xstrdup(strcmp(root, "/") ? root : "");
		ret->dir = xasprintf("%s%s", r->root, dir);
		return true;
	}
	return false;
}

/* Finds our group's path in that hierarchy: cgroups(7). */
static char *group_find(const struct room *r, bool v2)
{
	_cleanup_fclose_ FILE *f = open_at(r->root, "proc/self/cgroup");
	char line[4096];

	while (f && fgets(line, sizeof line, f)) {
		char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		if (v2 ? !list[1] && !strncmp(line, "0:", 2) : has_word(list + 1, "memory"))
			return xstrdup(path);
	}
	return NULL;
}

/* Notes a group that has a limit at all. */
static void group_add(struct room *r, const char *dir, bool v2)
{
	uint64_t limit = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(names[v2].limits); i++) {
		const char *name = names[v2].limits[i];
		uint64_t n = name ? read_number(dir, name) : UINT64_MAX;

		if (n < limit)
			limit = n;
	}
	/* Version 1 has no "max" but the largest number of pages. */
	if (limit < 1ull << 62 && r->n < MAX_GROUPS)
		r->groups[r->n++] = (struct group){xstrdup(dir), limit, v2};
}

/*
 * Adds our group and those that it is in. In a container its path may begin with
 * that of the mounted part, or not be below the mount at all: then the mount's root is ours.
 */
static void hierarchy_add(struct room *r, bool v2)
{
	_cleanup_free_ char *path = group_find(r, v2), *dir = NULL;
	struct mount m = {0};
	size_t least, skip;

	if (!path || !mount_find(r, v2, &m))
		return;
	skip = strlen(m.root);
	if (strncmp(path, m.root, skip) || (path[skip] && path[skip] != '/') || strstr(path, "/.."))
		skip = strlen(path);
	dir = xasprintf("%s%s", m.dir, path + skip);
	least = strlen(m.dir);
	for (size_t len = strlen(dir); len >= least; len = strlen(dir)) {
		char *slash = strrchr(dir, '/');

		if (dir[len - 1] != '/')
			group_add(r, dir, v2);
		if (!slash || len == least)
			break;
		*slash = '\0';
	}
	free(m.root);
	free(m.dir);
}

struct room *room_new(const char *root)
{
	struct room *r = xcalloc(1, sizeof *r);

	r->root = xstrdup(root);
	hierarchy_add(r, false);
	hierarchy_add(r, true);
	return r;
}

void room_free(struct room *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free(r->groups[i].dir);
	free(r->root);
	free(r);
}

/* What one group leaves. Its statistics cost more than its usage, and are only read if that is not far from the limit. */
static uint64_t group_left(const struct group *g, uint64_t best)
{
	const struct names *n = &names[g->v2];
	uint64_t used = read_number(g->dir, n->usage), left, files;

	if (used == UINT64_MAX)
		return UINT64_MAX;
	left = used < g->limit ? g->limit - used : 0;
	if (left >= best || left > g->limit / 4 * 3)
		return left;
	files = read_sum(g->dir, "memory.stat", n->inactive, n->active);
	return left + (files < used ? files : used);
}

/* A line of /proc/meminfo in bytes. */
static uint64_t machine(const struct room *r, const char *name)
{
	return read_sum(r->root, "proc/meminfo", name, NULL) * 1024;
}

uint64_t room_left(const struct room *r)
{
	uint64_t left = machine(r, "MemAvailable");

	if (!left)
		left = UINT64_MAX;
	for (size_t i = 0; i < r->n; i++) {
		uint64_t n = group_left(&r->groups[i], left);

		if (n < left)
			left = n;
	}
	return left;
}

uint64_t room_limit(const struct room *r)
{
	uint64_t total = machine(r, "MemTotal"), limit = total ? total : UINT64_MAX;

	for (size_t i = 0; i < r->n; i++)
		if (r->groups[i].limit < limit)
			limit = r->groups[i].limit;
	return limit == total || limit == UINT64_MAX ? 0 : limit;
}
