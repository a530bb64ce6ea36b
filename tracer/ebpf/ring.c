/* ring.c - read the ring buffer that eBPF programs fill. */
/* SPDX-License-Identifier: MIT */
/*
 * A program reserves a place, takes the time, fills the record, submits it.
 * Places are given out in order, so a record whose place was given out after
 * the ring was looked at carries a later time than that look. Each drain notes
 * the clock first and then how far places have been given out (a mark). Once
 * everything before a mark has been read, the time of the mark is complete. A
 * record that is still being filled stops the reader and with it the marks.
 *
 * Only a window of the records is mapped, which moves on with the reader: pages that
 * are mapped count as our own memory, and a whole ring of them, twice, is a lot of it.
 */
#include "tracer/ebpf/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "schema/record.h"

#define BUSY_BIT (1u << 31)
#define DISCARD_BIT (1u << 30)
#define LENGTH_MASK (BUSY_BIT - 1 - DISCARD_BIT)
#define RECORD_HEAD 8
#define MARKS 8
#define NEAR_BYTES (2u << 20)
#define WINDOW_BYTES (4u << 20) /* to map that takes as long as to read a hundred records */
#define RECORD_MAX_BYTES 65536u /* no record is so long */
#define STORE_DELAY_NS 10000 /* far longer than a store stays in a processor before others see it */

struct mark {
	uint64_t ts;
	unsigned long position;
};

struct ebpf_ring {
	int fd;
	unsigned long *consumer; /* page that we write: how far we have read */
	unsigned long *producer; /* page of the kernel: how far places were given out */
	char *room; /* where they are mapped, of the length of the first window there */
	size_t room_bytes;
	char *window;     /* what is mapped of the records, or NULL ... */
	size_t from, len; /* ... and what that is: they can be had twice in a row */
	size_t size;
	size_t page;
	uint64_t complete;
	struct mark marks[MARKS];
	unsigned n_marks;
};

struct ebpf_room ebpf_room_of(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	/* A far ring cannot be left out; the least is as good as none. */
	return bytes > NEAR_BYTES ? (struct ebpf_room){NEAR_BYTES, bytes}
				  : (struct ebpf_room){bytes, page};
}

static void room_free(struct ebpf_ring *r)
{
	if (r->room)
		munmap(r->room, r->room_bytes);
	r->room = NULL;
}

/*
 * Maps the records from a place on; false: it cannot be done now. A window that is there is replaced where it
 * stands, which takes neither more addresses nor one mapping more.
 */
static bool window_move(struct ebpf_ring *r, size_t place)
{
	char *p;

	r->window = NULL;
	r->from = place / r->page * r->page;
	r->len = 2 * r->size - r->from;
	if (r->len > WINDOW_BYTES)
		r->len = WINDOW_BYTES;
	if (r->room && r->len > r->room_bytes)
		room_free(r);
	p = mmap(r->room, r->len, PROT_READ, MAP_SHARED | (r->room ? MAP_FIXED : 0), r->fd,
		(off_t)(2 * r->page + r->from));
	if (p == MAP_FAILED) {
		/* What was there may be gone, and its addresses somebody else's by the next time. */
		r->room = NULL;
		return false;
	}
	if (!r->room)
		r->room_bytes = r->len;
	r->room = r->window = p;
	return true;
}

int ebpf_ring_new(int fd, size_t size, struct ebpf_ring **ret)
{
	struct ebpf_ring *r = xcalloc(1, sizeof *r);
	void *p;

	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->size = size;
	r->fd = fd;
	p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		r->consumer = p;
		p = mmap(NULL, r->page, PROT_READ, MAP_SHARED, fd, (off_t)r->page);
	}
	if (p != MAP_FAILED)
		r->producer = p;
	/* A ring whose records cannot be mapped either is none. */
	if (!r->producer || !window_move(r, 0)) {
		int error = errno;

		ebpf_ring_free(r);
		return -error;
	}
	*ret = r;
	return 0;
}

void ebpf_ring_free(struct ebpf_ring *r)
{
	if (!r)
		return;
	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->producer)
		munmap(r->producer, r->page);
	room_free(r);
	free(r);
}

/* Notes the clock, then the end of the places; the newest mark replaces the last one if there are too many. */
static unsigned long mark_add(struct ebpf_ring *r)
{
	struct mark *m = &r->marks[r->n_marks < MARKS ? r->n_marks++ : MARKS - 1];

	m->ts = clock_now() - STORE_DELAY_NS;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	m->position = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	return m->position;
}

static void marks_pass(struct ebpf_ring *r, unsigned long read)
{
	unsigned passed = 0;

	while (passed < r->n_marks && r->marks[passed].position <= read)
		r->complete = r->marks[passed++].ts;
	r->n_marks -= passed;
	memmove(r->marks, r->marks + passed, r->n_marks * sizeof *r->marks);
}

/* Returns the record at a position, mapped as far as a record can reach; NULL: that cannot be done now. */
static const char *record_at(struct ebpf_ring *r, unsigned long position)
{
	size_t place = position & (r->size - 1), end = place + RECORD_MAX_BYTES;

	if (end > 2 * r->size)
		end = 2 * r->size;
	if (r->window && place >= r->from && end <= r->from + r->len)
		return r->window + (place - r->from);
	return window_move(r, place) ? r->window + (place - r->from) : NULL;
}

static void hand_over(const char *data, uint32_t len, source_emit *emit, void *arg)
{
	const struct rec_head *rec = (const struct rec_head *)(const void *)data;

	if (len >= sizeof *rec && len < RECORD_MAX_BYTES - RECORD_HEAD && rec->size <= len)
		emit(arg, rec);
}

size_t ebpf_ring_unread(const struct ebpf_ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_RELAXED) - *r->consumer;
}

bool ebpf_ring_is_stuck(const struct ebpf_ring *r)
{
	return !r->window && *r->consumer < __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

uint64_t ebpf_ring_drain(struct ebpf_ring *r, source_emit *emit, void *arg)
{
	unsigned long end = mark_add(r), at = *r->consumer, freed = at;

	while (at < end) {
		const char *p = record_at(r, at);
		uint32_t head, len;

		if (!p)
			break;
		head = __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_ACQUIRE);
		len = head & LENGTH_MASK;
		if (head & BUSY_BIT)
			break;
		if (!(head & DISCARD_BIT))
			hand_over(p + RECORD_HEAD, len, emit, arg);
		at += (RECORD_HEAD + len + 7) & ~7ul;
		/* Give the room back now and then, so that a busy target need not wait for the end of the drain. */
		if (at - freed > r->size / 16) {
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
			freed = at;
		}
	}
	__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	marks_pass(r, at);
	return r->complete;
}
