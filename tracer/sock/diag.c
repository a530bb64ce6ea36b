/* diag.c - what the kernel says about sockets, in whatever network namespace they are. */
/* SPDX-License-Identifier: MIT */
#include "tracer/sock/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum {
	REPLY_BYTES = 64 * 1024,
	TIMER_PROBE = 4 /* idiag_timer: the other side's window is closed (inet_csk_diag_fill) */
};

uint64_t sock_diag_netns(pid_t pid)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static int open_here(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

struct elsewhere {
	pid_t pid;
	int rc;
};

/* A new thread enters the namespace, makes the socket and ends; the socket belongs to that namespace for good. */
static void *open_there(void *arg)
{
	struct elsewhere *e = arg;
	_cleanup_close_ int ns = -1;
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)e->pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	e->rc = ns < 0 || setns(ns, CLONE_NEWNET) != 0 ? -errno : open_here();
	return NULL;
}

int sock_diag_open(pid_t pid)
{
	struct elsewhere e = {.pid = pid};
	uint64_t there = sock_diag_netns(pid);
	pthread_t thread;
	int rc;

	if (!there)
		return -ESRCH;
	if (there == sock_diag_netns(getpid()))
		return open_here();
	rc = pthread_create(&thread, NULL, open_there, &e);
	if (rc)
		return -rc;
	(void)pthread_join(thread, NULL);
	return e.rc;
}

/* Hands each message of the reply to a request to a function. Returns 0 or -errno. */
static int ask(int fd, const void *request, size_t size,
	void (*got)(void *arg, const struct nlmsghdr *h), void *arg)
{
	_cleanup_free_ char *reply = xmalloc(REPLY_BYTES);
	const struct nlmsghdr *asked = request;
	ssize_t n;

	if (send(fd, request, size, 0) != (ssize_t)size)
		return -errno;
	while ((n = recv(fd, reply, REPLY_BYTES, 0)) > 0) {
		const struct nlmsghdr *h = (const void *)reply;
		size_t left = (size_t)n;

		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR) {
				const struct nlmsgerr *e = NLMSG_DATA(h);

				return h->nlmsg_len >= NLMSG_LENGTH(sizeof *e) && e->error
					       ? e->error
					       : -EPROTO;
			}
			got(arg, h);
		}
		if (!(asked->nlmsg_flags & NLM_F_DUMP & ~NLM_F_REQUEST))
			return 0;
	}
	return n < 0 ? -errno : -EPROTO;
}

static const void *attribute(const struct nlattr *a, size_t least)
{
	return a->nla_len >= NLA_HDRLEN + least ? (const char *)a + NLA_HDRLEN : NULL;
}

/* Calls each attribute that follows a message's fixed part. */
static void each_attribute(const struct nlmsghdr *h, size_t fixed,
	void (*got)(void *arg, const struct nlattr *a), void *arg)
{
	size_t left = h->nlmsg_len - NLMSG_LENGTH(fixed);
	const struct nlattr *a = (const void *)((const char *)NLMSG_DATA(h) + NLMSG_ALIGN(fixed));

	while (left >= sizeof *a && a->nla_len >= sizeof *a && a->nla_len <= left) {
		size_t step = NLA_ALIGN(a->nla_len);

		got(arg, a);
		if (step >= left)
			break;
		left -= step;
		a = (const void *)((const char *)a + step);
	}
}

/* ---- Unix ---- */

struct unix_walk {
	void (*each)(void *arg, const struct diag_unix *s);
	void *arg;
	struct diag_unix now;
};

static void read_unix(void *arg, const struct nlattr *a)
{
	struct diag_unix *s = arg;
	const struct unix_diag_rqlen *queue;
	const void *data;

	switch (a->nla_type) {
	case UNIX_DIAG_PEER:
		s->has_peer = true;
		data = attribute(a, sizeof s->peer);
		if (data)
			memcpy(&s->peer, data, sizeof s->peer);
		break;
	case UNIX_DIAG_NAME:
		s->name_len = a->nla_len - (unsigned)NLA_HDRLEN;
		if (s->name_len > sizeof s->name.sun_path)
			s->name_len = sizeof s->name.sun_path;
		s->name.sun_family = AF_UNIX;
		memcpy(s->name.sun_path, (const char *)a + NLA_HDRLEN, s->name_len);
		s->name_len += (unsigned)offsetof(struct sockaddr_un, sun_path);
		break;
	case UNIX_DIAG_ICONS:
		s->waiting = attribute(a, 0);
		s->n_waiting = (a->nla_len - (size_t)NLA_HDRLEN) / sizeof *s->waiting;
		break;
	case UNIX_DIAG_RQLEN:
		queue = attribute(a, sizeof *queue);
		if (queue)
			s->backlog = queue->udiag_wqueue;
		break;
	}
}

static void got_unix(void *arg, const struct nlmsghdr *h)
{
	struct unix_walk *w = arg;
	const struct unix_diag_msg *m = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof *m))
		return;
	w->now = (struct diag_unix){.inode = m->udiag_ino,
		.type = m->udiag_type,
		.listens = m->udiag_state == TCP_LISTEN};
	each_attribute(h, sizeof *m, read_unix, &w->now);
	w->each(w->arg, &w->now);
}

