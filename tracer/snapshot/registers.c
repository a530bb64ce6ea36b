/* registers.c - the registers of blocked threads that /proc does not show. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include "base/hash.h"
#include "base/mem.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/snapshot/private.h"
#include "tracer/symbols/symbols.h"

/* As look.bpf.c tells them. */
struct row {
	uint64_t tid, sp, pc, kept[SYMBOLS_KEPT];
};

struct registers {
	struct hash by_tid; /* struct row, owned */
};

static void keep(void *arg, const void *bytes)
{
	struct registers *r = arg;
	struct row *row = xmalloc(sizeof *row);

	memcpy(row, bytes, sizeof *row);
	free(hash_set(&r->by_tid, row->tid, row));
}

struct registers *registers_read(void)
{
	struct registers *r = xcalloc(1, sizeof *r);

	(void)ebpf_iterate("look_registers", sizeof(struct row), keep, r);
	return r;
}

void registers_free(struct registers *r)
{
	struct hash_slot *slot;

	if (!r)
		return;
	for (size_t pos = 0; (slot = hash_next(&r->by_tid, &pos)) != NULL;)
		free(slot->value);
	hash_done(&r->by_tid);
	free(r);
}

bool registers_complete(const struct registers *r, pid_t tid, struct symbols_registers *at)
{
	const struct row *row = hash_get(&r->by_tid, (uint64_t)tid);

	/* Who is elsewhere by now has other ones. */
	if (!row || row->sp != at->sp || row->pc != at->pc)
		return false;
	memcpy(at->kept, row->kept, sizeof at->kept);
	at->has_kept = true;
	return true;
}
