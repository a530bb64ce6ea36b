/* socket_key.h - the number by which the two sides of a TCP connection find each other. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_SOCKET_KEY_H
#define SCHEMA_SOCKET_KEY_H

#include "schema/record.h"

/* One side's address: IPv4 as IPv6 writes it (::ffff:a.b.c.d), in the order of the network; the port as a number. */
struct socket_place {
	rec_u32 addr[4];
	rec_u32 port;
};

static inline rec_u64 socket_mix(rec_u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ x >> 33;
}

static inline rec_u64 socket_place_key(const struct socket_place *p)
{
	rec_u64 high = (rec_u64)p->addr[0] << 32 | p->addr[1];
	rec_u64 low = (rec_u64)p->addr[2] << 32 | p->addr[3];

	return socket_mix(socket_mix(socket_mix(high) + low) + p->port);
}

static inline int socket_is_loopback(const struct socket_place *p)
{
	const unsigned char *a = (const unsigned char *)p->addr;

	if (p->addr[0] || p->addr[1])
		return 0;
	/* 127.0.0.0/8, ::1 */
	return p->addr[2] ? a[12] == 127 : !a[12] && !a[13] && !a[14] && a[15] == 1;
}

/*
 * Of a connection: the same seen from either side. Addresses that mean the machine itself mean one
 * network namespace; any other pair of addresses may lead from one to another.
 */
static inline rec_u64 socket_pair_key(
	const struct socket_place *local, const struct socket_place *remote, rec_u64 netns)
{
	rec_u64 key = socket_place_key(local) + socket_place_key(remote);

	if (socket_is_loopback(local) ||
		(local->addr[0] == remote->addr[0] && local->addr[1] == remote->addr[1] &&
			local->addr[2] == remote->addr[2] && local->addr[3] == remote->addr[3]))
		key = socket_mix(key + netns);
	return key ? key : 1;
}

#endif
