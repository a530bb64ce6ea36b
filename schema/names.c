/* names.c - words for the numbers that records carry. */
/* SPDX-License-Identifier: MIT */
#include "schema/names.h"

#include "base/mem.h"
#include "schema/compat.h"
#include "schema/record.h"
#include "schema/record_dump.h"
#include "schema/waits.h"

#include <asm/unistd.h>
#include <libiberty/libiberty.h>
#include <linux/netlink.h>
#include <signal.h>

/* Returns the word at a place of a table, or NULL beyond it. */
#define WORD(table, i) ((i) >= 0 && (size_t)(i) < ARRAY_SIZE(table) ? (table)[(size_t)(i)] : NULL)

static const char *const syscall_names[] = {
#define SYSCALL(name) [__NR_##name] = #name,
#include "schema/syscalls.def"
#undef SYSCALL
};

/* Returns "TERM", or NULL for a number that is no signal with a name of its own. */
static const char *abbreviation(int signo)
{
#if defined __GLIBC__ && !__GLIBC_PREREQ(2, 32)
	const char *name = strsigno(signo);

	return name && !strncmp(name, "SIG", 3) ? name + 3 : NULL;
#else
	return sigabbrev_np(signo);
#endif
}

const char *names_signal(int signo, char buf[NAME_MAX_LEN])
{
	const char *abbrev = signo > 0 ? abbreviation(signo) : NULL;
	int min = SIGRTMIN, max = SIGRTMAX;

	if (abbrev)
		(void)snprintf(buf, NAME_MAX_LEN, "SIG%s", abbrev);
	else if (signo == min || signo == max)
		(void)snprintf(buf, NAME_MAX_LEN, signo == min ? "SIGRTMIN" : "SIGRTMAX");
	else if (signo > min && signo < max)
		(void)snprintf(buf, NAME_MAX_LEN, "SIGRTMIN+%d", signo - min);
	else
		(void)snprintf(buf, NAME_MAX_LEN, "SIG%d", signo);
	return buf;
}

int64_t names_own_id(int64_t id)
{
	return id & (((int64_t)1 << HOST_SHIFT) - 1);
}

const char *names_syscall(long nr)
{
	return WORD(syscall_names, nr);
}

const char *names_wait_reason(int reason)
{
	return reason >= 0 && reason < WAIT_REASON_END ? wait_info((unsigned)reason)->name : NULL;
}

const char *names_mpi_op(uint64_t op)
{
	static const char *const words[MPI_OP_END] = {
#define MPI_OP(NAME, number, name) [number] = name,
#include "schema/mpi.def"
	};

	return op < MPI_OP_END ? words[op] : NULL;
}

const char *names_mpi_role(uint64_t role)
{
	static const char *const words[MPI_ROLE_END] = {
#define MPI_ROLE(NAME, number, name) [number] = name,
#include "schema/mpi.def"
	};

	return role < MPI_ROLE_END ? words[role] : NULL;
}

const char *names_lock_type(unsigned type)
{
	static const char *const words[4][5] = {
		{NULL, "normal", "recursive", "errorcheck", "adaptive"},
		{"normal+robust", "normal+robust", "recursive+robust", "errorcheck+robust",
			"adaptive+robust"},
		{"normal+pi", "normal+pi", "recursive+pi", "errorcheck+pi", "adaptive+pi"},
		{"normal+robust+pi", "normal+robust+pi", "recursive+robust+pi",
			"errorcheck+robust+pi", "adaptive+robust+pi"},
	};

	unsigned base = type & LOCK_TYPE_BASE;

	return type < LOCK_TYPE_END && base < ARRAY_SIZE(words[0]) ? words[type >> 4][base] : NULL;
}

const char *names_file_lock(int class)
{
	static const char *const words[] = {
		[FLOCK_FLOCK] = "flock", [FLOCK_POSIX] = "posix", [FLOCK_OFD] = "ofd"};

	return WORD(words, class);
}

const char *names_lock_mode(int mode)
{
	static const char *const words[] = {
		[LOCK_MODE_X] = "x", [LOCK_MODE_S] = "s", [LOCK_MODE_U] = "u"};

	return WORD(words, mode);
}

const char *names_lock_source(int source)
{
	static const char *const words[] = {[LOCKS_OFF] = "off",
		[LOCKS_FUTEX] = "futex",
		[LOCKS_UPROBE] = "uprobe",
		[LOCKS_SHIM] = "shim"};

	return WORD(words, source);
}

