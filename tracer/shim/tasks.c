/* tasks.c - what the preload library cannot know about processes. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <signal.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"

enum { RANGES_MAX = 4096 };
#define RESCAN_NS 20000000ull /* files are not looked for more often */

struct range {
	uint64_t start, end;
};

/* One program in one process. */
struct image {
	struct range *ranges;
	size_t len, cap;
	size_t hint;
	uint64_t scanned;
};

static void image_free(struct image *im)
{
	free(im->ranges);
	free(im);
}

void shim_tasks_done(struct shim_tasks *t)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&t->images, &pos));)
		image_free(slot->value);
	hash_done(&t->images);
	shim_known_done(&t->known);
	shim_spawns_done(&t->spawns);
}

void shim_tasks_root(struct shim_tasks *t, uint32_t pid)
{
	shim_known_add(&t->known, pid);
}

/* ---- Processes ---- */

static void tell_birth(struct shim_tasks *t, const struct shim_ring *r, uint64_t parent,
	const struct rec_head *rec, source_emit *emit, void *arg)
{
	struct rec_FORK f = {.head = {REC_FORK, sizeof f, REC_SHIM, rec->ts, 0, 0}};

	shim_known_adopt(&t->known, rec->pid);
	if (!shim_knows(&t->known, parent))
		return;
	f.head.pid = f.head.tid = (rec_u32)parent;
	f.child_pid = f.child_tid = rec->pid;
	f.child_ns_pid = f.child_ns_tid = r->ns_pid;
	f.parent_pid = parent;
	proc_comm((uint32_t)parent, f.comm);
	emit(arg, &f.head);
}

/* A signal for a group: one record for each of its members that is known. */
static void send_to_group(
	struct shim_tasks *t, const struct rec_SIG_SEND *rec, source_emit *emit, void *arg)
{
	struct rec_SIG_SEND r = *rec;
	pid_t group = (pid_t) - (int64_t)rec->target_pid;
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&t->known.recorded, &pos));) {
		pid_t pid = (pid_t)slot->key;

		/* -1: all but the sender. */
		if (group == 1 ? slot->key == rec->head.pid : getpgid(pid) != group)
			continue;
		r.target_pid = r.target_tid = slot->key;
		emit(arg, &r.head);
	}
}

/* ---- Mapped files ---- */

static struct image *image_of(struct shim_tasks *t, const struct shim_ring *r)
{
	uint64_t key = hash_mix(r->ns_pid, r->image, r->pidns);
	struct image *im = hash_get(&t->images, key);

	if (!im) {
		im = xcalloc(1, sizeof *im);
		hash_set(&t->images, key, im);
	}
	return im;
}

void shim_tasks_close(struct shim_tasks *t, const struct shim_ring *r)
{
	uint64_t key = hash_mix(r->ns_pid, r->image, r->pidns);
	struct image *im = r->ns_tid == r->ns_pid ? hash_get(&t->images, key) : NULL;

	if (!im)
		return;
	(void)hash_del(&t->images, key);
	free(im->ranges);
	free(im);
}

static bool image_has(struct image *im, uint64_t addr)
{
	for (size_t i = 0; i < im->len; i++) {
		size_t at = (im->hint + i) % im->len;

		if (addr >= im->ranges[at].start && addr < im->ranges[at].end) {
			im->hint = at;
			return true;
		}
	}
	return false;
}

static void image_add(struct image *im, uint64_t start, uint64_t len)
{
	if (im->len >= RANGES_MAX || image_has(im, start))
		return;
	ARRAY_GROW(im->ranges, im->len, im->cap);
	im->ranges[im->len++] = (struct range){start, start + len};
}

