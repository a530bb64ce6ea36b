/* actors.c - small programs for the tests of the eBPF source to trace. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/ebpf/actors.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

/* An actor that cannot do its part ends with this status, which the test sees. */
static void need(int ok)
{
	if (!ok)
		_exit(99);
}

static void act_family(void)
{
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		pid = fork();
		if (pid == 0)
			_exit(i + 1);
		waitpid(pid, NULL, 0);
	}
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

static void act_exec(void)
{
	static char text[3001];
	char *argv[] = {"true", text, "end", NULL};

	memset(text, 'x', sizeof text - 1);
	execv("/nonexistent/program", argv);
	execv("/bin/true", argv);
}

static void act_ends(void)
{
	int p[2];

	need(pipe2(p, O_CLOEXEC) == 0);
	dup2(p[0], 50);
	dup2(p[1], 51);
	need(fcntl(50, F_DUPFD, 60) == 60);
	dup2(51, 60);
	close(51);
	syscall(SYS_close_range, 50, 55, 0);
	close(p[0]);
	close(p[1]);
}

static void send_fd(int sock, int fd)
{
	char byte = 'f';
	struct iovec iov = {&byte, 1};
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof control.space};

	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	need(sendmsg(sock, &msg, 0) == 1);
}

static void act_scm(void)
{
	char byte, control[256];
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	int s[2], p[2];

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && pipe(p) == 0);
	send_fd(s[0], p[1]);
	need(recvmsg(s[1], &msg, 0) == 1);
}

static void act_io(void)
{
	static char text[200];
	struct iovec iov[3] = {{text, 10}, {text + 10, 90}, {text + 100, 100}};
	int p[2], q[2];

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + i % 26);
	need(pipe(p) == 0 && pipe(q) == 0 && writev(p[1], iov, 3) == 200);
	need(tee(p[0], q[1], 200, 0) == 200);
	need(splice(p[0], NULL, q[1], NULL, 200, 0) == 200);
	need(readv(q[0], iov, 3) == 200 && read(q[0], text, 150) == 150);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void act_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct itimerval soon = {.it_value = {0, 20000}};
	sigset_t set;

	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGUSR2, SIG_IGN);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	pause();
}

/* The thread opens the other side only when the first one is asleep in its open. */
static void *open_fifo(void *path)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	close(open(path, O_WRONLY));
	return NULL;
}

static void act_waits(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct pollfd set[2] = {{.events = POLLIN}, {.fd = -1}};
	char dir[] = "/tmp/pptrace-test-XXXXXX", path[64], byte;
	int p[2], e = epoll_create1(0);
	pthread_t thread;

	need(pipe(p) == 0 && e >= 0 && mkdtemp(dir) != NULL);
	if (fork() == 0) {
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		_exit(write(p[1], "1", 1) != 1);
	}
	need(read(p[0], &byte, 1) == 1);
	wait(NULL);
	set[0].fd = p[0];
	poll(set, 2, 50);
	epoll_ctl(e, EPOLL_CTL_ADD, p[0], &event);
	epoll_wait(e, &event, 1, 50);
	(void)snprintf(path, sizeof path, "%s/fifo", dir);
	need(mkfifo(path, 0600) == 0);
	pthread_create(&thread, NULL, open_fifo, path);
	close(open(path, O_RDONLY));
	pthread_join(thread, NULL);
	unlink(path);
	rmdir(dir);
}

static void do_nothing(int signo)
{
	(void)signo;
}

/* Waits until the thread that it was started by sleeps in its call, sends it a signal, and ends a little later. */
static void *signal_and_end(void *arg)
{
	const struct timespec moment = {.tv_nsec = 50000000};

	nanosleep(&moment, NULL);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	nanosleep(&moment, NULL);
	return NULL;
}

static void act_joins(void)
{
	pthread_t self = pthread_self(), thread;

	(void)signal(SIGUSR1, do_nothing);
	pthread_create(&thread, NULL, signal_and_end, &self);
	pthread_join(thread, NULL);
}

