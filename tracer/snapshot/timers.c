/* timers.c - interval timers of other processes that are armed. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include <errno.h>

#include "base/mem.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/snapshot/private.h"

enum { MAX_ARMED = 65536 };

/* Returns 1 if some interval timer is armed, 0 if none is, -EPERM if the list may not be read. */
static int any_armed(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/timer_list", "re");
	char line[512];
	bool has_lines = false;

	while (f && fgets(line, sizeof line, f)) {
		has_lines = true;
		if (strstr(line, "it_real_fn"))
			return 1;
	}
	return has_lines ? 0 : -EPERM;
}

struct list {
	struct timer_armed *items;
	size_t n, cap;
};

static void add_timer(void *arg, const void *row)
{
	const struct {
		uint64_t pid, expires, interval;
	} *found = row;
	struct list *l = arg;

	if (l->n == MAX_ARMED)
		return;
	ARRAY_GROW(l->items, l->n, l->cap);
	l->items[l->n++] = (struct timer_armed){
		.pid = (pid_t)found->pid, .expires = found->expires, .interval = found->interval};
}

int timers_armed(struct timer_armed **ret)
{
	struct list l = {0};
	int rc = any_armed();

	if (rc == 0)
		*ret = NULL;
	if (rc <= 0)
		return rc;
	rc = ebpf_iterate("look_timers", 3 * sizeof(uint64_t), add_timer, &l);
	if (rc) {
		free(l.items);
		return rc;
	}
	*ret = l.items;
	return (int)l.n;
}
