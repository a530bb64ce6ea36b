/* sandboxed.c - install a filter that kills for any system call but its own few, then lock, make threads, fork, use a pipe. */
/* SPDX-License-Identifier: MIT */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMES = 1000 };

#define IF(nr, action)                                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, (action))
#define ALLOW(name) IF(SYS_##name, SECCOMP_RET_ALLOW)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t go;

static void *lock_often(void *unused)
{
	(void)unused;
	for (int i = 0; i < TIMES; i++) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *lock_later(void *unused)
{
	sem_wait(&go);
	return lock_often(unused);
}

/* What glibc needs for threads and fork is allowed only if the program makes some. */
static int confine(unsigned other, int by_syscall)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(write),
		ALLOW(read),
		ALLOW(close),
		ALLOW(exit),
		ALLOW(exit_group),
		ALLOW(futex),
		ALLOW(wait4),
		IF(SYS_mmap, other),
		IF(SYS_munmap, other),
		IF(SYS_mprotect, other),
		IF(SYS_brk, other),
		IF(SYS_getrandom, other),
		IF(SYS_clone, other),
		IF(SYS_clone3, other),
		IF(SYS_rseq, other),
		IF(SYS_set_robust_list, other),
		IF(SYS_rt_sigprocmask, other),
		IF(SYS_rt_sigaction, other),
		IF(SYS_madvise, other),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	if (by_syscall)
		return (int)syscall(
			SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Strict mode forbids the processor's counter as well, and _exit. */
static void confine_strictly(void)
{
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	lock_often(NULL);
	syscall(SYS_exit, write(STDOUT_FILENO, "done\n", 5) == 5 ? 3 : 6);
}

/* Forbids one call that the program and its children do not make. */
static int forbid_one(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		IF(SYS_getppid, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int child(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		lock_often(NULL);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	return status == 2 << 8;
}

/* The argument: l main locks first, o an older thread, t a later thread, f a child, p a pipe, y installed by syscall(); s strict mode; e a filter that forbids one call, and exec. */
int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int ends[2];
	pthread_t thread;
	char buf[8];

	sem_init(&go, 0, 0);
	if (pipe(ends))
		return 1;
	if (strchr(what, 'l'))
		lock_often(NULL);
	if (strchr(what, 'o'))
		pthread_create(&thread, NULL, lock_later, NULL);
	if (strchr(what, 's'))
		confine_strictly();
	if (strchr(what, 'e')) {
		if (forbid_one())
			_exit(77);
		lock_often(NULL);
		execl("/bin/sleep", "sleep", "0", NULL);
	}
	if (confine(strpbrk(what, "otf") ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS,
		    strchr(what, 'y') != NULL))
		_exit(77);
	lock_often(NULL);
	if (strchr(what, 'o')) {
		sem_post(&go);
		pthread_join(thread, NULL);
	}
	if (strchr(what, 't')) {
		pthread_create(&thread, NULL, lock_often, NULL);
		pthread_join(thread, NULL);
	}
	if (strchr(what, 'p') &&
		(write(ends[1], "abc", 3) != 3 || read(ends[0], buf, sizeof buf) != 3))
		_exit(4);
	if (strchr(what, 'f') && !child())
		_exit(5);
	if (write(STDOUT_FILENO, "done\n", 5) != 5)
		_exit(6);
	_exit(3);
}
