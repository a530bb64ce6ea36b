/* ends.bpf.c - calls that make, copy, pass and close descriptors of pipes; locks on files. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/ends.h"

#define F_DUPFD 0
#define F_SETLK 6
#define F_SETLKW 7
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#define F_DUPFD_CLOEXEC 1030
#define CLOSE_RANGE_CLOEXEC 4
#define EINTR 4
#define EINPROGRESS 115

int ends_open(u64 pid_tid, const struct object *o, u64 fd_via, u64 path)
{
	struct rec_END_OPEN *rec;

	if (!o)
		return 0;
	rec = emit_begin(REC_END_OPEN, sizeof *rec, pid_tid >> 32, (u32)pid_tid);
	if (!rec)
		return 0;
	rec->kind = o->kind - 2;
	rec->dev = o->dev;
	rec->inode = o->inode;
	rec->inode2 = o->inode2;
	rec->file = o->file;
	rec->fd = (u32)fd_via;
	rec->mode = o->mode;
	rec->via = (fd_via >> 32) & 0xff;
	rec->cloexec = fd_via >> 63;
	__builtin_memset(rec->path, 0, sizeof rec->path);
	if (path) {
		long n = bpf_probe_read_user_str(rec->path, sizeof rec->path, (void *)path);

		if (n < 0)
			rec->head.flags |= REC_UNREAD;
		else if (n == sizeof rec->path)
			rec->head.flags |= REC_CUT;
	}
	emit_end(rec);
	return 0;
}

/* The address of a side of a TCP connection as struct sockaddr_in or sockaddr_in6 has it. Returns its bytes. */
static __always_inline u64 socket_address(char *to, const struct socket_place *p)
{
	*(u16 *)(to + 2) = (u16)(p->port >> 8 | p->port << 8);
	if (!p->addr[0] && !p->addr[1] && p->addr[2] == IPV4_MARK) {
		*(u16 *)to = AF_INET;
		*(u32 *)(to + 4) = p->addr[3];
		return 16;
	}
	*(u16 *)to = AF_INET6;
	*(u32 *)(to + 8) = p->addr[0];
	*(u32 *)(to + 12) = p->addr[1];
	*(u32 *)(to + 16) = p->addr[2];
	*(u32 *)(to + 20) = p->addr[3];
	return 28;
}

/* The name of a Unix socket, if it has one. Returns its bytes. */
static __always_inline u64 socket_name(char *to, struct unix_address *name)
{
	u64 len = name ? (u32)BPF_CORE_READ(name, len) : 0;

	asm volatile("" : "+r"(len)); /* for the verifier */
	if (!len || len > 110)
		return 0;
	/* Do not leak kernel memory beyond the name. */
	if (bpf_probe_read_kernel(
		    to, len, (void *)name + bpf_core_field_offset(struct unix_address, name)))
		return 0;
	return len;
}

int socket_emit(u64 file_address, u64 pid_tid)
{
	struct file *file = (struct file *)file_address;
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk), *peer;
	struct socket_place local = {}, remote = {};
	struct unix_address *name;
	struct rec_SOCKET *rec;

	rec = emit_begin(REC_SOCKET, sizeof *rec, pid_tid >> 32, (u32)pid_tid);
	if (!rec)
		return 0;
	rec->dev = dev_encode(BPF_CORE_READ(file, f_inode, i_sb, s_dev));
	rec->inode = BPF_CORE_READ(file, f_inode, i_ino);
	rec->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	rec->listener = 0;
	rec->local_len = 0;
	rec->remote_len = 0;
	__builtin_memset(rec->local, 0, sizeof rec->local);
	__builtin_memset(rec->remote, 0, sizeof rec->remote);
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX) {
		name = BPF_CORE_READ((struct unix_sock *)sk, addr);
		rec->local_len = socket_name(rec->local, name);
		peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
		if (peer)
			name = BPF_CORE_READ((struct unix_sock *)peer, addr);
		if (peer)
			rec->remote_len = socket_name(rec->remote, name);
		/* One structure, which the accepted sockets share with the one that listens. */
		rec->listener = (u64)name;
	} else if (socket_places((u64)sk, &local, &remote)) {
		rec->local_len = socket_address(rec->local, &local);
		if (remote.port)
			rec->remote_len = socket_address(rec->remote, &remote);
		rec->listener =
			BPF_CORE_READ_BITFIELD_PROBED((struct sock_common *)sk, skc_reuseport);
	}
	emit_end(rec);
	return 0;
}

/* A walk over the descriptors of a task: the words of the bitmap of open ones, bit by bit. */
struct ends_walk {
	unsigned long *open_fds;
	unsigned long *cloexec;
	struct file **table;
	u64 word;
	u64 cloexec_word;
	u32 words; /* in the bitmap */
	u32 next;  /* word to read next */
	struct ends_range range;
	struct object obj;
};

#define WALK_STEPS_OLD 2048
#define WALK_STEPS 66000