const char *names_pipe_kind(int kind)
{
	static const char *const words[] = {
		[PIPE_PIPE] = "pipe",
		[PIPE_FIFO] = "fifo",
		[PIPE_SOCKETPAIR] = "socketpair",
		[PIPE_UNIX] = "unix",
		[PIPE_TCP] = "tcp",
		[PIPE_LISTEN] = "listen",
		[PIPE_PTY] = "pty",
	};

	return WORD(words, kind);
}

bool names_pipe_is_two_sided(const char *kind)
{
	for (int i = PIPE_PIPE; names_pipe_kind(i); i++)
		if (pipe_is_two_sided(i) && !strcmp(kind, names_pipe_kind(i)))
			return true;
	return false;
}

const char *names_end_mode(unsigned mode)
{
	static const char *const words[] = {NULL, "r", "w", "rw"};

	return words[mode & (END_READ | END_WRITE)];
}

const char *names_end_via(int via)
{
	static const char *const words[] = {
		[END_CREATE] = "create",
		[END_OPENED] = "opened",
		[END_DUP] = "dup",
		[END_INHERIT] = "inherit",
		[END_EXEC] = "exec",
		[END_SCM] = "scm",
		[END_FOUND] = "found",
		[END_CLOSE_CALL] = "close",
		[END_REPLACED] = "replaced",
		[END_EXIT] = "exit",
		[END_CONNECT] = "connect",
		[END_ACCEPT] = "accept",
		[END_LISTEN] = "listen",
		[END_TAKEN] = "taken",
	};

	return WORD(words, via);
}

const char *names_io_call(int op)
{
	static const char *const words[] = {
		[IO_READ] = "read",
		[IO_WRITE] = "write",
		[IO_READV] = "readv",
		[IO_WRITEV] = "writev",
		[IO_SPLICE_IN] = "splice",
		[IO_SPLICE_OUT] = "splice",
		[IO_TEE_IN] = "tee",
		[IO_TEE_OUT] = "tee",
		[IO_VMSPLICE] = "vmsplice",
		[IO_SENDFILE] = "sendfile",
		[IO_SEND] = "send",
		[IO_RECV] = "recv",
	};

	return WORD(words, op);
}

const char *names_netlink(int protocol)
{
	static const char *const words[] = {
		[NETLINK_ROUTE] = "route",
		[NETLINK_USERSOCK] = "usersock",
		[NETLINK_SOCK_DIAG] = "sock_diag",
		[NETLINK_XFRM] = "xfrm",
		[NETLINK_SELINUX] = "selinux",
		[NETLINK_AUDIT] = "audit",
		[NETLINK_CONNECTOR] = "connector",
		[NETLINK_NETFILTER] = "netfilter",
		[NETLINK_KOBJECT_UEVENT] = "kobject_uevent",
		[NETLINK_GENERIC] = "generic",
		[NETLINK_RDMA] = "rdma",
		[NETLINK_CRYPTO] = "crypto",
	};

	return WORD(words, protocol);
}

const char *names_file_kind(int kind)
{
	static const char *const words[] = {
		[FILE_REG] = "file",
		[FILE_DIR] = "file",
		[FILE_PIPE] = "pipe",
		[FILE_FIFO] = "pipe",
		[FILE_SOCKETPAIR] = "pipe",
		[FILE_UNIX] = "pipe",
		[FILE_TCP] = "pipe",
		[FILE_LISTEN] = "socket",
		[FILE_PTY] = "pipe",
		[FILE_SOCKET] = "socket",
		[FILE_TTY] = "tty",
		[FILE_CHR] = "file",
		[FILE_EVENTFD] = "eventfd",
		[FILE_EPOLL] = "epoll",
		[FILE_TIMERFD] = "timerfd",
		[FILE_SIGNALFD] = "signalfd",
		[FILE_PIDFD] = "process",
		[FILE_INOTIFY] = "inotify",
		[FILE_MQUEUE] = "mqueue",
		[FILE_URING] = "other",
		[FILE_OTHER] = "other",
	};
	const char *word = WORD(words, kind);

	return word ? word : "other";
}

const char *names_timer(int which)
{
	static const char *const words[] = {
		[TIMER_REAL] = "real",
		[TIMER_VIRTUAL] = "virtual",
		[TIMER_PROF] = "prof",
		[TIMER_POSIX] = "posix",
		[TIMER_FD] = "timerfd",
	};

	return WORD(words, which);
}

const char *names_stdio_when(int when)
{
	static const char *const words[] = {
		[STDIO_FORK] = "fork", [STDIO_EXIT] = "exit", [STDIO_STUCK] = "stuck"};

	return WORD(words, when);
}

const char *names_record(unsigned kind)
{
	if (!kind)
		return "any";
	return record_size(kind) ? record_name(kind) : NULL;
}
