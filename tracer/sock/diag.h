/* diag.h - what the kernel says about sockets, in whatever network namespace they are. */
/* SPDX-License-Identifier: MIT */
/* To be read in this order: diag.c (questions to the kernel), flight.c (what they are asked for). */
#ifndef TRACER_SOCK_DIAG_H
#define TRACER_SOCK_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "schema/socket_key.h"

/* A Unix socket. */
struct diag_unix {
	uint32_t inode, peer; /* peer 0: none, or nobody has accepted it yet */
	int type;             /* SOCK_STREAM... */
	bool listens, has_peer;
	struct sockaddr_un name;
	unsigned name_len; /* bytes of name with the family; 0: it has none */
	const uint32_t *
		waiting; /* listens: sockets that were connected to it and that nobody has accepted yet */
	size_t n_waiting;
	uint32_t backlog; /* listens: how many of them there may be */
};

/* A TCP socket. */
struct diag_tcp {
	uint32_t inode; /* 0: nobody has accepted it yet, or it is closed */
	bool listens, connected;
	struct socket_place local, remote;
	uint32_t unread; /* bytes that have arrived and were not read */
	uint32_t
		unacked; /* bytes that were written, and of which the other side has not said that they arrived */
	bool is_full; /* the other side has said that it has no room for more, and is asked again and again */
	unsigned retransmits;
};

/*
 * Opens a netlink socket in the network namespace that a process is in. Returns its descriptor, or
 * -errno: another namespace than one's own may be entered by root only.
 */
int sock_diag_open(pid_t pid);

/* Returns the inode of the network namespace of a process; 0: not known. */
uint64_t sock_diag_netns(pid_t pid);

/* Calls each for all sockets of a kind in its namespace, through that netlink socket. Return 0 or -errno. */
int sock_diag_unix(int fd, void (*each)(void *arg, const struct diag_unix *s), void *arg);
int sock_diag_tcp(int fd, void (*each)(void *arg, const struct diag_tcp *s), void *arg);

/* Finds the socket that is this side of a connection. Returns 0 or -errno: -ENOENT, there is none. */
int sock_diag_find(int fd, const struct socket_place *local, const struct socket_place *remote,
	struct diag_tcp *ret);

/*
 * Says whether a thread that reads from a connection, or writes to it, waits for the other side to act and not for
 * what is in flight: own and other are its two sides.
 */
bool sock_diag_is_stuck(
	const struct diag_tcp *own, const struct diag_tcp *other, bool reads, bool writes);

/* Reads "127.0.0.1:80" or "[::1]:80"; false if it is neither. */
bool sock_diag_parse(const char *text, struct socket_place *ret);

#endif
