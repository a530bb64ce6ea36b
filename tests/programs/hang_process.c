/* hang_process.c - processes that get stuck, one way for each name. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/programs/cases.h"

/* What two processes share. */
struct shared {
	pthread_mutex_t a, b;
	pthread_barrier_t meet;
};

static struct shared *shared;
static char path_a[256], path_b[256];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void share(void)
{
	pthread_mutexattr_t mutex;
	pthread_barrierattr_t barrier;

	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap");
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->a, &mutex);
	pthread_mutex_init(&shared->b, &mutex);
	pthread_barrierattr_init(&barrier);
	pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->meet, &barrier, 2);
}

/* Runs f in a child; returns its pid. */
static pid_t in_child(void (*f)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		f();
		_exit(0);
	}
	return pid;
}

static void shared_ab(void)
{
	pthread_mutex_lock(&shared->a);
	pthread_barrier_wait(&shared->meet);
	pthread_mutex_lock(&shared->b);
}

static void shared_ba(void)
{
	pthread_mutex_lock(&shared->b);
	pthread_barrier_wait(&shared->meet);
	pthread_mutex_lock(&shared->a);
}

static void shared_mutexes(void)
{
	pid_t pid;

	share();
	pid = in_child(shared_ab);
	in_child(shared_ba);
	waitpid(pid, NULL, 0);
}

static void lock_and_die(void)
{
	pthread_mutex_lock(&shared->a);
}

static void shared_owner_dead(void)
{
	share();
	waitpid(in_child(lock_and_die), NULL, 0);
	pthread_mutex_lock(&shared->a);
}

/* ---- File locks ---- */

static void make_files(void)
{
	const char *dir = getenv("TMP");

	snprintf(path_a, sizeof path_a, "%s/a.%d", dir ? dir : "/tmp", (int)getpid());
	snprintf(path_b, sizeof path_b, "%s/b.%d", dir ? dir : "/tmp", (int)getpid());
	close(open(path_a, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	close(open(path_b, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
}

enum how { HOW_FLOCK, HOW_OFD, HOW_POSIX };
static enum how how;

static void lock_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int rc;

	if (fd < 0)
		fail(path);
	rc = how == HOW_FLOCK ? flock(fd, LOCK_EX)
			      : fcntl(fd, how == HOW_OFD ? F_OFD_SETLKW : F_SETLKW, &whole);
	if (rc < 0)
		printf("%s\n", errno == EDEADLK ? "EDEADLK" : strerror(errno));
	fflush(stdout);
}

static void files_ab(void)
{
	lock_file(path_a);
	pthread_barrier_wait(&shared->meet);
	lock_file(path_b);
}

static void files_ba(void)
{
	lock_file(path_b);
	pthread_barrier_wait(&shared->meet);
	lock_file(path_a);
}

static void file_locks(void)
{
	share();
	make_files();
	in_child(files_ab);
	in_child(files_ba);
	while (wait(NULL) > 0)
		continue;
	unlink(path_a);
	unlink(path_b);
}

static void flock_crossed(void)
{
	how = HOW_FLOCK;
	file_locks();
}

static void ofd_crossed(void)
{
	how = HOW_OFD;
	file_locks();
}

static void posix_crossed(void)
{
	how = HOW_POSIX;
	file_locks();
}

/* ---- FIFOs ---- */

static void make_fifos(void)
{
	const char *dir = getenv("TMP");

	snprintf(path_a, sizeof path_a, "%s/fa.%d", dir ? dir : "/tmp", (int)getpid());
	snprintf(path_b, sizeof path_b, "%s/fb.%d", dir ? dir : "/tmp", (int)getpid());
	if (mkfifo(path_a, 0600) < 0 || mkfifo(path_b, 0600) < 0)
		fail("mkfifo");
}

static void fifo_ab(void)
{
	int a = open(path_a, O_RDONLY), b = open(path_b, O_WRONLY);

	close(a);
	close(b);
}

static void fifo_ba(void)
{
	int b = open(path_b, O_RDONLY), a = open(path_a, O_WRONLY);

	close(a);
	close(b);
}

static void fifos_opposite(void)
{
	make_fifos();
	in_child(fifo_ab);
	in_child(fifo_ba);
	while (wait(NULL) > 0)
		continue;
}

static void spawn_in_fifo(void)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = {(char *)"true", NULL};
	pid_t pid;

	make_fifos();
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, path_a, O_RDONLY, 0);
	posix_spawn(&pid, "/bin/true", &actions, NULL, argv, argv + 1);
}

/* ---- Pipes ---- */

static int there[2], back[2];

static void pipes(bool sockets)
{
	if (sockets) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			fail("socketpair");
		there[0] = back[1] = pair[0];
		there[1] = back[0] = pair[1];
	} else if (pipe(there) < 0 || pipe(back) < 0) {
		fail("pipe");
	}
}

static void read_there(void)
{
	char c;

	close(there[1]);
	if (back[0] != there[1])
		close(back[0]);
	if (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
		_exit(0);
}

static void read_each_other(bool sockets)
{
	char c;

	pipes(sockets);
	in_child(read_there);
	close(there[0]);
	if (back[1] != there[0])
		close(back[1]);
	if (read(back[0], &c, 1) == 1 && write(there[1], &c, 1) == 1)
		wait(NULL);
}

static void both_read_pipe(void)
{
	read_each_other(false);
}

static void both_read_socketpair(void)
{
	read_each_other(true);
}

static void read_each_other_there(void)
{
	read_each_other(false);
}

/* The deadlock is below a process that goes on, and could do something about it. */
static void parent_sleeps(void)
{
	in_child(read_each_other_there);
	sleep(30);
}

static void own_write_end(void)
{
	char c;

	pipes(false);
	if (read(there[0], &c, 1) == 1)
		_exit(1);
}

static void sleep_long(void)
{
	for (int i = 0; i < 15; i++)
		usleep(100000);
}

static void write_and_leave(void)
{
	if (write(there[1], "x", 1) != 1)
		fail("write");
	in_child(sleep_long); /* keeps the write end open, and never writes */
}

/* No deadlock: it ends when the grandchild does. */
static void grandchild_write_end(void)
{
	char c;

	pipes(false);
	waitpid(in_child(write_and_leave), NULL, 0);
	close(there[1]);
	while (read(there[0], &c, 1) > 0)
		continue;
}

static const struct named_case cases[] = {
	{"shared-mutexes", shared_mutexes},
	{"shared-owner-dead", shared_owner_dead},
	{"flock-crossed", flock_crossed},
	{"ofd-crossed", ofd_crossed},
	{"posix-crossed", posix_crossed},
	{"fifos-opposite", fifos_opposite},
	{"spawn-in-fifo", spawn_in_fifo},
	{"both-read-pipe", both_read_pipe},
	{"both-read-socketpair", both_read_socketpair},
	{"parent-sleeps", parent_sleeps},
	{"own-write-end", own_write_end},
	{"grandchild-write-end", grandchild_write_end},
};

int main(int argc, char **argv)
{
	return CASES_RUN(cases, argc, argv);
}
