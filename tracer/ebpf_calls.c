/* ebpf_calls.c - which system calls the eBPF programs look at. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf_calls.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "base/mem.h"

struct row {
	int nr;
	struct call_info info;
};

#define ENTER_EXIT(handler) handler, handler
#define ROW(name, call, enter, exit, flags) {SYS_##name, {call, enter, exit, flags}},
#define IO(name, call, handler) ROW(name, call, HANDLE_NONE, handler, CALL_TAKES_TIME)
#define AT_EXIT(name, call, handler) ROW(name, call, HANDLE_NONE, handler, 0)
#define AT_BOTH(name, call, handler) ROW(name, call, handler, handler, 0)
#define WAITS(name, call) ROW(name, call, HANDLE_NONE, HANDLE_NONE, 0)

static const struct row rows[] = {IO(read, CALL_READ, HANDLE_IO) IO(
	write, CALL_WRITE, HANDLE_IO) IO(readv, CALL_READV, HANDLE_IO) IO(writev, CALL_WRITEV,
	HANDLE_IO) IO(preadv2, CALL_READV, HANDLE_IO) IO(pwritev2, CALL_WRITEV,
	HANDLE_IO) IO(sendto, CALL_SEND, HANDLE_IO) IO(recvfrom, CALL_RECV, HANDLE_IO) IO(sendmsg,
	CALL_SENDMSG, HANDLE_MSG) IO(recvmsg, CALL_RECVMSG, HANDLE_MSG) IO(sendmmsg, CALL_SENDMMSG,
	HANDLE_MSG) IO(recvmmsg, CALL_RECVMMSG, HANDLE_MMSG) IO(splice, CALL_SPLICE,
	HANDLE_SPLICE) IO(tee, CALL_TEE, HANDLE_SPLICE) IO(vmsplice, CALL_VMSPLICE,
	HANDLE_SPLICE) IO(sendfile, CALL_SENDFILE, HANDLE_SPLICE) AT_EXIT(pipe2, CALL_PIPE,
	HANDLE_ENDS) AT_EXIT(socketpair, CALL_SOCKETPAIR, HANDLE_ENDS) AT_EXIT(openat, CALL_OPENAT,
	HANDLE_ENDS) AT_EXIT(openat2, CALL_OPENAT, HANDLE_ENDS) AT_EXIT(dup, CALL_DUP,
	HANDLE_ENDS) AT_BOTH(dup3, CALL_DUP2, HANDLE_ENDS) ROW(fcntl, CALL_FCNTL, HANDLE_NONE,
	HANDLE_ENDS, CALL_TAKES_TIME) AT_BOTH(close, CALL_CLOSE, HANDLE_ENDS)
#ifdef SYS_close_range
		ROW(close_range, CALL_CLOSE_RANGE, HANDLE_RANGE, HANDLE_NONE, 0)
#endif
#ifdef SYS_pidfd_getfd
			AT_EXIT(pidfd_getfd, CALL_PIDFD_GETFD, HANDLE_ENDS)
#endif
				AT_EXIT(execve, CALL_EXECVE, HANDLE_EXEC) AT_EXIT(execveat,
					CALL_EXECVEAT, HANDLE_EXEC) WAITS(clone, CALL_CLONE)
#ifdef SYS_clone3
					WAITS(clone3, CALL_CLONE3)
#endif
						AT_EXIT(wait4, CALL_WAIT4, HANDLE_WAITPID) AT_EXIT(
							waitid, CALL_WAITID,
							HANDLE_WAITPID) AT_EXIT(rt_sigaction,
							CALL_SIGACTION,
							HANDLE_TIMER) AT_EXIT(setitimer,
							CALL_SETITIMER,
							HANDLE_TIMER) AT_EXIT(timer_create,
							CALL_TIMER_CREATE,
							HANDLE_TIMER) AT_EXIT(timer_settime,
							CALL_TIMER_SETTIME,
							HANDLE_TIMER) AT_EXIT(timer_delete,
							CALL_TIMER_DELETE,
							HANDLE_TIMER) AT_EXIT(timerfd_settime,
							CALL_TIMERFD_SETTIME,
							HANDLE_TIMER) AT_EXIT(mmap, CALL_MMAP,
							HANDLE_MMAP) ROW(flock, CALL_FLOCK,
							HANDLE_NONE, HANDLE_ENDS,
							CALL_TAKES_TIME) WAITS(futex, CALL_FUTEX)
#ifdef SYS_futex_waitv
							WAITS(futex_waitv, CALL_FUTEX_WAITV)
#endif
								WAITS(ppoll, CALL_PPOLL) WAITS(
									pselect6,
									CALL_PSELECT) WAITS(epoll_pwait,
									CALL_EPOLL_WAIT)
#ifdef SYS_epoll_pwait2
									WAITS(epoll_pwait2,
										CALL_EPOLL_PWAIT2)
#endif
										WAITS(nanosleep, CALL_SLEEP) WAITS(
											clock_nanosleep,
											CALL_SLEEP) WAITS(rt_sigtimedwait,
											CALL_SIGTIMEDWAIT) WAITS(accept,
											CALL_FD_WAIT) WAITS(accept4,
											CALL_FD_WAIT) WAITS(connect,
											CALL_FD_WAIT) WAITS(ioctl,
											CALL_FD_WAIT) WAITS(fsync,
											CALL_FD_WAIT) WAITS(fdatasync,
											CALL_FD_WAIT) WAITS(pread64,
											CALL_FD_WAIT) WAITS(pwrite64,
											CALL_FD_WAIT) WAITS(preadv,
											CALL_FD_WAIT) WAITS(pwritev,
											CALL_FD_WAIT) WAITS(getdents64,
											CALL_FD_WAIT) WAITS(shutdown,
											CALL_FD_WAIT) WAITS(semtimedop,
											CALL_TIMED_BY3) WAITS(mq_timedsend,
											CALL_TIMED_BY4) WAITS(mq_timedreceive,
											CALL_TIMED_BY4) WAITS(io_getevents,
											CALL_TIMED_BY4) WAITS(restart_syscall,
											CALL_RESTART) WAITS(exit,
											CALL_EXIT) WAITS(exit_group,
											CALL_EXIT)
#ifdef SYS_pipe
											AT_EXIT(pipe,
												CALL_PIPE,
												HANDLE_ENDS) AT_EXIT(open,
												CALL_OPEN,
												HANDLE_ENDS) AT_EXIT(creat,
												CALL_OPEN,
												HANDLE_ENDS) AT_BOTH(dup2,
												CALL_DUP2,
												HANDLE_ENDS) WAITS(fork,
												CALL_FORK) WAITS(vfork,
												CALL_VFORK) AT_EXIT(alarm,
												CALL_ALARM,
												HANDLE_TIMER) WAITS(poll,
												CALL_POLL) WAITS(select,
												CALL_SELECT) WAITS(epoll_wait,
												CALL_EPOLL_WAIT)
												WAITS(getdents,
													CALL_FD_WAIT)
#endif
};

void ebpf_calls_fill(struct call_info *calls)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].nr < CALLS_MAX)
			calls[rows[i].nr] = rows[i].info;
}

void ebpf_calls_fill_compat(uint16_t *numbers)
{
	memset(numbers, 0, CALLS_MAX * sizeof *numbers);
}
