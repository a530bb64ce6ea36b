/* sockets.c - what the sockets of processes are connected to, in every network namespace that they are in. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema/calls.h"
#include "tracer/sock/diag.h"

/* A network namespace whose sockets have been read. */
struct snap_net {
	uint64_t netns;
	int fd; /* of sock_diag, -1: it may not be entered */
};

struct load {
	struct snapshot *s;
	uint64_t netns;
};

/* Keys of the table by_key: connections; and ports at which somebody listens. */
static uint64_t port_key(uint32_t port, uint64_t netns)
{
	return hash_mix(port, netns, 4);
}

static struct snap_socket *add_socket(const struct load *l, uint64_t inode, enum file_kind kind)
{
	struct snap_socket *socket = xcalloc(1, sizeof *socket);

	socket->inode = inode;
	socket->netns = l->netns;
	socket->kind = kind;
	socket->next = l->s->all_sockets;
	l->s->all_sockets = socket;
	if (inode)
		(void)hash_set(&l->s->sockets, inode, socket);
	return socket;
}

static void add_unix(void *arg, const struct diag_unix *d)
{
	bool is_stream = d->type == SOCK_STREAM || d->type == SOCK_SEQPACKET;
	struct snap_socket *socket;

	if (!d->inode)
		return;
	socket = add_socket(arg, d->inode, d->listens && is_stream ? FILE_LISTEN : FILE_SOCKET);
	socket->is_unix = true;
	socket->is_stream = is_stream;
	socket->other = d->peer;
	socket->has_peer = d->has_peer;
	socket->local_len = d->name_len;
	memcpy(socket->local, &d->name, d->name_len);
	for (size_t i = 0; i < d->n_waiting; i++)
		(void)hash_set(&((struct load *)arg)->s->unaccepted, d->waiting[i], socket);
}

static unsigned address_of(char *to, const struct socket_place *p)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)p->port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = in.sin_port};

	if (!p->addr[0] && !p->addr[1] && p->addr[2] == htonl(0xffff)) {
		in.sin_addr.s_addr = p->addr[3];
		memcpy(to, &in, sizeof in);
		return sizeof in;
	}
	memcpy(&in6.sin6_addr, p->addr, sizeof p->addr);
	memcpy(to, &in6, sizeof in6);
	return sizeof in6;
}

static bool is_place(const struct socket_place *a, const struct socket_place *b)
{
	return a->port == b->port && !memcmp(a->addr, b->addr, sizeof a->addr);
}

/* Two sockets of one connection find each other; if there are more that look like it, none of them is known. */
static void pair_up(struct snapshot *s, struct snap_socket *socket)
{
	struct snap_socket *first = hash_get(&s->by_key, socket->key);

	if (!first) {
		(void)hash_set(&s->by_key, socket->key, socket);
		return;
	}
	if (first->pair || first->is_mixed_up || !is_place(&first->here, &socket->there) ||
		!is_place(&first->there, &socket->here)) {
		first->is_mixed_up = socket->is_mixed_up = true;
		if (first->pair)
			first->pair->is_mixed_up = true;
		return;
	}
	first->pair = socket;
	socket->pair = first;
}

static void add_tcp(void *arg, const struct diag_tcp *d)
{
	const struct load *l = arg;
	struct snap_socket *socket, *other;

	if (!d->listens && !d->connected)
		return;
	socket = add_socket(l, d->inode, d->listens ? FILE_LISTEN : FILE_TCP);
	socket->is_stream = true;
	socket->here = d->local;
	socket->there = d->remote;
	socket->local_len = address_of(socket->local, &d->local);
	if (d->connected) {
		socket->key = socket_pair_key(&d->local, &d->remote, l->netns);
		socket->remote_len = address_of(socket->remote, &d->remote);
		pair_up(l->s, socket);
		return;
	}
	/* Where several listen at one port it is not told which of them gets a connection. */
	socket->key = port_key(d->local.port, l->netns);
	other = hash_get(&l->s->by_key, socket->key);
	socket->is_mixed_up = other != NULL;
	if (other)
		other->is_mixed_up = true;
	else
		(void)hash_set(&l->s->by_key, socket->key, socket);
}

static struct snap_net *net_of(const struct snapshot *s, uint64_t netns)
{
	for (size_t i = 0; i < s->n_nets; i++)
		if (s->nets[i].netns == netns)
			return &s->nets[i];
	return NULL;
}

void sockets_load(struct snapshot *s, pid_t pid)
{
	struct load l = {.s = s, .netns = sock_diag_netns(pid)};
	struct snap_net *net;

	if (!l.netns || net_of(s, l.netns))
		return;
	ARRAY_GROW(s->nets, s->n_nets, s->cap_nets);
	net = &s->nets[s->n_nets++];
	*net = (struct snap_net){.netns = l.netns, .fd = sock_diag_open(pid)};
	if (net->fd < 0)
		return;
	(void)sock_diag_unix(net->fd, add_unix, &l);
	(void)sock_diag_tcp(net->fd, add_tcp, &l);
	netlink_load(s, pid);
}

/* The other side of a connection may be in another namespace, where nobody was looked at yet. */
static void load_all(struct snapshot *s)
{
	DIR *proc = s->has_all_nets ? NULL : opendir("/proc");

	s->has_all_nets = true;
	for (pid_t pid; proc && (pid = proc_next(proc));)
		sockets_load(s, pid);
	if (proc)
		(void)closedir(proc);
}

