/* socket.c - what sockets are called, and which one listens for whom. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/mem.h"
#include "schema/socket_key.h"

/* An address as a record carries it. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	char bytes[sizeof(((struct rec_SOCKET *)0)->local)];
};

static union address read_address(const char *bytes, uint64_t *len)
{
	union address a = {.bytes = {0}};

	if (*len > sizeof a.bytes)
		*len = sizeof a.bytes;
	memcpy(a.bytes, bytes, (size_t)*len);
	return a;
}

/* "/run/x", "@abstract", where NUL stands within it too; NULL: it has no name. */
static char *unix_text(const union address *a, size_t len)
{
	const size_t prefix = offsetof(struct sockaddr_un, sun_path);
	size_t n = len > prefix ? len - prefix : 0;
	char *text;

	if (!n)
		return NULL;
	if (a->un.sun_path[0])
		return xstrndup(a->un.sun_path, n);
	text = xcalloc(n + 1, 1);
	for (size_t i = 0; i < n; i++)
		text[i] = a->bytes[prefix + i] ? a->bytes[prefix + i] : '@';
	return text;
}

/* Returns the address for people, which the caller frees; NULL: none. */
static char *address_text(const char *bytes, uint64_t len)
{
	union address a = read_address(bytes, &len);
	char host[INET6_ADDRSTRLEN];

	if (len < sizeof a.any.sa_family)
		return NULL;
	switch (a.any.sa_family) {
	case AF_UNIX:
		return unix_text(&a, (size_t)len);
	case AF_INET:
		if (!inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof host))
			return NULL;
		return xasprintf("%s:%u", host, ntohs(a.in.sin_port));
	case AF_INET6:
		if (!inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof host))
			return NULL;
		return xasprintf("[%s]:%u", host, ntohs(a.in6.sin6_port));
	}
	return NULL;
}

/* Fills in the place that an address of the Internet is; false if it is none. */
static bool address_place(const char *bytes, uint64_t len, struct socket_place *ret)
{
	union address a = read_address(bytes, &len);

	*ret = (struct socket_place){.port = ntohs(a.in.sin_port)};
	if (len >= sizeof a.in && a.any.sa_family == AF_INET) {
		ret->addr[2] = htonl(0xffff);
		ret->addr[3] = a.in.sin_addr.s_addr;
		return true;
	}
	if (len < sizeof a.in6 || a.any.sa_family != AF_INET6)
		return false;
	memcpy(ret->addr, &a.in6.sin6_addr, sizeof ret->addr);
	return true;
}

static uint64_t listen_key(const struct socket_place *p, uint64_t netns)
{
	return hash_mix(socket_place_key(p), netns, 3);
}

/* Several sockets may listen at one address: which of them gets a connection is not known. */
static void add_listener(struct model *m, struct pipe *pipe, uint64_t key, bool is_shared)
{
	struct pipe *other = model_find_socket(m, PIPE_LISTEN, key);

	if (other && other != pipe && other->ends) {
		other->outside = 3;
		other->dirty = true;
		is_shared = true;
	}
	if (is_shared) {
		pipe->ambiguous = true;
		pipe->outside = 3;
	}
	if (pipe->key != key)
		model_pipe_key(m, pipe, key);
}

/* Finds the socket that listens at a place: at its address, or at all addresses, of IPv4 or of both. */
static struct pipe *listener_at(const struct model *m, struct socket_place p, uint64_t netns)
{
	struct pipe *found = model_find_socket(m, PIPE_LISTEN, listen_key(&p, netns));

	if (found)
		return found;
	p.addr[3] = 0;
	if (!p.addr[0] && !p.addr[1] && p.addr[2] == htonl(0xffff))
		found = model_find_socket(m, PIPE_LISTEN, listen_key(&p, netns));
	if (found)
		return found;
	p.addr[0] = p.addr[1] = p.addr[2] = 0;
	return model_find_socket(m, PIPE_LISTEN, listen_key(&p, netns));
}

/* Until somebody accepts it, a connection is with the socket that listens. */
static void find_listener(struct model *m, struct pipe *pipe, const struct rec_SOCKET *rec)
{
	struct socket_place place;
	struct pipe *listener = NULL;

	if (pipe->kind == PIPE_UNIX && rec->listener)
		listener = model_find_socket(m, PIPE_LISTEN, rec->listener);
	else if (pipe->kind == PIPE_TCP && address_place(rec->remote, rec->remote_len, &place))
		listener = listener_at(m, place, rec->netns);
	if (listener && listener->ends)
		pipe->listener_id = listener->id;
}

struct pipe *model_unix_listener(const struct model *m, const char *address, size_t len)
{
	_cleanup_free_ char *name = address_text(address, len);
	struct pipe *found = NULL;

	for (struct pipe *pipe = m->all_pipes; name && pipe; pipe = pipe->next) {
		if (pipe->kind != PIPE_LISTEN || !pipe->ends || !pipe->local ||
			strcmp(pipe->local, name) != 0)
			continue;
		if (found)
			return NULL;
		found = pipe;
	}
	return found;
}

static void name_listener(struct model *m, struct pipe *pipe, const struct rec_SOCKET *rec)
{
	struct socket_place place;

	if (address_place(rec->local, rec->local_len, &place))
		add_listener(m, pipe, listen_key(&place, rec->netns), rec->listener != 0);
	else if (rec->listener)
		add_listener(m, pipe, rec->listener, false);
}

void model_socket(struct model *m, const struct rec_SOCKET *rec)
{
	uint8_t side = 0;
	struct pipe *pipe = model_find_pipe(m, rec->dev, rec->inode, &side);
	char **local, **remote;

	if (!pipe || pipe->kind < PIPE_UNIX) {
		model_skip(m);
		return;
	}
	local = side ? &pipe->remote : &pipe->local;
	remote = side ? &pipe->local : &pipe->remote;
	if (!*local)
		*local = address_text(rec->local, rec->local_len);
	if (!*remote)
		*remote = address_text(rec->remote, rec->remote_len);
	pipe->dirty = true;
	if (pipe->kind == PIPE_LISTEN)
		name_listener(m, pipe, rec);
	else if (!pipe->inode2)
		find_listener(m, pipe, rec);
}