/* The bits below the lowest one, counted side by side: without branches, since the verifier goes each way of each. */
static __always_inline u32 lowest_bit(u64 w)
{
	w = ~w & (w - 1);
	w -= w >> 1 & 0x5555555555555555ull;
	w = (w & 0x3333333333333333ull) + (w >> 2 & 0x3333333333333333ull);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return w * 0x0101010101010101ull >> 56;
}

/* One step: the next open descriptor, or the next word of the bitmap. Returns 1 at the end. */
static __noinline long ends_step(u32 index, void *arg)
{
	struct ends_walk *walk = arg;
	struct file *file = NULL;
	u32 fd, type;
	bool cloexec;

	if (!walk->word) {
		if (walk->next >= walk->words)
			return 1;
		bpf_probe_read_kernel(&walk->word, 8, walk->open_fds + walk->next);
		bpf_probe_read_kernel(&walk->cloexec_word, 8, walk->cloexec + walk->next);
		walk->next++;
		return 0;
	}
	fd = lowest_bit(walk->word);
	cloexec = walk->cloexec_word >> (fd & 63) & 1;
	walk->word &= walk->word - 1;
	fd += (walk->next - 1) * 64;
	if (fd < walk->range.first || fd > walk->range.last)
		return 0;
	bpf_probe_read_kernel(&file, sizeof file, walk->table + fd);
	if (!file)
		return 0;
	type = file_type(file);
	if (type != S_IFIFO && type != S_IFSOCK)
		return 0;
	file_object((u64)file, &walk->obj);
	if (!object_is_pipe(&walk->obj) || !walk->obj.mode)
		return 0;
	if (walk->range.via == END_CLOSE_CALL) {
		struct rec_END_CLOSE *rec =
			emit_begin(REC_END_CLOSE, sizeof *rec, walk->range.pid, walk->range.tid);

		if (!rec)
			return 0;
		rec->inode = walk->obj.inode;
		rec->fd = fd;
		rec->via = END_CLOSE_CALL;
		emit_end(rec);
		return 0;
	}
	ends_open((u64)walk->range.pid << 32 | walk->range.tid, &walk->obj,
		FD_VIA(fd, walk->range.via, cloexec), 0);
	return 0;
}

WALK_STEP(ends_step, SCRATCH_ENDS)

int ends_walk(u64 fdt_address, const struct ends_range *range)
{
	struct fdtable *fdt = (struct fdtable *)fdt_address;
	WALK_STATE(struct ends_walk, walk, SCRATCH_ENDS);

	if (!fdt || !range || !walk)
		return 0;
	__builtin_memset(walk, 0, sizeof *walk);
	walk->open_fds = BPF_CORE_READ(fdt, open_fds);
	walk->cloexec = BPF_CORE_READ(fdt, close_on_exec);
	walk->table = BPF_CORE_READ(fdt, fd);
	walk->words = BPF_CORE_READ(fdt, max_fds) / 64;
	walk->next = range->first / 64;
	walk->word = zero;
	walk->range = *range;
	WALK(STEPS(WALK_STEPS, WALK_STEPS_OLD), ends_step, walk);
	return 0;
}

/* What close and dup2 are about to close is known only before they do it. */
HANDLER_ENTER(enter_ends)
{
	u32 fd;

	fd = REG_ARG0(regs);
	if (slot->call == CALL_DUP2) {
		u32 onto = REG_ARG1(regs);

		if (fd == onto)
			return 0;
		fd = onto;
	}
	slot->found = file_pipe_of_fd(task, fd, &slot->obj);
	return 0;
}

