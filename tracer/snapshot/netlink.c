/* netlink.c - which sockets are netlink, and of which protocol. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/private.h"

#include <inttypes.h>

/* "0000000000000000 0   1234   00000111 0   0   0   2   0   30511": the protocol is the second number, the inode the last. */
void netlink_load(struct snapshot *s, pid_t pid)
{
	char path[64], line[256];
	uint64_t inode;
	int protocol;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/net/netlink", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%*s %d %*s %*s %*s %*s %*s %*s %*s %" SCNu64, &protocol,
			    &inode) == 2 &&
			inode && protocol >= 0)
			(void)hash_set(&s->netlinks, inode, (void *)((uintptr_t)protocol + 1));
	if (f)
		(void)fclose(f);
}