/* Reads what the process maps now and records what is new. */
static void image_scan(const struct shim_tasks *t, struct image *im, const struct rec_head *rec,
	source_emit *emit, void *arg)
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/maps", rec->pid);
	_cleanup_close_ int held = authority_hold(t->known.authority, (pid_t)rec->pid);
	_cleanup_fclose_ FILE *f = held < 0 ? NULL : fopen(path, "re");
	char line[1024];

	im->scanned = rec->ts;
	if (f && !authority_still(held, (pid_t)rec->pid))
		return;
	while (f && fgets(line, sizeof line, f)) {
		struct rec_MODULE m = {.head = *rec};
		unsigned long long start, end, offset, inode;
		unsigned major, minor;
		int at = 0;
		char x;

		if (sscanf(line, "%llx-%llx %*c%*c%c%*c %llx %x:%x %llu %n", &start, &end, &x,
			    &offset, &major, &minor, &inode, &at) < 7 ||
			x != 'x' || !inode || !at || image_has(im, start))
			continue;
		line[strcspn(line, "\n")] = '\0';
		image_add(im, start, end - start);
		m.head.kind = REC_MODULE;
		m.head.size = sizeof m;
		m.start = start;
		m.len = end - start;
		m.offset = offset;
		m.dev = makedev(major, minor);
		m.inode = inode;
		memcpy(m.path, line + at, strnlen(line + at, sizeof m.path - 1));
		emit(arg, &m.head);
	}
}

/* The code address that a record carries, 0: none. */
static uint64_t code_address(const struct rec_head *rec)
{
	switch (rec->kind) {
	case REC_LOCK_INIT:
		return ((const struct rec_LOCK_INIT *)(const void *)rec)->site;
	case REC_LOCK_REQUEST:
		return ((const struct rec_LOCK_REQUEST *)(const void *)rec)->site;
	case REC_LOCK_ACQUIRE:
		return ((const struct rec_LOCK_ACQUIRE *)(const void *)rec)->site;
	case REC_LOCK_RELEASE:
		return ((const struct rec_LOCK_RELEASE *)(const void *)rec)->site;
	case REC_LOCK_FOLD:
		return ((const struct rec_LOCK_FOLD *)(const void *)rec)->site;
	case REC_SYNC_BEGIN:
		return ((const struct rec_SYNC_BEGIN *)(const void *)rec)->site;
	case REC_SYNC_END:
		return ((const struct rec_SYNC_END *)(const void *)rec)->site;
	case REC_THREAD_ENTRY:
		return ((const struct rec_THREAD_ENTRY *)(const void *)rec)->entry;
	default:
		return 0;
	}
}

static void tell_modules(struct shim_tasks *t, const struct shim_ring *r,
	const struct rec_head *rec, source_emit *emit, void *arg)
{
	uint64_t addr = code_address(rec);
	struct image *im;

	if (rec->kind == REC_MODULE) {
		const struct rec_MODULE *m = (const void *)rec;

		image_add(image_of(t, r), m->start, m->len);
	}
	if (!addr)
		return;
	im = image_of(t, r);
	if (!image_has(im, addr) && rec->ts - im->scanned > RESCAN_NS)
		image_scan(t, im, rec, emit, arg);
}

/* Says whether a record is about what the source announced by itself, or will. */
static bool is_told_already(
	struct shim_tasks *t, const struct rec_head *rec, source_emit *emit, void *arg)
{
	bool recorded = false;

	if (rec->kind == REC_WAIT_BEGIN)
		return shim_spawn_begins(&t->spawns, (const void *)rec);
	if (rec->kind == REC_WAIT_END && t->spawns.len)
		return shim_spawn_ends(&t->spawns, (const void *)rec, &recorded, emit, arg) &&
		       !recorded;
	if (rec->kind == REC_FORK)
		return shim_known_release(
			&t->known, ((const struct rec_FORK *)(const void *)rec)->child_pid);
	if (rec->kind == REC_REAP)
		(void)shim_known_release(
			&t->known, ((const struct rec_REAP *)(const void *)rec)->child_pid);
	return false;
}

void shim_tasks_emit(struct shim_tasks *t, const struct shim_ring *r, uint64_t parent,
	const struct rec_head *rec, source_emit *emit, void *arg)
{
	if (rec->pid == r->pid && !shim_knows(&t->known, rec->pid))
		tell_birth(t, r, parent, rec, emit, arg);
	tell_modules(t, r, rec, emit, arg);
	if (is_told_already(t, rec, emit, arg))
		return;
	if (rec->kind == REC_FORK)
		shim_known_add(&t->known, ((const struct rec_FORK *)(const void *)rec)->child_pid);
	if (rec->kind == REC_SIG_SEND &&
		(int64_t)((const struct rec_SIG_SEND *)(const void *)rec)->target_pid < 0)
		send_to_group(t, (const void *)rec, emit, arg);
	else
		emit(arg, rec);
}
