/* ipc.c - waits on System V semaphores and message queues, POSIX message queues, and for connections. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <time.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/wait.h"

REAL(semop)
REAL(semtimedop)
REAL(msgsnd)
REAL(msgrcv)
REAL(mq_send)
REAL(mq_timedsend)
REAL(mq_receive)
REAL(mq_timedreceive)
REAL(accept)
REAL(accept4)

/*
 * Who could end such a wait is not known: anybody who knows the key or the
 * name. So the wait is named, and nobody is accused of it.
 */

enum { OPS_MAX = 64 }; /* of one call, beyond which it is not asked first */

/* Says whether operations on semaphores would wait; those that do not are made by asking. */
static bool must_wait(int id, const struct sembuf *ops, size_t n, int *ret_rc)
{
	struct sembuf now[OPS_MAX];

	for (size_t i = 0; i < n; i++) {
		if (ops[i].sem_flg & IPC_NOWAIT)
			return false;
		now[i] = ops[i];
		now[i].sem_flg |= IPC_NOWAIT;
	}
	*ret_rc = real_semop()(id, now, n);
	return *ret_rc < 0 && errno == EAGAIN;
}

static void begin_ipc(struct rec_WAIT_BEGIN *r, long nr, int id, bool timed)
{
	wait_init(r, nr, WAIT_IPC);
	r->arg0 = (uint64_t)id;
	r->timed = timed;
}

WRAPPER(semtimedop) semtimedop;
int semtimedop(int id, struct sembuf *ops, size_t n, const struct timespec *timeout)
{
	struct rec_WAIT_BEGIN r;
	int rc = 1;

	if (!shim_everything() || !n || n > OPS_MAX)
		return real_semtimedop()(id, ops, n, timeout);
	if (!must_wait(id, ops, n, &rc))
		return rc == 1 ? real_semtimedop()(id, ops, n, timeout) : rc;
	begin_ipc(&r, SYS_semtimedop, id, timeout != NULL);
	WAIT_CALL(&r, rc, real_semtimedop()(id, ops, n, timeout));
	return rc;
}

WRAPPER(semop) semop;
int semop(int id, struct sembuf *ops, size_t n)
{
	if (!shim_everything())
		return real_semop()(id, ops, n);
	return semtimedop(id, ops, n, NULL);
}

WRAPPER(msgsnd) msgsnd;
int msgsnd(int id, const void *msg, size_t size, int flags)
{
	struct rec_WAIT_BEGIN r;
	int rc;

	if (!shim_everything() || flags & IPC_NOWAIT)
		return real_msgsnd()(id, msg, size, flags);
	rc = real_msgsnd()(id, msg, size, flags | IPC_NOWAIT);
	if (rc == 0 || errno != EAGAIN)
		return rc;
	begin_ipc(&r, SYS_msgsnd, id, false);
	WAIT_CALL(&r, rc, real_msgsnd()(id, msg, size, flags));
	return rc;
}

WRAPPER(msgrcv) msgrcv;
ssize_t msgrcv(int id, void *msg, size_t size, long type, int flags)
{
	struct rec_WAIT_BEGIN r;
	ssize_t rc;

	if (!shim_everything() || flags & IPC_NOWAIT)
		return real_msgrcv()(id, msg, size, type, flags);
	rc = real_msgrcv()(id, msg, size, type, flags | IPC_NOWAIT);
	if (rc >= 0 || errno != ENOMSG)
		return rc;
	begin_ipc(&r, SYS_msgrcv, id, false);
	WAIT_CALL(&r, rc, real_msgrcv()(id, msg, size, type, flags));
	return rc;
}

/* ---- Descriptors that can be polled ---- */

static bool blocks(int fd, short events)
{
	struct pollfd p = {fd, events, 0};
	struct timespec zero = {0, 0};

	return sys6(SYS_ppoll, SYS_ARG(&p), 1, SYS_ARG(&zero), 0, 8, 0) == 0 &&
	       !(sys3(SYS_fcntl, fd, F_GETFL, 0) & O_NONBLOCK);
}

/* Makes the call, as a wait if the descriptor is not ready. */
#define POLLED(rc, fd, events, nr, why, is_timed, call)                                            \
	do {                                                                                       \
		struct rec_WAIT_BEGIN r_;                                                          \
                                                                                                   \
		if (!shim_everything() || !blocks((fd), (events)))                                 \
			return (call);                                                             \
		wait_init(&r_, (nr), (why));                                                       \
		r_.arg0 = (uint64_t)(fd);                                                          \
		r_.timed = (is_timed);                                                             \
		WAIT_CALL(&r_, rc, call);                                                          \
	} while (0)

/* Those with a timeout may not be called without one. */
WRAPPER(mq_timedsend) mq_timedsend;
int mq_timedsend(mqd_t q, const char *msg, size_t n, unsigned prio, const struct timespec *timeout)
{
	int rc;

	POLLED(rc, q, POLLOUT, SYS_mq_timedsend, WAIT_IPC, true,
		real_mq_timedsend()(q, msg, n, prio, timeout));
	return rc;
}

WRAPPER(mq_send) mq_send;
int mq_send(mqd_t q, const char *msg, size_t n, unsigned prio)
{
	int rc;

	POLLED(rc, q, POLLOUT, SYS_mq_timedsend, WAIT_IPC, false, real_mq_send()(q, msg, n, prio));
	return rc;
}

WRAPPER(mq_timedreceive) mq_timedreceive;
ssize_t mq_timedreceive(mqd_t q, char *restrict msg, size_t n, unsigned *restrict prio,
	const struct timespec *restrict timeout)
{
	ssize_t rc;

	POLLED(rc, q, POLLIN, SYS_mq_timedreceive, WAIT_IPC, true,
		real_mq_timedreceive()(q, msg, n, prio, timeout));
	return rc;
}

WRAPPER(mq_receive) mq_receive;
ssize_t mq_receive(mqd_t q, char *msg, size_t n, unsigned *prio)
{
	ssize_t rc;

	POLLED(rc, q, POLLIN, SYS_mq_timedreceive, WAIT_IPC, false,
		real_mq_receive()(q, msg, n, prio));
	return rc;
}

WRAPPER(accept4) accept4;
int accept4(int fd, struct sockaddr *restrict addr, socklen_t *restrict len, int flags)
{
	int rc;

	POLLED(rc, fd, POLLIN, SYS_accept4, WAIT_SOCKET, false,
		real_accept4()(fd, addr, len, flags));
	return rc;
}

WRAPPER(accept) accept;
int accept(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
	int rc;

	POLLED(rc, fd, POLLIN, SYS_accept, WAIT_SOCKET, false, real_accept()(fd, addr, len));
	return rc;
}
