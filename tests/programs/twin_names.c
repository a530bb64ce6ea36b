/* twin_names.c - calls functions that exist under two names, each by its name, and says what they answered. */
/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
ssize_t __read_chk(int fd, void *buf, size_t n, size_t size);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags);
void (*__sysv_signal(int signo, void (*handler)(int)))(int);

static void answer(const char *name, long rc)
{
	printf("%s %s\n", name, rc < 0 ? "failed" : "ok");
}

static int opened(const char *name, int fd)
{
	answer(name, fd);
	return fd;
}

static void files(const char *path)
{
	int fds[] = {
		opened("open", open(path, O_RDWR | O_CREAT, 0600)),
		opened("open64", open64(path, O_RDWR | O_CREAT, 0600)),
		opened("openat", openat(AT_FDCWD, path, O_RDWR | O_CREAT, 0600)),
		opened("openat64", openat64(AT_FDCWD, path, O_RDWR | O_CREAT, 0600)),
		opened("creat", creat(path, 0600)),
		opened("creat64", creat64(path, 0600)),
		opened("__open_2", __open_2(path, O_RDWR)),
		opened("__open64_2", __open64_2(path, O_RDWR)),
		opened("__openat_2", __openat_2(AT_FDCWD, path, O_RDWR)),
		opened("__openat64_2", __openat64_2(AT_FDCWD, path, O_RDWR)),
	};
	FILE *f = fopen(path, "r"), *g = fopen64(path, "r");

	answer("fopen", f ? 0 : -1);
	answer("fopen64", g ? 0 : -1);
	if (f)
		(void)fclose(f);
	if (g)
		(void)fclose(g);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		close(fds[i]);
}

static void locks(const char *path)
{
	struct flock l = {.l_type = F_WRLCK};
	int fd = open(path, O_RDWR);

	answer("fcntl F_DUPFD", close(fcntl(fd, F_DUPFD, (void *)10)));
	answer("fcntl64 F_DUPFD", close(fcntl64(fd, F_DUPFD, (void *)10)));
	answer("fcntl", fcntl(fd, F_SETLKW, &l));
	answer("fcntl64", fcntl64(fd, F_SETLK, &l));
	answer("lockf", lockf(fd, F_LOCK, 0));
	answer("lockf64", lockf64(fd, F_TLOCK, 0));
	answer("lockf64 F_ULOCK", lockf64(fd, F_ULOCK, 0));
	answer("lockf F_TEST", lockf(fd, F_TEST, 0));
	close(fd);
}

static void bytes(const char *path)
{
	char buf[8];
	int p[2], s[2], fd = open(path, O_RDWR);
	off_t at = 0;

	if (pipe(p) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		exit(1);
	answer("write", write(p[1], "abcdefgh", 8) == 8 && write(fd, "12345678", 8) == 8 ? 0 : -1);
	answer("read", read(p[0], buf, 4));
	answer("__read_chk", __read_chk(p[0], buf, 4, sizeof buf));
	answer("sendfile", sendfile(p[1], fd, &at, 4));
	answer("sendfile64", sendfile64(p[1], fd, &at, 4));
	answer("send", send(s[1], "abcdefgh", 8, 0));
	answer("recv", recv(s[0], buf, 4, 0));
	answer("__recv_chk", __recv_chk(s[0], buf, 4, sizeof buf, 0));
}

static pid_t child(void)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(3);
	return pid;
}

static void waits(void)
{
	struct rusage usage;
	int status = 0;
	pid_t pid = child();

	printf("waitpid %d %#x\n", waitpid(pid, &status, 0) == pid, status);
	pid = child();
	printf("wait4 %d %#x\n", wait4(pid, &status, 0, &usage) == pid, status);
	pid = child();
	printf("wait %d %#x\n", wait(&status) == pid, status);
	pid = child();
	printf("wait3 %d %#x\n", wait3(&status, 0, &usage) == pid, status);
	answer("wait without a child", wait(&status));
}

static void handler(int signo)
{
	(void)signo;
}

int main(int argc, char **argv)
{
	(void)argc;
	files(argv[1]);
	locks(argv[1]);
	bytes(argv[1]);
	waits();
	answer("sysv_signal", sysv_signal(SIGUSR1, handler) == SIG_ERR ? -1 : 0);
	answer("__sysv_signal", __sysv_signal(SIGUSR1, SIG_DFL) == handler ? 0 : -1);
	return 0;
}
