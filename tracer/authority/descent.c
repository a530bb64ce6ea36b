/* descent.c - find out from /proc whether a process descends from the command. */
/* SPDX-License-Identifier: MIT */
/*
 * pptrace is a subreaper (prctl(2)): an orphan of the tree becomes its child.
 * So every process of the recording has the command, or else pptrace itself, as an ancestor.
 * A link of that chain counts only if the child still names the parent after
 * the parent was read: then the parent was there in between, and its number was
 * not another's.
 */
#include "tracer/authority/private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { DEEPEST = 4096, TRIES = 3 };

bool authority_task_read(pid_t pid, struct authority_task *ret)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int)pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char text[1024], *p;
	unsigned long long start;
	int parent;
	size_t n;

	n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	/* A name may hold anything, but the last parenthesis ends it: proc_pid_stat(5), fields 3 to 22. */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1,
			  " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d"
			  " %*d %llu",
			  &parent, &start) != 2)
		return false;
	*ret = (struct authority_task){.pid = pid, .parent = parent, .start = start};
	return true;
}

static bool is_same(const struct authority_task *a, const struct authority_task *b)
{
	return a->pid == b->pid && a->start == b->start;
}

static bool is_proven(struct authority *a, const struct authority_task *t)
{
	return (a->root.pid && is_same(t, &a->root)) ||
	       (uint64_t)(uintptr_t)hash_get(&a->proven, (uint64_t)t->pid) == t->start + 1;
}

static void prove(struct authority *a, const struct authority_task *t)
{
	(void)hash_set(&a->proven, (uint64_t)t->pid, (void *)(uintptr_t)(t->start + 1));
}

/* Reads the parent of a task; false: its number is another's by now. */
static bool read_parent(const struct authority_task *t, struct authority_task *ret)
{
	struct authority_task again;

	return authority_task_read(t->parent, ret) && authority_task_read(t->pid, &again) &&
	       is_same(t, &again) && again.parent == t->parent;
}

enum climb { CLIMB_OURS, CLIMB_FOREIGN, CLIMB_CHANGED };

static enum climb climb(struct authority *a, pid_t pid, struct authority_task *ret)
{
	struct authority_task t, parent;

	if (!authority_task_read(pid, &t))
		return CLIMB_FOREIGN;
	*ret = t;
	for (int depth = 0; depth < DEEPEST; depth++, t = parent) {
		if (is_proven(a, &t))
			return CLIMB_OURS;
		if (t.parent == getpid())
			return a->root.pid && !a->had_children && t.start >= a->root.start
				       ? CLIMB_OURS
				       : CLIMB_FOREIGN;
		if (t.parent <= 0)
			return CLIMB_FOREIGN;
		if (!read_parent(&t, &parent))
			return CLIMB_CHANGED;
	}
	return CLIMB_FOREIGN;
}

bool authority_descends(struct authority *a, pid_t pid)
{
	enum climb found = CLIMB_CHANGED;
	struct authority_task t;

	(void)pthread_mutex_lock(&a->lock);
	for (int i = 0; i < TRIES && found == CLIMB_CHANGED; i++)
		found = climb(a, pid, &t);
	if (found == CLIMB_OURS)
		prove(a, &t);
	(void)pthread_mutex_unlock(&a->lock);
	return found == CLIMB_OURS;
}