const struct snap_socket *sockets_find(const struct snapshot *s, uint64_t inode)
{
	return hash_get(&s->sockets, inode);
}

const struct snap_socket *sockets_listener(
	const struct snapshot *s, const struct snap_socket *socket)
{
	struct snap_socket *listener;

	if (socket->is_unix)
		return socket->other ? NULL : hash_get(&s->unaccepted, socket->inode);
	if (socket->pair && socket->pair->inode)
		return NULL;
	listener = hash_get(&s->by_key, port_key(socket->there.port, socket->netns));
	return listener && listener->kind == FILE_LISTEN && !listener->is_mixed_up ? listener
										   : NULL;
}

uint64_t sockets_other(struct snapshot *s, const struct snap_socket *socket)
{
	if (socket->is_unix)
		return socket->other;
	if (!socket->pair && !socket_is_loopback(&socket->here))
		load_all(s);
	return socket->pair && !socket->is_mixed_up ? socket->pair->inode : 0;
}

/* Bytes of a Unix address without the NUL that may end a path. */
static size_t name_length(const char *address, size_t len)
{
	const size_t prefix = offsetof(struct sockaddr_un, sun_path);

	if (len <= prefix || !address[prefix])
		return len;
	return prefix + strnlen(address + prefix, len - prefix);
}

const struct snap_socket *sockets_at(
	const struct snapshot *s, pid_t pid, const char *address, size_t len)
{
	const struct snap_socket *found = NULL;
	uint64_t netns = sock_diag_netns(pid);
	size_t n = name_length(address, len);

	for (const struct snap_socket *l = s->all_sockets; l; l = l->next) {
		if (!l->is_unix || l->kind != FILE_LISTEN || l->netns != netns ||
			name_length(l->local, l->local_len) != n ||
			memcmp(l->local, address, n) != 0)
			continue;
		if (found)
			return NULL;
		found = l;
	}
	return n > sizeof(sa_family_t) ? found : NULL;
}

void sockets_classify(struct snapshot *s, struct snap_fd *f)
{
	const struct snap_socket *socket = sockets_find(s, f->inode), *other;

	f->peer = (pid_t)(uintptr_t)hash_get(&s->netlinks, f->inode);
	if (!socket)
		return;
	f->kind = socket->kind;
	if (!socket->is_unix) {
		f->inode2 = socket->key;
		/* Somebody else has the same addresses: nobody is told apart. */
		if (f->kind == FILE_TCP && socket->is_mixed_up)
			f->kind = FILE_SOCKET;
		return;
	}
	f->inode2 = socket->other;
	if (!socket->has_peer)
		return;
	/* A name in the file system leads to other namespaces too. */
	if (socket->other && !sockets_find(s, socket->other))
		load_all(s);
	other = sockets_find(s, socket->other);
	/* Only what connects to a name is without the other side for a while. */
	if (socket->other && !socket->local_len && (!other || !other->local_len))
		f->kind = FILE_SOCKETPAIR;
	else if (socket->is_stream)
		f->kind = FILE_UNIX;
}

/* ---- What is under way ---- */

/* Says whether nothing is on its way to, or nothing leaves, a TCP socket: see flight.c. */
static bool is_quiet(const struct snapshot *s, uint64_t inode, unsigned mode)
{
	const struct snap_socket *socket = sockets_find(s, inode);
	const struct snap_net *here = socket ? net_of(s, socket->netns) : NULL;
	const struct snap_net *there =
		socket && socket->pair ? net_of(s, socket->pair->netns) : here;
	struct diag_tcp own, other;

	if (!here || !there || socket->is_mixed_up ||
		sock_diag_find(here->fd, &socket->here, &socket->there, &own) != 0 ||
		sock_diag_find(there->fd, &socket->there, &socket->here, &other) != 0)
		return false;
	return sock_diag_is_stuck(&own, &other, mode & END_READ, mode & END_WRITE);
}

void sockets_look(struct snapshot *s, struct snap_thread *t)
{
	bool sends = t->wait.file_kind == FILE_TCP && call_waits(t->nr)->family == FAMILY_WRITE;

	if (t->wait.file_kind == FILE_TCP &&
		!is_quiet(s, t->wait.inode, sends ? END_WRITE : END_READ)) {
		t->wait.file_kind = FILE_SOCKET;
		t->wait.peer = 0;
	}
	for (size_t i = 0; i < t->n_poll; i++) {
		struct rec_poll_item *item = &t->poll[i];
		unsigned mode = (item->events & POLLIN ? END_READ : 0) |
				(item->events & POLLOUT ? END_WRITE : 0);

		if (item->file_kind == FILE_TCP && !is_quiet(s, item->inode, mode))
			item->file_kind = FILE_SOCKET;
	}
}

void sockets_done(struct snapshot *s)
{
	while (s->all_sockets) {
		struct snap_socket *socket = s->all_sockets;

		s->all_sockets = socket->next;
		free(socket);
	}
	for (size_t i = 0; i < s->n_nets; i++)
		if (s->nets[i].fd >= 0)
			(void)close(s->nets[i].fd);
	free(s->nets);
	hash_done(&s->sockets);
	hash_done(&s->by_key);
	hash_done(&s->unaccepted);
	hash_done(&s->netlinks);
}
