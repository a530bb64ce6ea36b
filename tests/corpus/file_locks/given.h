/* given.h - a file lock that is held through a descriptor which another process got in a message. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_FILE_LOCKS_GIVEN_H
#define TESTS_CORPUS_FILE_LOCKS_GIVEN_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a message with one descriptor needs. */
union given_control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static inline int give(int socket, int fd)
{
	union given_control control = {.head = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec data = {"x", 1};
	struct msghdr m = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};

	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	return sendmsg(socket, &m, 0) == 1;
}

/* Returns a negative number if none came. */
static inline int take_given(int socket)
{
	union given_control control = {.room = {0}};
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr m = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	int fd;

	if (recvmsg(socket, &m, 0) != 1 || !m.msg_controllen)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.head), sizeof fd);
	return fd;
}

/*
 * Takes a file's lock, lets other(socket) run in a process that was there before, sends it the descriptor, keeps that or not,
 * and takes the lock by another one.
 */
static inline int lock_what_was_given(void (*other)(int socket), int keep)
{
	char path[] = "/tmp/pptrace-corpus-XXXXXX";
	int ends[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 1;
	if (fork() == 0) {
		close(ends[0]);
		other(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	fd = mkstemp(path);
	if (fd < 0 || flock(fd, LOCK_EX) || !give(ends[0], fd))
		return 1;
	if (!keep)
		close(fd);
	fd = open(path, O_RDWR);
	unlink(path);
	return flock(fd, LOCK_EX) || write(ends[0], "e", 1) < 0;
}

#endif
