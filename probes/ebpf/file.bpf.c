/* file.bpf.c - from an open file to what it is. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/file.h"

#define PIPEFS_MAGIC 0x50495045
#define PIDFS_MAGIC 0x50494446
#define MQUEUE_MAGIC 0x19800202

#define MAX_SCHEDULE_TIMEOUT ((long)(~0ul >> 1))

/* pidfs (6.9) keeps the struct pid in its inode, the older anonymous file in private_data. */
static __always_inline u32 file_pidfd_pid(struct file *file, u64 magic)
{
	struct pid *pid;

	if (magic == PIDFS_MAGIC)
		pid = BPF_CORE_READ(file, f_inode, i_private);
	else
		pid = BPF_CORE_READ(file, private_data);
	return pid_number(pid, own_level);
}

/* A signalfd keeps the signals that it does not take (struct signalfd_ctx has that set alone). */
static __always_inline u64 file_signals(struct file *file)
{
	u64 others;

	if (bpf_probe_read_kernel(&others, sizeof others, BPF_CORE_READ(file, private_data)))
		return 0;
	return ~others;
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
	else if (word == name_word("[signalf")) {
		o->kind = FILE_SIGNALFD;
		o->inode = file_signals(file);
	} else if (word == name_word("[pidfd]"))
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
static __always_inline void file_tcp(u64 address, struct object *o)
{
	struct sock *sk = TYPED(struct sock, sock, address);
	struct socket_place local = {}, remote = {};

	if (GET(sk, __sk_common.skc_state) == TCP_LISTEN) {
		o->kind = FILE_LISTEN;
		return;
	}
	if (!socket_places(address, &local, &remote) || !remote.port)
		return;
	o->kind = FILE_TCP;
	o->inode2 = socket_pair_key(&local, &remote, GET(sk, __sk_common.skc_net.net, ns.inum));
	sk = (struct sock *)address;
	if (BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_user_timeout))
		o->timed |= END_WRITE;
}

/* address: that of its struct sock, which the verifier is to take for a number. */
static __always_inline void file_socket(u64 address, struct object *o)
{
	struct sock *sk = TYPED(struct sock, sock, address);
	u32 family;

	o->timed = (GET(sk, sk_rcvtimeo) != MAX_SCHEDULE_TIMEOUT ? END_READ : 0) |
		   (GET(sk, sk_sndtimeo) != MAX_SCHEDULE_TIMEOUT ? END_WRITE : 0);
	family = GET(sk, __sk_common.skc_family);
	if (family == AF_UNIX)
		file_unix((struct sock *)address, o);
	else if ((family == AF_INET || family == AF_INET6) && GET(sk, sk_protocol) == IPPROTO_TCP)
		file_tcp(address, o);
	else if (family == AF_NETLINK)
		o->peer = 1 + GET(sk, sk_protocol);
}

int file_object(u64 address, struct object *o)
{
	struct file *file = TYPED(struct file, file, address);
	struct inode *inode;
	u32 type, major;
	u64 magic, sock;

	if (!o)
		return 0;
	__builtin_memset(o, 0, sizeof *o);
	inode = GET(file, f_inode);
	type = GET(inode, i_mode) & S_IFMT;
	o->inode = GET(inode, i_ino);
	o->file = address;
	o->dev = dev_encode(GET(inode, i_sb, s_dev));
	o->mode = GET(file, f_mode) & (END_READ | END_WRITE);
	if (type == S_IFSOCK) {
		o->kind = FILE_SOCKET;
		o->mode = END_READ | END_WRITE;
		sock = ADDRESS_IN(GET(file, private_data), struct socket, sk);
		if (!sock)
			return 0;
		file_socket(sock, o);
		o->sole = file_is_sole((struct file *)address);
		return 0;
	}
	if (type == S_IFDIR) {
		o->kind = FILE_DIR;
		return 0;
	}
	if (type == S_IFCHR) {
		major = GET(inode, i_rdev) >> 20;
		o->kind = major == 4 || major == 5 || (major >= 136 && major <= 143) ? FILE_TTY
										     : FILE_CHR;
		return 0;
	}
	magic = GET(inode, i_sb, s_magic);
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
		file_anonymous((struct file *)address, o);
	if (o->kind == FILE_PIDFD)
		o->peer = file_pidfd_pid((struct file *)address, magic);
	return 0;
}