static __always_inline bool is_lock_command(u32 cmd)
{
	return cmd == F_SETLK || cmd == F_SETLKW || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

HANDLER_ENDS(exit_ends)
{
	u64 path = 0;
	u32 cmd, via;

	switch (slot->call) {
	case CALL_CLOSE:
		if (slot->found && (ret == 0 || ret == -EINTR))
			ends_close(slot, slot->obj.inode, REG_ARG0(regs), END_CLOSE_CALL);
		slot->found = 0;
		return 0;
	case CALL_PIPE:
		if (ret == 0)
			ends_pair(task, slot, REG_ARG0(regs));
		return 0;
	case CALL_SOCKETPAIR:
		if (ret == 0)
			ends_pair(task, slot, REG_ARG3(regs));
		return 0;
	case CALL_ACCEPT:
		if (ret >= 0)
			ends_socket(task, slot, ret, END_ACCEPT);
		return 0;
	case CALL_CONNECT:
		/* An interrupted one is restarted by the kernel. */
		if (ret == 0 || ret == -EINPROGRESS || ret == -EINTR || ret == -ERESTARTSYS)
			ends_socket(task, slot, REG_ARG0(regs), END_CONNECT);
		return 0;
	case CALL_LISTEN:
		if (ret == 0)
			ends_socket(task, slot, REG_ARG0(regs), END_LISTEN);
		return 0;
	case CALL_OPEN:
		path = REG_ARG0(regs);
		via = END_OPENED;
		break;
	case CALL_OPENAT:
		path = REG_ARG1(regs);
		via = END_OPENED;
		break;
	case CALL_PIDFD_GETFD:
		via = END_TAKEN;
		break;
	case CALL_DUP2:
		if (slot->found && ret >= 0)
			ends_close(slot, slot->obj.inode, REG_ARG1(regs), END_REPLACED);
		slot->found = 0;
		if (REG_ARG0(regs) == REG_ARG1(regs))
			return 0;
		via = END_DUP;
		break;
	case CALL_FCNTL:
		cmd = REG_ARG1(regs);
		if (cmd >= F_SETLK) {
			if (is_lock_command(cmd))
				GO_ON(ctx, slot, exit_file_lock);
			if (cmd != F_DUPFD_CLOEXEC)
				return 0;
		} else if (cmd != F_DUPFD) {
			return 0;
		}
		via = END_DUP;
		break;
	default:
		via = END_DUP;
		break;
	}
	if (ret >= 0)
		ends_new(task, slot, ret, via, path);
	return 0;
}

/* close_range: it can only fail before it has closed anything, for reasons that are looked at here. */
HANDLER_ENTER(enter_range)
{
	struct ends_range range = {};
	u32 first, last, flags;

	first = range.first = REG_ARG0(regs);
	last = range.last = REG_ARG1(regs);
	range.via = END_CLOSE_CALL;
	range.pid = slot->pid;
	range.tid = slot->tid;
	flags = REG_ARG2(regs);
	if (first > last || flags & ~3u || flags & CLOSE_RANGE_CLOEXEC)
		return 0;
	ends_walk((u64)BPF_CORE_READ(task, files, fdt), &range);
	return 0;
}

/* struct flock of the target. */
struct user_flock {
	s16 type;
	s16 whence;
	u32 pad;
	s64 start;
	s64 len;
};

/* The bytes that a struct flock means, from the start of the file. */
static __always_inline void flock_range(
	struct rec_FILE_LOCK *rec, const struct user_flock *user, struct file *file)
{
	s64 begin = user->start, len = user->len;

	if (user->whence == 1)
		begin += BPF_CORE_READ(file, f_pos);
	else if (user->whence == 2)
		begin += BPF_CORE_READ(file, f_inode, i_size);
	if (len < 0) {
		begin += len;
		len = -len;
	}
	rec->begin = begin;
	rec->len = len;
}

/* flock, and fcntl with a lock command. released: record it only if the call unlocks, else only if it does not. */
static __always_inline void file_lock_emit(
	struct task_struct *task, struct slot *slot, struct pt_regs *regs, long ret, bool released)
{
	struct file *file = file_of_fd(task, REG_ARG0(regs));
	struct user_flock user = {};
	struct rec_FILE_LOCK *rec;
	struct inode *inode;
	u32 op = REG_ARG1(regs), class;
	bool tries;

	if (!file)
		return;
	if (slot->call == CALL_FLOCK) {
		class = FLOCK_FLOCK;
		tries = op & 4; /* LOCK_NB */
		user.type = op & 1 ? 0 : op & 2 ? 1 : 2;
	} else {
		class = op == F_OFD_SETLK || op == F_OFD_SETLKW ? FLOCK_OFD : FLOCK_POSIX;
		tries = op == F_SETLK || op == F_OFD_SETLK;
		if (bpf_probe_read_user(&user, sizeof user, (void *)REG_ARG2(regs)))
			return;
	}
	if (released) {
		if (user.type != 2)
			return;
		slot->found = 1;
	}
	rec = EMIT_BEGIN(FILE_LOCK, slot);
	if (!rec)
		return;
	inode = BPF_CORE_READ(file, f_inode);
	rec->class = class;
	rec->mode = user.type == 0 ? LOCK_MODE_S : user.type == 1 ? LOCK_MODE_X : LOCK_MODE_NONE;
	rec->dev = dev_encode(BPF_CORE_READ(inode, i_sb, s_dev));
	rec->inode = BPF_CORE_READ(inode, i_ino);
	rec->file = (u64)file;
	rec->fd = (u32)REG_ARG0(regs);
	flock_range(rec, &user, file);
	rec->start = slot->enter_ts;
	rec->result = ret < 0 ? -ret : 0;
	rec->site = 0;
	rec->attempt = tries ? LOCK_TRY : LOCK_PLAIN;
	EMIT_END(rec);
}

/*
 * A release is recorded when it is about to be made: the one that gets the lock by it must not seem to have been
 * first. Where the structure cannot be read yet, it is recorded at the end of the call.
 */
HANDLER_ENTER(enter_file_lock)
{
	slot->found = 0;
	if (slot->call == CALL_FLOCK || is_lock_command(REG_ARG1(regs)))
		file_lock_emit(task, slot, regs, 0, true);
	return 0;
}

HANDLER_EXIT(exit_file_lock)
{
	if (slot->found || (ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK))
		return 0;
	file_lock_emit(task, slot, regs, ret, false);
	return 0;
}
