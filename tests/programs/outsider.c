/* outsider.c - threads that wait for somebody of whom it could not be expected, one case for each name. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/programs/cases.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int work[2], told[2];
static char byte;

static void rest(long ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

static void pipes(void)
{
	need(pipe(work) == 0 && pipe(told) == 0, "pipe");
}

/* Opens the parent's write end again; it has closed its own. */
static int open_again(pid_t of)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)of, work[1]);
	fd = open(path, O_WRONLY);
	need(fd >= 0, path);
	return fd;
}

/* Forks; the child returns true and has no end of the pipe. */
static bool is_child(void)
{
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (pid == 0) {
		close(work[0]);
		close(work[1]);
	}
	return pid == 0;
}

static void read_one(int fd)
{
	need(read(fd, &byte, 1) == 1, "read");
}

static void write_one(int fd)
{
	need(write(fd, "x", 1) == 1, "write");
}

/* The only other writer holds an end that it opened through /proc. */
static void opened_again(void)
{
	pid_t me = getpid();

	pipes();
	if (is_child()) {
		int fd = open_again(me);

		write_one(told[1]);
		rest(700);
		write_one(fd);
		_exit(0);
	}
	read_one(told[0]);
	read_one(work[0]);
	wait(NULL);
}

/* Nobody else holds an end, but one process is going to open one. */
static void opens_later(void)
{
	pid_t me = getpid();

	pipes();
	if (is_child()) {
		rest(30000);
		write_one(open_again(me));
		_exit(0);
	}
	read_one(work[0]);
	wait(NULL);
}

/* The other write end is in a message that has not been received. */
static void end_under_way(void)
{
	char room[CMSG_SPACE(sizeof(int))] = {0}, data = 'x';
	struct iovec io = {&data, 1};
	struct msghdr m = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof room};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int s[2], fd;

	pipes();
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "socketpair");
	if (is_child()) {
		close(s[0]);
		rest(700);
		need(recvmsg(s[1], &m, 0) == 1, "recvmsg");
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
		write_one(fd);
		_exit(0);
	}
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &work[1], sizeof(int));
	need(sendmsg(s[0], &m, 0) == 1, "sendmsg");
	read_one(work[0]);
	wait(NULL);
}

/* The lock was taken here, but a child shares the open file description and releases it. */
static void flock_of_child(void)
{
	int mine = open("lock", O_RDWR | O_CREAT, 0600), other = open("lock", O_RDWR);

	need(mine >= 0 && other >= 0 && flock(mine, LOCK_EX) == 0, "lock");
	if (fork() == 0) {
		rest(700);
		need(flock(mine, LOCK_UN) == 0, "unlock");
		_exit(0);
	}
	need(flock(other, LOCK_EX) == 0, "flock");
	wait(NULL);
}

static void *unlock_after(void *ms)
{
	rest(*(const long *)ms);
	pthread_mutex_unlock(&lock);
	return ms;
}

/* A mutex that one thread locks and another unlocks, as a signal: wrong, but glibc allows it. */
static void mutex_as_signal(void)
{
	static long ms[] = {50, 30000};

	pthread_mutex_lock(&lock);
	for (int i = 0; i < 2; i++) {
		pthread_t thread;

		need(pthread_create(&thread, NULL, unlock_after, &ms[i]) == 0, "thread");
		pthread_mutex_lock(&lock);
		pthread_join(thread, NULL);
	}
}

static const struct named_case cases[] = {
	{"opened-again", opened_again},
	{"opens-later", opens_later},
	{"end-under-way", end_under_way},
	{"flock-of-child", flock_of_child},
	{"mutex-as-signal", mutex_as_signal},
};

int main(int argc, char **argv)
{
	return CASES_RUN(cases, argc, argv);
}
