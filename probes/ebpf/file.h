/* file.h - from a descriptor to what is behind it. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_FILE_H
#define PROBES_EBPF_FILE_H

#include "probes/ebpf/probe.h"
#include "schema/socket_key.h"

#define S_IFMT 0xf000
#define S_IFIFO 0x1000
#define S_IFCHR 0x2000
#define S_IFDIR 0x4000
#define S_IFREG 0x8000
#define S_IFSOCK 0xc000

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_SEQPACKET 5
#define IPPROTO_TCP 6
#define TCP_ESTABLISHED 1
#define TCP_LISTEN 10
#define IPV4_MARK                                                                                  \
	0xffff0000u /* in the order of the network: what ::ffff:a.b.c.d has before the IPv4 address */

/*
 * Fills in what an open file (the address of a struct file) is. A function of
 * its own, known to the linker: the verifier then looks at it once in each
 * program and not again wherever it is called, which is most of the time that loading takes.
 */
GLOBAL int file_object(u64 address, struct object *o);

/* Returns the open file behind a descriptor of a task, or NULL. */
static __always_inline struct file *file_of_fd(struct task_struct *task, u32 fd)
{
#ifdef EDITION_CASTS
	struct fdtable *fdt = TYPED(struct task_struct, task, task)->files->fdt;

	if (fd >= fdt->max_fds)
		return NULL;
	return (struct file *)WORD_AT(fdt->fd + fd);
#else
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table;
	struct file *file = NULL;

	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	table = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof file, table + fd);
	return file;
#endif
}

/* Returns i_mode & S_IFMT of an open file: enough to leave early. */
static __always_inline u32 file_type(struct file *file)
{
	return GET(TYPED(struct file, file, file), f_inode, i_mode) & S_IFMT;
}

_Static_assert(FILE_PIPE - PIPE_PIPE == 2 && FILE_FIFO - PIPE_FIFO == 2 &&
		       FILE_SOCKETPAIR - PIPE_SOCKETPAIR == 2 && FILE_UNIX - PIPE_UNIX == 2 &&
		       FILE_TCP - PIPE_TCP == 2 && FILE_LISTEN - PIPE_LISTEN == 2 &&
		       FILE_PTY - PIPE_PTY == 2,
	"pipe kinds are file kinds less two");

/* Says whether it is one of those whose ends are followed. */
static __always_inline bool object_is_pipe(const struct object *o)
{
	return o->kind >= FILE_PIPE && o->kind <= FILE_LISTEN;
}

/* Says whether its inode2 tells the other side. */
static __always_inline bool object_is_connected(const struct object *o)
{
	return o->kind >= FILE_SOCKETPAIR && o->kind <= FILE_TCP;
}

/*
 * Fills in the two addresses of a TCP socket (struct sock at the address). A socket of the other family
 * may carry IPv4, and has its addresses in both places then. Returns whether they are known.
 */
static __always_inline bool socket_places(
	u64 address, struct socket_place *local, struct socket_place *remote)
{
	struct sock *sk = TYPED(struct sock, sock, address);
	u16 port = GET(sk, __sk_common.skc_dport);

	local->port = GET(sk, __sk_common.skc_num);
	remote->port = (port >> 8 | port << 8) & 0xffff;
	if (GET(sk, __sk_common.skc_family) == AF_INET) {
		local->addr[2] = remote->addr[2] = IPV4_MARK;
		local->addr[3] = GET(sk, __sk_common.skc_rcv_saddr);
		remote->addr[3] = GET(sk, __sk_common.skc_daddr);
		return true;
	}
	sk = (struct sock *)address;
	if (!bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		return false;
	bpf_core_read(local->addr, sizeof local->addr, &sk->__sk_common.skc_v6_rcv_saddr);
	bpf_core_read(remote->addr, sizeof remote->addr, &sk->__sk_common.skc_v6_daddr);
	return true;
}

/* Looks up a descriptor and fills in o if its ends may be followed; returns whether they are. */
static __always_inline bool file_pipe_of_fd(struct task_struct *task, u32 fd, struct object *o)
{
	struct file *file = file_of_fd(task, fd);
	u32 type;

	if (!file)
		return false;
	type = file_type(file);
	if (type != S_IFIFO && type != S_IFSOCK)
		return false;
	__builtin_memset(o, 0, sizeof *o);
	file_object((u64)file, o);
	return object_is_pipe(o);
}

#endif
