/* raw_calls.c - calls that a library in front of the C library meets under other names. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: raw_calls MODE
 *
 * "traffic", "errors" and "queues" print "done" and end with 0. The others
 * wait: for a word that nobody changes, for a child's pidfd, for an eventfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/cases.h"

/* Each number is bytes through a pipe or a socketpair: 5 + 6 + 7 + 3 * 2. */
static void traffic(void)
{
	struct iovec iov = {(void *)"seven..", 7};
	struct mmsghdr out[3], in[3];
	struct iovec pieces[6];
	int p[2], s[2], fd;
	char buf[64], bufs[3][2];
	pid_t pid;

	need(syscall(SYS_pipe2, p, 0) == 0, "pipe2");
	need(syscall(SYS_write, p[1], "five.", 5) == 5, "write");
	need(syscall(SYS_read, p[0], buf, sizeof buf) == 5, "read");
	fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY);
	need(syscall(SYS_sendfile, p[1], fd, NULL, (size_t)6) == 6, "sendfile");
	need(syscall(SYS_vmsplice, p[1], &iov, (size_t)1, 0) == 7, "vmsplice");
	need(read(p[0], buf, sizeof buf) == 13, "read");
	need(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0, "socketpair");
	memset(out, 0, sizeof out);
	memset(in, 0, sizeof in);
	for (int i = 0; i < 3; i++) {
		pieces[i] = (struct iovec){(void *)"ab", 2};
		pieces[3 + i] = (struct iovec){bufs[i], 2};
		out[i].msg_hdr.msg_iov = &pieces[i];
		out[i].msg_hdr.msg_iovlen = 1;
		in[i].msg_hdr.msg_iov = &pieces[3 + i];
		in[i].msg_hdr.msg_iovlen = 1;
	}
	need(sendmmsg(s[0], out, 3, 0) == 3, "sendmmsg");
	need(recvmmsg(s[1], in, 3, 0, NULL) == 3, "recvmmsg");
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		syscall(SYS_exit_group, 3);
	need(syscall(SYS_wait4, pid, &fd, 0, NULL) == pid && WEXITSTATUS(fd) == 3, "wait4");
}

/* Calls fail as they do without the library, and those that succeed leave errno alone. */
static void errors(void)
{
	uint32_t word = 1;

	errno = 77;
	need(syscall(SYS_getpid) == getpid() && errno == 77, "errno kept");
	need(syscall(SYS_read, -1, &word, (size_t)4) == -1 && errno == EBADF, "EBADF");
	need(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL) == -1 && errno == EAGAIN,
		"EAGAIN");
	need(syscall(SYS_futex, NULL, FUTEX_WAIT_PRIVATE, 0, NULL) == -1 && errno == EFAULT,
		"EFAULT");
	need(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT_PRIVATE, 1, NULL) == -1 &&
			errno == EINVAL,
		"EINVAL");
	need(syscall(-5L, 1, 2, 3) == -1 && errno == ENOSYS, "ENOSYS");
	need(syscall(SYS_kill, getpid(), 0) == 0, "kill");
}

static bool is_asleep(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	need(f && fgets(line, sizeof line, f), path);
	fclose(f);
	return strstr(line, ") S ") != NULL;
}

/* A child blocks on a semaphore and then on a queue until its parent goes on. */
static void queues(void)
{
	struct {
		long type;
		char text[8];
	} m = {1, "text"};
	int sem = semget(IPC_PRIVATE, 1, 0600), queue = msgget(IPC_PRIVATE, 0600), go[2];
	struct sembuf take = {0, -1, 0}, give = {0, 1, 0};
	pid_t pid;
	char c;

	need(sem >= 0 && queue >= 0 && pipe(go) == 0, "semget");
	pid = fork();
	if (pid == 0) {
		need(semop(sem, &take, 1) == 0, "semop");
		need(write(go[1], "x", 1) == 1, "write");
		need(msgrcv(queue, &m, sizeof m.text, 1, 0) == sizeof m.text, "msgrcv");
		_exit(0);
	}
	while (semctl(sem, 0, GETNCNT) == 0)
		sched_yield();
	need(semop(sem, &give, 1) == 0, "semop");
	need(read(go[0], &c, 1) == 1, "read");
	while (!is_asleep(pid))
		sched_yield();
	need(msgsnd(queue, &m, sizeof m.text, 0) == 0, "msgsnd");
	need(waitpid(pid, NULL, 0) == pid, "waitpid");
	semctl(sem, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
}

/* Two processes, each of which waits for a word that the other never changes. */
static void futex_shared(void)
{
	uint32_t *words =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool is_child = fork() == 0;

	for (;;)
		syscall(SYS_futex, &words[is_child], FUTEX_WAIT, 0, NULL);
}

/* Returns a descriptor of a child that reads from a pipe of the parent's. */
static int reading_child(void)
{
	int fds[2];
	pid_t pid;
	char c;

	need(pipe(fds) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) < 0);
	}
	close(fds[0]);
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void pidfd(void)
{
	struct pollfd p = {.fd = reading_child(), .events = POLLIN};
	siginfo_t info;

	need(poll(&p, 1, -1) == 1, "poll");
	waitid(P_PIDFD, (id_t)p.fd, &info, WEXITED);
}

static void pidfd_wait(void)
{
	siginfo_t info;

	waitid(P_PIDFD, (id_t)reading_child(), &info, WEXITED);
}

static void event(void)
{
	uint64_t n;
	int fd = eventfd(0, 0);

	need(read(fd, &n, sizeof n) == sizeof n, "read");
}

static const struct named_case cases[] = {
	{"traffic", traffic},
	{"errors", errors},
	{"queues", queues},
	{"futex-shared", futex_shared},
	{"pidfd", pidfd},
	{"pidfd-wait", pidfd_wait},
	{"event", event},
};

int main(int argc, char **argv)
{
	int rc = CASES_RUN(cases, argc, argv);

	if (rc == 0)
		puts("done");
	return rc;
}
