/* reason.c - why a thread is blocked: from its system call and the file it waits on. */
/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "tracer/model/pipe.h"
#include "tracer/model/wait.h"

#include <asm/unistd.h>

/* Families of system calls that block for the same kind of reason. */
enum family {
	FAMILY_OTHER,
	FAMILY_READ,
	FAMILY_WRITE,
	FAMILY_SPLICE,
	FAMILY_VMSPLICE,
	FAMILY_FUTEX,
	FAMILY_OPEN,
	FAMILY_CHILD,
	FAMILY_POLL,   /* number of descriptors in the second argument */
	FAMILY_SELECT, /* in the first */
	FAMILY_EPOLL,
	FAMILY_SLEEP,
	FAMILY_SIGNAL,
	FAMILY_FILE_LOCK,
	FAMILY_FCNTL,
	FAMILY_FORK,
	FAMILY_SOCKET,
	FAMILY_IPC,
	FAMILY_FILE
};

static const uint8_t families[] = {
	[__NR_read] = FAMILY_READ,
	[__NR_pread64] = FAMILY_READ,
	[__NR_readv] = FAMILY_READ,
	[__NR_preadv] = FAMILY_READ,
	[__NR_preadv2] = FAMILY_READ,
	[__NR_recvfrom] = FAMILY_READ,
	[__NR_recvmsg] = FAMILY_READ,
	[__NR_recvmmsg] = FAMILY_READ,
	[__NR_write] = FAMILY_WRITE,
	[__NR_pwrite64] = FAMILY_WRITE,
	[__NR_writev] = FAMILY_WRITE,
	[__NR_pwritev] = FAMILY_WRITE,
	[__NR_pwritev2] = FAMILY_WRITE,
	[__NR_sendto] = FAMILY_WRITE,
	[__NR_sendmsg] = FAMILY_WRITE,
	[__NR_sendmmsg] = FAMILY_WRITE,
	[__NR_sendfile] = FAMILY_WRITE,
	[__NR_splice] = FAMILY_SPLICE,
	[__NR_tee] = FAMILY_SPLICE,
	[__NR_vmsplice] = FAMILY_VMSPLICE,
	[__NR_futex] = FAMILY_FUTEX,
	[__NR_openat] = FAMILY_OPEN,
	[__NR_openat2] = FAMILY_OPEN,
	[__NR_wait4] = FAMILY_CHILD,
	[__NR_waitid] = FAMILY_CHILD,
	[__NR_ppoll] = FAMILY_POLL,
	[__NR_pselect6] = FAMILY_SELECT,
	[__NR_epoll_pwait] = FAMILY_EPOLL,
	[__NR_epoll_pwait2] = FAMILY_EPOLL,
	[__NR_nanosleep] = FAMILY_SLEEP,
	[__NR_clock_nanosleep] = FAMILY_SLEEP,
	[__NR_rt_sigsuspend] = FAMILY_SIGNAL,
	[__NR_rt_sigtimedwait] = FAMILY_SIGNAL,
	[__NR_flock] = FAMILY_FILE_LOCK,
	[__NR_fcntl] = FAMILY_FCNTL,
	[__NR_clone] = FAMILY_FORK,
	[__NR_clone3] = FAMILY_FORK,
	[__NR_accept] = FAMILY_SOCKET,
	[__NR_accept4] = FAMILY_SOCKET,
	[__NR_connect] = FAMILY_SOCKET,
	[__NR_semop] = FAMILY_IPC,
	[__NR_semtimedop] = FAMILY_IPC,
	[__NR_msgsnd] = FAMILY_IPC,
	[__NR_msgrcv] = FAMILY_IPC,
	[__NR_mq_timedsend] = FAMILY_IPC,
	[__NR_mq_timedreceive] = FAMILY_IPC,
	[__NR_fsync] = FAMILY_FILE,
	[__NR_fdatasync] = FAMILY_FILE,
	[__NR_sync] = FAMILY_FILE,
	[__NR_sync_file_range] = FAMILY_FILE,
	[__NR_getdents64] = FAMILY_FILE,
	[__NR_ftruncate] = FAMILY_FILE,
	[__NR_unlinkat] = FAMILY_FILE,
	[__NR_fallocate] = FAMILY_FILE,
	[__NR_newfstatat] = FAMILY_FILE,
#ifdef __x86_64__
	[__NR_open] = FAMILY_OPEN,
	[__NR_creat] = FAMILY_OPEN,
	[__NR_poll] = FAMILY_POLL,
	[__NR_select] = FAMILY_SELECT,
	[__NR_epoll_wait] = FAMILY_EPOLL,
	[__NR_pause] = FAMILY_SIGNAL,
	[__NR_fork] = FAMILY_FORK,
	[__NR_vfork] = FAMILY_FORK,
	[__NR_unlink] = FAMILY_FILE,
#endif
};