int sock_diag_unix(int fd, void (*each)(void *arg, const struct diag_unix *s), void *arg)
{
	const struct {
		struct nlmsghdr head;
		struct unix_diag_req req;
	} request = {.head = {.nlmsg_len = sizeof request,
			     .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.req = {.sdiag_family = AF_UNIX,
			.udiag_states = -1u,
			.udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN |
				      UDIAG_SHOW_ICONS}};
	struct unix_walk w = {.each = each, .arg = arg};

	return ask(fd, &request, sizeof request, got_unix, &w);
}

/* ---- TCP ---- */

struct tcp_walk {
	void (*each)(void *arg, const struct diag_tcp *s);
	void *arg;
};

static struct socket_place read_place(int family, const __be32 addr[4], __be16 port)
{
	struct socket_place p = {.port = ntohs(port)};

	if (family == AF_INET) {
		p.addr[2] = htonl(0xffff);
		p.addr[3] = addr[0];
	} else {
		memcpy(p.addr, addr, sizeof p.addr);
	}
	return p;
}

static void got_tcp(void *arg, const struct nlmsghdr *h)
{
	struct tcp_walk *w = arg;
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	struct diag_tcp s;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof *m))
		return;
	s = (struct diag_tcp){.inode = m->idiag_inode,
		.listens = m->idiag_state == TCP_LISTEN,
		.connected = m->id.idiag_dport && m->idiag_state != TCP_LISTEN &&
			     m->idiag_state != TCP_TIME_WAIT,
		.local = read_place(m->idiag_family, m->id.idiag_src, m->id.idiag_sport),
		.remote = read_place(m->idiag_family, m->id.idiag_dst, m->id.idiag_dport),
		.unread = m->idiag_rqueue,
		.unacked = m->idiag_wqueue,
		.is_full = m->idiag_timer == TIMER_PROBE,
		.retransmits = m->idiag_retrans};
	w->each(w->arg, &s);
}

struct tcp_request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 req;
};

static struct tcp_request tcp_request(int family, unsigned flags)
{
	return (struct tcp_request){.head = {.nlmsg_len = sizeof(struct tcp_request),
					    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
					    .nlmsg_flags = (__u16)(NLM_F_REQUEST | flags)},
		.req = {.sdiag_family = (__u8)family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = -1u,
			.id = {.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}}};
}

int sock_diag_tcp(int fd, void (*each)(void *arg, const struct diag_tcp *s), void *arg)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct tcp_walk w = {each, arg};
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(families); i++) {
		struct tcp_request request = tcp_request(families[i], NLM_F_DUMP);

		rc = ask(fd, &request, sizeof request, got_tcp, &w);
	}
	return rc;
}

static bool is_same(const struct socket_place *a, const struct socket_place *b)
{
	return a->port == b->port && !memcmp(a->addr, b->addr, sizeof a->addr);
}

struct search {
	const struct socket_place *local, *remote;
	struct diag_tcp found;
	bool has_found;
};

static void compare(void *arg, const struct diag_tcp *s)
{
	struct search *search = arg;

	/* Where there is no connection the kernel may answer with the socket that listens. */
	if (!s->connected || !is_same(&s->local, search->local) ||
		!is_same(&s->remote, search->remote))
		return;
	search->found = *s;
	search->has_found = true;
}

int sock_diag_find(int fd, const struct socket_place *local, const struct socket_place *remote,
	struct diag_tcp *ret)
{
	bool is_v4 = !local->addr[0] && !local->addr[1] && local->addr[2] == htonl(0xffff);
	struct tcp_request request = tcp_request(is_v4 ? AF_INET : AF_INET6, 0);
	struct search search = {.local = local, .remote = remote};
	struct tcp_walk w = {compare, &search};
	struct inet_diag_sockid *id = &request.req.id;
	int rc;

	id->idiag_sport = htons((uint16_t)local->port);
	id->idiag_dport = htons((uint16_t)remote->port);
	if (is_v4) {
		id->idiag_src[0] = local->addr[3];
		id->idiag_dst[0] = remote->addr[3];
	} else {
		memcpy(id->idiag_src, local->addr, sizeof local->addr);
		memcpy(id->idiag_dst, remote->addr, sizeof remote->addr);
	}
	rc = ask(fd, &request, sizeof request, got_tcp, &w);
	if (rc)
		return rc;
	*ret = search.found;
	return search.has_found ? 0 : -ENOENT;
}

bool sock_diag_is_stuck(
	const struct diag_tcp *own, const struct diag_tcp *other, bool reads, bool writes)
{
	if (reads && (own->unread || other->unacked))
		return false;
	/* What the other side had no room for may also have been dropped, and is sent again and again. */
	return !writes || own->is_full || (own->retransmits > 1 && other->unread);
}

bool sock_diag_parse(const char *text, struct socket_place *ret)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	char host[INET6_ADDRSTRLEN + 2] = "";
	char *end;
	size_t n = colon ? (size_t)(colon - text) : 0;

	*ret = (struct socket_place){.port = 0};
	if (!n || n >= sizeof host)
		return false;
	memcpy(host, text, n);
	ret->port = (uint32_t)strtoul(colon + 1, &end, 10);
	if (*end || end == colon + 1 || ret->port > 65535)
		return false;
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, ret->addr) == 1;
	}
	ret->addr[2] = htonl(0xffff);
	return inet_pton(AF_INET, host, &ret->addr[3]) == 1;
}
