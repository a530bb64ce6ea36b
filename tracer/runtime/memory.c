/* memory.c - read the memory of a process that may change or lie at any moment. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "tracer/core/core.h"

enum { PAGE = 4096, MAX_SPARE = 512 };

/* A page of the process as it was when it was first asked for. */
struct memory_page {
	struct memory_page *next; /* of those that are spare */
	bool is_there;
	char bytes[PAGE];
};

/*
 * A recording reads the same programs again and again: pages that were given back to the system would cost a fault
 * each when they are filled again, which is more than to read them.
 */
static struct {
	pthread_mutex_t mutex;
	struct memory_page *list;
	unsigned n;
} spare = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct memory_page *new_page(void)
{
	struct memory_page *page;

	(void)pthread_mutex_lock(&spare.mutex);
	page = spare.list;
	if (page) {
		spare.list = page->next;
		spare.n--;
	}
	(void)pthread_mutex_unlock(&spare.mutex);
	return page ? page : xmalloc(sizeof *page);
}

static void free_page(struct memory_page *page)
{
	(void)pthread_mutex_lock(&spare.mutex);
	if (spare.n < MAX_SPARE) {
		page->next = spare.list;
		spare.list = page;
		spare.n++;
		page = NULL;
	}
	(void)pthread_mutex_unlock(&spare.mutex);
	free(page);
}

static bool read_now(struct memory *m, uint64_t addr, void *ret, size_t len)
{
	struct iovec local = {ret, len};
	struct iovec remote = {(void *)(uintptr_t)addr, len};

	if (!addr || !m->budget)
		return false;
	m->budget--;
	if (m->core)
		return core_read(m->core, addr, ret, len);
	return process_vm_readv(m->pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

bool memory_read(struct memory *m, uint64_t addr, void *ret, size_t len)
{
	return m->keeps ? memory_cached(m, addr, ret, len) : read_now(m, addr, ret, len);
}

static const struct memory_page *page_at(struct memory *m, uint64_t addr)
{
	struct memory_page *page = addr == m->last ? m->last_page : hash_get(&m->pages, addr);

	if (!page) {
		page = new_page();
		page->is_there = read_now(m, addr, page->bytes, sizeof page->bytes);
		(void)hash_set(&m->pages, addr, page);
	}
	m->last = addr;
	m->last_page = page;
	return page;
}

bool memory_cached(struct memory *m, uint64_t addr, void *ret, size_t len)
{
	size_t done = 0;

	while (done < len) {
		uint64_t at = addr + done;
		size_t offset = at % PAGE;
		size_t piece = PAGE - offset < len - done ? PAGE - offset : len - done;
		const struct memory_page *page;

		if (at < addr || at < PAGE || !m->budget)
			return false;
		m->budget--;
		page = page_at(m, at - offset);
		if (!page->is_there)
			return false;
		memcpy((char *)ret + done, page->bytes + offset, piece);
		done += piece;
	}
	return true;
}

void memory_done(struct memory *m)
{
	struct hash_slot *slot;

	for (size_t pos = 0; (slot = hash_next(&m->pages, &pos));)
		free_page(slot->value);
	hash_done(&m->pages);
}

uint64_t memory_pointer(struct memory *m, uint64_t addr)
{
	uint64_t value;

	return memory_read(m, addr, &value, sizeof value) ? value : 0;
}

uint32_t memory_u32(struct memory *m, uint64_t addr)
{
	uint32_t value;

	return memory_read(m, addr, &value, sizeof value) ? value : 0;
}

void memory_string(struct memory *m, uint64_t addr, char *ret, size_t size)
{
	size_t done = 0;

	/* A piece at a time, none across a page: the next one may not be there. */
	while (done < size - 1) {
		size_t piece = 64 - (addr + done) % 64;

		if (piece > size - 1 - done)
			piece = size - 1 - done;
		if (!memory_read(m, addr + done, ret + done, piece))
			break;
		if (memchr(ret + done, '\0', piece))
			return;
		done += piece;
	}
	ret[done] = '\0';
}
