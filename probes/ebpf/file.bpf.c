/* file.bpf.c - from an open file to what it is. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/file.h"

#define PIPEFS_MAGIC 0x50495045
#define PIDFS_MAGIC 0x50494446
#define MQUEUE_MAGIC 0x19800202

#define AF_UNIX 1
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

/*
 * A connected AF_UNIX socket whose two sides have no name comes from
 * socketpair. The peer's socket is gone once that side was closed.
 */
static __always_inline void file_socket(struct file *file, struct object *o)
{
	struct socket *socket = BPF_CORE_READ(file, private_data), *other;
	struct sock *sk = BPF_CORE_READ(socket, sk), *peer;
	struct unix_sock *u = (struct unix_sock *)sk;

	o->kind = FILE_SOCKET;
	o->mode = END_READ | END_WRITE;
	if (!sk)
		return;
	o->timed = (BPF_CORE_READ(sk, sk_rcvtimeo) != MAX_SCHEDULE_TIMEOUT ? END_READ : 0) |
		   (BPF_CORE_READ(sk, sk_sndtimeo) != MAX_SCHEDULE_TIMEOUT ? END_WRITE : 0);
	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return;
	peer = BPF_CORE_READ(u, peer);
	if (!peer || BPF_CORE_READ(u, addr) || BPF_CORE_READ((struct unix_sock *)peer, addr))
		return;
	o->kind = FILE_SOCKETPAIR;
	other = BPF_CORE_READ(peer, sk_socket);
	if (other)
		o->inode2 = BPF_CORE_READ((struct socket_alloc *)other, vfs_inode.i_ino);
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
