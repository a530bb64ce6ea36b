/* poll.c - the descriptor that a goroutine waits for in the network poller. */
/* SPDX-License-Identifier: MIT */
/*
 * Go reads and writes pipes and sockets without blocking: a goroutine that finds nothing there
 * writes its own address into the descriptor's runtime.pollDesc and parks. Nothing leads from the goroutine to
 * that structure but its stack: the functions that wait keep the address in their frames.
 */
#include "tracer/runtime/golang/golang.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/sock/diag.h"

enum {
	FRAMES = 6,       /* of the runtime and package poll, in which the address lies */
	MAX_FRAME = 1024, /* bytes of one that are looked through */
	MAX_FD = 1 << 24
};

/* ---- Which descriptor ---- */

/* Says whether the goroutine stands in the structure at this address, as one who reads or one who writes. */
static bool has_parked(
	struct golang *go, const struct goroutine *g, uint64_t desc, bool *ret_writes)
{
	const struct golang_layout *l = &go->layout;
	bool reads, writes;

	if (!desc || desc % 8 || (desc >= g->stack_low && desc < g->stack_high))
		return false;
	reads = golang_u64(go, desc, l->poll_reader) == g->addr;
	writes = golang_u64(go, desc, l->poll_writer) == g->addr;
	*ret_writes = writes;
	return reads != writes && golang_u64(go, desc, l->poll_fd) < MAX_FD;
}

static uint64_t find_desc(struct golang *go, const struct goroutine *g, bool *ret_writes)
{
	for (size_t i = 0; i < g->n_frames && i < FRAMES; i++) {
		const struct golang_frame *f = &g->frames[i];

		for (uint64_t at = f->low; at < f->high && at < f->low + MAX_FRAME; at += 8) {
			uint64_t word = golang_u64(go, at, 0);

			if (has_parked(go, g, word, ret_writes))
				return word;
		}
	}
	return 0;
}

static bool is_in_poller(const struct golang *go, const struct goroutine *g)
{
	return g->status == GO_WAITING && g->reason < GOLANG_REASONS &&
	       !strcmp(go->reasons[g->reason], "IO wait");
}

static void find_descriptor(struct golang *go, struct goroutine *g)
{
	const struct golang_layout *l = &go->layout;
	bool writes = false;
	uint64_t desc = find_desc(go, g, &writes);

	if (!desc)
		return;
	g->desc = desc;
	g->polls = writes ? GOLANG_WRITES : GOLANG_READS;
	g->fd = (int)golang_u64(go, desc, l->poll_fd);
	g->has_deadline =
		golang_u64(go, desc, writes ? l->poll_write_deadline : l->poll_read_deadline) != 0;
}

/* ---- What is under way over TCP ---- */

/* A connection that a goroutine waits for. */
struct connection {
	struct goroutine *g;
	struct socket_place local, remote;
};

struct flights {
	struct golang *go;
	struct hash wanted; /* by inode of the socket: 1 + index of the goroutine */
	struct connection *list;
	size_t n, cap;
};

static uint64_t socket_of(const struct golang *go, int fd)
{
	char path[64], link[64];
	unsigned long long inode;
	ssize_t len;

	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)go->process->pid, fd);
	len = readlink(path, link, sizeof link - 1);
	link[len > 0 ? len : 0] = '\0';
	return sscanf(link, "socket:[%llu]", &inode) == 1 ? inode : 0;
}

static void keep_wanted(void *arg, const struct diag_tcp *s)
{
	struct flights *f = arg;
	uintptr_t found = s->inode ? (uintptr_t)hash_get(&f->wanted, s->inode) : 0;

	if (found && s->listens)
		f->go->list[found - 1].accepts = true;
	if (!found || s->listens)
		return;
	ARRAY_GROW(f->list, f->n, f->cap);
	f->list[f->n++] = (struct connection){&f->go->list[found - 1], s->local, s->remote};
}

/* Says whether both sides are known here, and nothing is on its way between them: see tracer/sock/flight.c. */
static bool is_still(int door, const struct connection *c)
{
	bool writes = c->g->polls == GOLANG_WRITES;
	struct diag_tcp own, other;

	if (sock_diag_find(door, &c->local, &c->remote, &own) != 0 ||
		sock_diag_find(door, &c->remote, &c->local, &other) != 0 ||
		!sock_diag_is_stuck(&own, &other, !writes, writes))
		return false;
	c->g->peer = other.inode;
	return true;
}

/* Whoever waits for bytes that may be under way will have them in a moment. */
static void find_flights(struct golang *go)
{
	struct flights f = {.go = go};
	_cleanup_close_ int door = -1;

	for (size_t i = 0; i < go->n; i++) {
		struct goroutine *g = &go->list[i];
		uint64_t inode = g->polls ? socket_of(go, g->fd) : 0;

		if (inode && door < 0)
			door = sock_diag_open(go->process->pid);
		if (inode && door < 0)
			g->polls = GOLANG_POLLS;
		else if (inode)
			(void)hash_set(&f.wanted, inode, (void *)(uintptr_t)(i + 1));
	}
	if (f.wanted.len)
		(void)sock_diag_tcp(door, keep_wanted, &f);
	for (size_t i = 0; i < f.n; i++)
		if (!is_still(door, &f.list[i]))
			f.list[i].g->polls = GOLANG_POLLS;
	free(f.list);
	hash_done(&f.wanted);
}

void golang_poll(struct golang *go, bool is_quiet)
{
	for (size_t i = 0; go->has_poll && i < go->n; i++)
		if (is_in_poller(go, &go->list[i]))
			find_descriptor(go, &go->list[i]);
	if (is_quiet && !go->process->core)
		find_flights(go);
}

void golang_poll_wait(const struct goroutine *g, struct runtime_wait *w)
{
	w->reason = g->polls == GOLANG_READS    ? WAIT_PIPE_READ
		    : g->polls == GOLANG_WRITES ? WAIT_PIPE_WRITE
						: WAIT_SOCKET;
	w->object = (uint64_t)g->fd;
	w->is_timed = g->has_deadline;
}
