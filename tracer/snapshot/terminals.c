/* terminals.c - pseudo-terminals that somebody waits for: whether both sides are known. */
/* SPDX-License-Identifier: MIT */
/*
 * Each mount of devpts counts from 0: where one number has several masters, or slaves of several mounts, nobody is told
 * apart.
 */
#include "tracer/snapshot/private.h"

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_same_file(const struct snap_holder *a, const struct snap_holder *b)
{
	return syscall(SYS_kcmp, a->pid, b->pid, KCMP_FILE, a->fd, b->fd) == 0;
}

/* Says whether there is one master of this number, and slaves of one mount at most. */
static bool is_one(struct snapshot *s, unsigned number)
{
	const struct snap_holder *master = NULL, *slave = NULL;

	files_holders(s);
	for (size_t i = 0; i < s->n_holders; i++) {
		const struct snap_holder *h = &s->holders[i];
		const struct snap_holder **first;

		if (h->kind != FILE_TTY || !h->inode || terminal_number(h->inode) != number)
			continue;
		first = terminal_is_master(h->inode) ? &master : &slave;
		if (!*first)
			*first = h;
		else if (terminal_is_master(h->inode) ? !is_same_file(master, h)
						      : slave->dev != h->dev)
			return false;
	}
	return master != NULL;
}

bool terminals_is_known(struct snapshot *s, uint64_t key)
{
	enum { KNOWN = 1, MIXED_UP };
	unsigned number = terminal_number(key);
	uintptr_t known = key ? (uintptr_t)hash_get(&s->terminals, number + 1) : MIXED_UP;

	if (!known) {
		known = is_one(s, number) ? KNOWN : MIXED_UP;
		(void)hash_set(&s->terminals, number + 1, (void *)known);
	}
	return known == KNOWN;
}

bool terminals_is_waited(const struct snapshot *s, uint64_t key)
{
	return key && (uintptr_t)hash_get(&s->terminals, terminal_number(key) + 1) == 1;
}
