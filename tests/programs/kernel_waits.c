/* kernel_waits.c - waits whose other side is the kernel, or whoever it asks: uring, fault, lease, permission, watch, netlink. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *page;
static char name[] = "kernel-waits.file";

static int need(long rc, const char *what)
{
	if (rc >= 0)
		return (int)rc;
	printf("skip: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(0);
}

/* One read from an empty pipe, for whose completion the thread waits. */
static void uring(void)
{
	struct io_uring_params p = {0};
	int ring = need(syscall(SYS_io_uring_setup, 4, &p), "io_uring_setup"), fd[2];
	char *queue = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned),
		PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entry = mmap(NULL, p.sq_entries * sizeof *entry,
		PROT_READ | PROT_WRITE, MAP_SHARED, ring, (off_t)IORING_OFF_SQES);
	static char byte;

	need(pipe(fd), "a pipe");
	entry->opcode = IORING_OP_READ;
	entry->fd = fd[0];
	entry->addr = (unsigned long)&byte;
	entry->len = 1;
	entry->off = (__u64)-1;
	*(unsigned *)(void *)(queue + p.sq_off.array) = 0;
	atomic_store((_Atomic unsigned *)(void *)(queue + p.sq_off.tail), 1);
	syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

static void *touch(void *arg)
{
	*(volatile char *)page = 1;
	return arg;
}

static void fault(void)
{
	const size_t size = (size_t)sysconf(_SC_PAGESIZE);
	int fd = need(syscall(SYS_userfaultfd, O_CLOEXEC), "userfaultfd");
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	pthread_t thread;

	need(ioctl(fd, UFFDIO_API, &api), "userfaultfd");
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (unsigned long)page;
	range.range.len = size;
	need(ioctl(fd, UFFDIO_REGISTER, &range), "userfaultfd");
	pthread_create(&thread, NULL, touch, NULL);
	pthread_join(thread, NULL);
}

/* A child opens the file on which its parent has a lease. */
static void lease(void)
{
	int fd = need(open(name, O_CREAT | O_RDWR, 0600), name);

	(void)signal(SIGIO, SIG_IGN);
	need(fcntl(fd, F_SETLEASE, F_WRLCK), "a lease");
	if (fork() == 0) {
		close(fd);
		(void)open(name, O_RDONLY);
		_exit(0);
	}
	wait(NULL);
}

static void *open_it(void *arg)
{
	(void)open(name, O_RDONLY);
	return arg;
}

static void permission(void)
{
	int fd = need(fanotify_init(FAN_CLASS_CONTENT, O_RDONLY), "fanotify");
	pthread_t thread;

	close(need(open(name, O_CREAT | O_RDWR, 0600), name));
	need(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, name), "fanotify");
	pthread_create(&thread, NULL, open_it, NULL);
	pthread_join(thread, NULL);
}

static void watch(void)
{
	int fd = need(inotify_init1(IN_CLOEXEC), "inotify");
	char event[4096];

	need(inotify_add_watch(fd, ".", IN_DELETE), "inotify");
	(void)!read(fd, event, sizeof event);
}

static void netlink(void)
{
	int fd = need(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink");
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	char message[4096];

	need(bind(fd, (struct sockaddr *)&any, sizeof any), "netlink");
	(void)!recv(fd, message, sizeof message, 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = {{"uring", uring}, {"fault", fault}, {"lease", lease},
		{"permission", permission}, {"watch", watch}, {"netlink", netlink}};

	for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++)
		if (!strcmp(argv[1], ways[i].name))
			ways[i].run();
	return 0;
}