static enum family family_of(long nr)
{
	return nr >= 0 && (size_t)nr < ARRAY_SIZE(families) ? (enum family)families[nr]
							    : FAMILY_OTHER;
}

static int reason_of_file(uint64_t file_kind, bool writes)
{
	switch ((enum file_kind)file_kind) {
	case FILE_PIPE:
	case FILE_FIFO:
	case FILE_SOCKETPAIR:
		return writes ? WAIT_PIPE_WRITE : WAIT_PIPE_READ;
	case FILE_SOCKET:
		return WAIT_SOCKET;
	case FILE_TTY:
		return WAIT_TTY;
	case FILE_EVENTFD:
		return WAIT_EVENTFD;
	case FILE_TIMERFD:
		return WAIT_SLEEP;
	case FILE_SIGNALFD:
		return WAIT_SIGNAL;
	case FILE_EPOLL:
		return WAIT_POLL;
	case FILE_MQUEUE:
		return WAIT_IPC;
	case FILE_REG:
	case FILE_DIR:
	case FILE_CHR:
		return WAIT_FILE;
	case FILE_NONE:
	case FILE_PIDFD:
	case FILE_INOTIFY:
	case FILE_URING:
	case FILE_OTHER:
		break;
	}
	return WAIT_OTHER;
}

static bool is_pipe(uint64_t file_kind)
{
	return file_kind == FILE_PIPE || file_kind == FILE_FIFO || file_kind == FILE_SOCKETPAIR;
}

/* Between two pipes it cannot be told which one blocks: nobody is accused then. */
static int reason_of_splice(const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	bool to_pipe = rec->arg2 <= INT32_MAX && model_find_end(t->proc, rec->arg2);

	if (to_pipe && is_pipe(rec->file_kind))
		return WAIT_OTHER;
	return to_pipe ? WAIT_PIPE_WRITE : reason_of_file(rec->file_kind, false);
}

/* A wait on no descriptors at all is a sleep, or one for a signal. */
static int reason_of_set(uint64_t n, bool timed)
{
	if (n)
		return WAIT_POLL;
	return timed ? WAIT_SLEEP : WAIT_SIGNAL;
}

static int reason_of_vmsplice(const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	const struct end *e = rec->arg0 <= INT32_MAX ? model_find_end(t->proc, rec->arg0) : NULL;

	return reason_of_file(rec->file_kind, !e || (e->mode & END_WRITE));
}

int model_reason(const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	if (rec->reason > WAIT_NONE && rec->reason < WAIT_REASON_END)
		return (int)rec->reason;
	if ((rec->head.flags & REC_COMPAT) || (int64_t)rec->syscall < 0)
		return WAIT_OTHER;
	switch (family_of((long)rec->syscall)) {
	case FAMILY_READ:
		return reason_of_file(rec->file_kind, false);
	case FAMILY_WRITE:
		return reason_of_file(rec->file_kind, true);
	case FAMILY_SPLICE:
		return reason_of_splice(t, rec);
	case FAMILY_VMSPLICE:
		return reason_of_vmsplice(t, rec);
	case FAMILY_FUTEX:
		return WAIT_FUTEX;
	case FAMILY_OPEN:
		return rec->file_kind == FILE_FIFO ? WAIT_FIFO_OPEN : WAIT_FILE;
	case FAMILY_CHILD:
		return WAIT_CHILD;
	case FAMILY_POLL:
		return reason_of_set(rec->arg1, rec->timed);
	case FAMILY_SELECT:
		return reason_of_set(rec->arg0, rec->timed);
	case FAMILY_EPOLL:
		return WAIT_POLL;
	case FAMILY_SLEEP:
		return WAIT_SLEEP;
	case FAMILY_SIGNAL:
		return WAIT_SIGNAL;
	case FAMILY_FILE_LOCK:
		return WAIT_FILE_LOCK;
	case FAMILY_FORK:
		return WAIT_OTHER;
	case FAMILY_SOCKET:
		return WAIT_SOCKET;
	case FAMILY_IPC:
		return WAIT_IPC;
	case FAMILY_FILE:
	case FAMILY_FCNTL:
		return WAIT_FILE;
	case FAMILY_OTHER:
		break;
	}
	return WAIT_OTHER;
}
