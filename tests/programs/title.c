/* title.c - a server and its workers, which write over their arguments what they do. */
/* SPDX-License-Identifier: MIT */
/* usage: title WORD...: the words are the room for the titles */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *room;
static size_t size;

static void set_title(const char *title)
{
	memset(room, 0, size);
	(void)snprintf(room, size, "%s", title);
}

/* Waits for a byte: what it does then is seen. */
static void rest(int fd)
{
	char c;

	(void)!read(fd, &c, 1);
}

static void work(int n, int fd)
{
	char title[64];

	(void)snprintf(title, sizeof title, "title: worker %d idle", n);
	set_title(title);
	rest(fd);
	(void)snprintf(title, sizeof title, "title: worker %d UPDATE waiting", n);
	set_title(title);
	usleep(600000);
	(void)snprintf(title, sizeof title, "title: worker %d gone", n);
	set_title(title);
	_exit(0);
}

int main(int argc, char **argv)
{
	char *own = strdup(argv[0]);
	int pipes[2][2];

	room = argv[0];
	size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - room);
	for (int i = 0; i < 2; i++)
		if (pipe(pipes[i]))
			return 1;
	set_title("title: master process");
	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			work(i + 1, pipes[i][0]);
	usleep(600000);
	for (int i = 0; i < 2; i++)
		(void)!write(pipes[i][1], "x", 1);
	while (wait(NULL) > 0)
		continue;
	/* What takes its arguments back is called as before. */
	set_title(own);
	usleep(10000);
	free(own);
	return 0;
}
