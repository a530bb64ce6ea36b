/* file.bpf.c - from an open file to what it is. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/file.h"

#define PIPEFS_MAGIC 0x50495045
#define PIDFS_MAGIC 0x50494446
#define MQUEUE_MAGIC 0x19800202

#define SOCK_STREAM 1
#define SOCK_SEQPACKET 5
#define IPPROTO_TCP 6
#define TCP_LISTEN 10
#define MAX_SCHEDULE_TIMEOUT ((long)(~0ul >> 1))

/* pidfs (6.9) keeps the struct pid in its inode, the older anonymous file in private_data. */
static __always_inline u32 file_pidfd_pid(struct file *file, struct inode *inode, u64 magic)
{
	struct pid *pid;

	if (magic == PIDFS_MAGIC)
		pid = BPF_CORE_READ(inode, i_private);
	else
		pid = BPF_CORE_READ(file, private_data);
	return pid_number(pid, own_level);
}

/* Anonymous inodes carry what they are as the name of their dentry. */
static __always_inline void file_anonymous(struct file *file, struct object *o)
{
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	u64 word = 0;

	o->kind = FILE_OTHER;
	if (bpf_probe_read_kernel(&word, sizeof word, name))
		return;
	if (word == name_word("[eventfd"))
		o->kind = FILE_EVENTFD;
	else if (word == name_word("[eventpo"))
		o->kind = FILE_EPOLL;
	else if (word == name_word("[timerfd"))
		o->kind = FILE_TIMERFD;
	else if (word == name_word("[signalf"))
		o->kind = FILE_SIGNALFD;
	else if (word == name_word("[pidfd]"))
		o->kind = FILE_PIDFD;
	else if (word == name_word("inotify") || word == name_word("[fanotif"))
		o->kind = FILE_INOTIFY;
}

/* Says whether nobody else has the open file: no other descriptor, no other call that goes on. */
static __always_inline bool file_is_sole(struct file *file)
{
	struct file___new *counts_from_0 = (struct file___new *)file;

	if (bpf_core_field_exists(counts_from_0->f_ref))
		return !BPF_CORE_READ(counts_from_0, f_ref.refcnt.counter);
	return BPF_CORE_READ((struct file___old *)file, f_count.counter) == 1;
}

/*
 * A connected AF_UNIX socket whose two sides have no name comes from socketpair; what was accepted bears
 * the name of the socket that listens. The peer's socket is gone once that side was closed, and not there
 * before it is accepted.
 */
static __always_inline void file_unix(struct sock *sk, struct object *o)
{
	struct unix_sock *u = (struct unix_sock *)sk;
	struct sock *peer = BPF_CORE_READ(u, peer);
	u32 type = BPF_CORE_READ(sk, sk_type);
	bool is_stream = type == SOCK_STREAM || type == SOCK_SEQPACKET;
	struct socket *other;

	if (is_stream && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		o->kind = FILE_LISTEN;
	if (!peer)
		return;
	if (!BPF_CORE_READ(u, addr) && !BPF_CORE_READ((struct unix_sock *)peer, addr))
		o->kind = FILE_SOCKETPAIR;
	else if (is_stream)
		o->kind = FILE_UNIX;
	else
		return;
	other = BPF_CORE_READ(peer, sk_socket);
	if (other)
		o->inode2 = BPF_CORE_READ((struct socket_alloc *)other, vfs_inode.i_ino);
}

/* A connection once has two addresses, and keeps them when it has ended. */
static __always_inline void file_tcp(struct sock *sk, struct object *o)
{
	struct socket_place local = {}, remote = {};

	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN) {
		o->kind = FILE_LISTEN;
		return;
	}
	if (!socket_places((u64)sk, &local, &remote) || !remote.port)
		return;
	o->kind = FILE_TCP;
	o->inode2 = socket_pair_key(
		&local, &remote, BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum));
	if (BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_user_timeout))
		o->timed |= END_WRITE;
}

static __always_inline void file_socket(struct file *file, struct object *o)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);
	u32 family;

	o->kind = FILE_SOCKET;
	o->mode = END_READ | END_WRITE;
	if (!sk)
		return;
	o->timed = (BPF_CORE_READ(sk, sk_rcvtimeo) != MAX_SCHEDULE_TIMEOUT ? END_READ : 0) |
		   (BPF_CORE_READ(sk, sk_sndtimeo) != MAX_SCHEDULE_TIMEOUT ? END_WRITE : 0);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family == AF_UNIX)
		file_unix(sk, o);
	else if ((family == AF_INET || family == AF_INET6) &&
		 BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
		file_tcp(sk, o);
	o->sole = file_is_sole(file);
}

int file_object(u64 address, struct object *o)
{
	struct file *file = (struct file *)address;
	struct inode *inode;
	u32 type, major;
	u64 magic;

	if (!o)
		return 0;
	__builtin_memset(o, 0, sizeof *o);
	inode = BPF_CORE_READ(file, f_inode);
	type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	o->inode = BPF_CORE_READ(inode, i_ino);
	o->file = (u64)file;
	o->dev = dev_encode(BPF_CORE_READ(inode, i_sb, s_dev));
	o->mode = BPF_CORE_READ(file, f_mode) & (END_READ | END_WRITE);
	if (type == S_IFSOCK) {
		file_socket(file, o);
		return 0;
	}
	if (type == S_IFDIR) {
		o->kind = FILE_DIR;
		return 0;
	}
	if (type == S_IFCHR) {
		major = BPF_CORE_READ(inode, i_rdev) >> 20;
		o->kind = major == 4 || major == 5 || (major >= 136 && major <= 143) ? FILE_TTY
										     : FILE_CHR;
		return 0;
	}
	magic = BPF_CORE_READ(inode, i_sb, s_magic);
	if (type == S_IFIFO) {
		o->kind = magic == PIPEFS_MAGIC ? FILE_PIPE : FILE_FIFO;
		return 0;
	}
	if (magic == MQUEUE_MAGIC) {
		o->kind = FILE_MQUEUE;
		return 0;
	}
	if (magic == PIDFS_MAGIC)
		o->kind = FILE_PIDFD;
	else if (type == S_IFREG)
		o->kind = FILE_REG;
	else
		file_anonymous(file, o);
	if (o->kind == FILE_PIDFD)
		o->peer = file_pidfd_pid(file, inode, magic);
	return 0;
}