static void act_namespace(void)
{
	pid_t pid;

	need(unshare(CLONE_NEWPID) == 0);
	pid = fork();
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			_exit(7);
		waitpid(pid, NULL, 0);
		_exit(8);
	}
	waitpid(pid, NULL, 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *signal_cond(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void act_locks(void)
{
	pthread_t thread;

	pthread_mutex_lock(&mutex);
	pthread_create(&thread, NULL, signal_cond, NULL);
	pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
	need(pthread_mutex_trylock(&mutex) == 0);
	pthread_mutex_unlock(&mutex);
}

static void act_flood(void)
{
	char byte = 0;
	int p[2];

	need(pipe(p) == 0);
	for (int i = 0; i < 5000; i++)
		need(write(p[1], &byte, 1) == 1 && read(p[0], &byte, 1) == 1);
}

/* The ring is full before the children are born. */
static void act_flood_far(void)
{
	for (int i = 0; i < 3; i++)
		act_flood();
}

static void act_flood_family(void)
{
	act_flood();
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(3);
		need(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
	}
}

static void act_file_locks(void)
{
	int fd = memfd_create("lock", 0);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 4};

	need(fd >= 0);
	flock(fd, LOCK_SH);
	flock(fd, LOCK_UN);
	fcntl(fd, F_SETLK, &lock);
	fcntl(fd, F_OFD_SETLK, &(struct flock){.l_type = F_UNLCK});
}

static void *read_byte(void *fd)
{
	char byte;

	need(read(*(int *)fd, &byte, 1) == 1);
	return NULL;
}

/* Two threads that block until somebody writes to descriptor 0, which the test does. */
static void act_threads(void)
{
	pthread_t thread;
	int in = 0;

	pthread_create(&thread, NULL, read_byte, &in);
	read_byte(&in);
	pthread_join(thread, NULL);
}

/* Runs for 0.4 s of its own time (the clock of a guest may come late), stops for a moment, and renames itself. */
static void act_busy(void)
{
	struct timespec t;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	while (t.tv_sec == 0 && t.tv_nsec < 400000000);
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	prctl(PR_SET_NAME, "new name");
}

#if defined(__x86_64__)
static long call32(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return (int)ret;
}

/* A kernel may be built or started without them, and so may a hypervisor's guest: the process gets SIGSEGV. */
bool actor_may_call32(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		/* A sanitizer's handler would report it. */
		(void)signal(SIGSEGV, SIG_DFL);
		_exit(call32(20, 0, 0, 0) == getpid() ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* pipe, write, read, dup, waitpid, close as a 32-bit program makes them. */
static void act_compat(void)
{
	char *low = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int *fds = (int *)(void *)low, copy;
	pid_t pid;

	need(low != MAP_FAILED && call32(42, (long)low, 0, 0) == 0);
	need(call32(4, fds[1], (long)low + 64, 3) == 3);
	need(call32(3, fds[0], (long)low + 64, 30) == 3);
	copy = (int)call32(41, fds[0], 0, 0);
	need(copy >= 0 && call32(6, copy, 0, 0) == 0);
	pid = fork();
	if (pid == 0)
		_exit(5);
	need(call32(7, pid, (long)low + 128, 0) == pid);
}
#else
bool actor_may_call32(void)
{
	return false;
}

static void act_compat(void)
{
}
#endif

static const struct {
	const char *name;
	void (*act)(void);
} actors[] = {
	{"family", act_family},
	{"exec", act_exec},
	{"ends", act_ends},
	{"scm", act_scm},
	{"io", act_io},
	{"signals", act_signals},
	{"waits", act_waits},
	{"joins", act_joins},
	{"namespace", act_namespace},
	{"locks", act_locks},
	{"flood", act_flood},
	{"flood-far", act_flood_far},
	{"flood-family", act_flood_family},
	{"file-locks", act_file_locks},
	{"compat", act_compat},
	{"threads", act_threads},
	{"busy", act_busy},
};

/* Before main: the test program was executed to be an actor. */
__attribute__((constructor)) static void be_actor(int argc, char **argv)
{
	if (argc != 3 || strcmp(argv[1], ACTOR_OPTION))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(actors); i++) {
		if (strcmp(actors[i].name, argv[2]))
			continue;
		actors[i].act();
		_exit(0);
	}
	_exit(98);
}
