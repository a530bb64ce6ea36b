/* reason.c - why a thread is blocked: from its system call and the file it waits on. */
/* SPDX-License-Identifier: MIT */
#include "tracer/model/private.h"

#include "base/mem.h"
#include "schema/calls.h"

#include <asm/unistd.h>

static int reason_of_file(uint64_t file_kind, bool writes)
{
	switch ((enum file_kind)file_kind) {
	case FILE_PIPE:
	case FILE_FIFO:
	case FILE_SOCKETPAIR:
	case FILE_UNIX:
	case FILE_TCP:
	case FILE_PTY:
		return writes ? WAIT_PIPE_WRITE : WAIT_PIPE_READ;
	case FILE_SOCKET:
	case FILE_LISTEN:
		return WAIT_SOCKET;
	case FILE_TTY:
		return WAIT_TTY;
	case FILE_EVENTFD:
		return WAIT_EVENTFD;
	case FILE_TIMERFD:
		return WAIT_TIMERFD;
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
	case FILE_INOTIFY:
		return writes ? WAIT_OTHER : WAIT_WATCH;
	case FILE_NONE:
	case FILE_PIDFD:
	case FILE_URING:
	case FILE_OTHER:
		break;
	}
	return WAIT_OTHER;
}

const struct pipe_end *model_spliced_to(const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	uint64_t fd = rec->syscall == __NR_splice ? rec->arg2 : rec->arg1;

	return fd <= INT32_MAX ? model_find_pipe_end(t->proc, fd) : NULL;
}

/* Between two pipes it is not known which one blocks: bytes in the one or room in the other, a set of both. */
static int reason_of_splice(const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	bool to_pipe = model_spliced_to(t, rec) != NULL;
	bool from_pipe = rec->arg0 <= INT32_MAX && model_find_pipe_end(t->proc, rec->arg0);

	if (to_pipe && from_pipe)
		return WAIT_POLL;
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
	const struct pipe_end *e =
		rec->arg0 <= INT32_MAX ? model_find_pipe_end(t->proc, rec->arg0) : NULL;

	return reason_of_file(rec->file_kind, !e || (e->mode & END_WRITE));
}

int model_reason(const struct thread *t, const struct rec_WAIT_BEGIN *rec)
{
	if (rec->reason > WAIT_NONE && rec->reason < WAIT_REASON_END)
		return (int)rec->reason;
	if ((rec->head.flags & REC_COMPAT) || (int64_t)rec->syscall < 0)
		return WAIT_OTHER;
	switch (call_waits((int64_t)rec->syscall)->family) {
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
	case FAMILY_URING:
		return WAIT_URING;
	case FAMILY_FILE:
	case FAMILY_FCNTL:
		return WAIT_FILE;
	case FAMILY_OTHER:
		break;
	}
	return WAIT_OTHER;
}
