/* flocks.c - locks that belong to open file descriptions, shared and not. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: flocks FILE
 *
 * Two shared locks beside each other; one that a copy of the descriptor gives
 * back; one that a child gives back; one that a program does which a child
 * executes. Ends with 5.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void in_child(int fd, char *self)
{
	char number[16];
	pid_t pid = fork();

	if (pid == 0 && self) {
		(void)snprintf(number, sizeof number, "%d", fd);
		execl(self, self, "-", number, (char *)NULL);
	}
	if (pid == 0)
		_exit(flock(fd, LOCK_UN) < 0);
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
}

int main(int argc, char **argv)
{
	int one, two, copy;

	if (argc == 3)
		return flock(atoi(argv[2]), LOCK_UN) < 0;
	if (argc != 2)
		return 2;
	one = open(argv[1], O_RDWR | O_CREAT, 0600);
	two = open(argv[1], O_RDWR);
	check(one >= 0 && two >= 0, argv[1]);
	/* The second one takes nothing from the first. */
	check(flock(one, LOCK_SH) == 0 && flock(two, LOCK_SH) == 0, "flock");
	check(flock(two, LOCK_UN) == 0, "flock");
	usleep(2000);
	check(flock(one, LOCK_UN) == 0, "flock");
	copy = dup(one);
	for (int i = 0; i < 3; i++) {
		check(flock(one, LOCK_EX) == 0, "flock");
		if (i == 0)
			check(flock(copy, LOCK_UN) == 0, "flock");
		else
			in_child(one, i == 1 ? NULL : argv[0]);
		check(flock(two, LOCK_EX | LOCK_NB) == 0, "the lock is free");
		check(flock(two, LOCK_UN) == 0, "flock");
	}
	return 5;
}
