/* stuck_shared.c - programs stuck on objects that are shared by name, or whose owner is gone. */
/* SPDX-License-Identifier: MIT */
/* usage: stuck_shared MODE NAME: prints nothing; a test knows that it is stuck by what /proc says about its threads. */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
};

static pthread_barrier_t meet;

/* Memory that other processes share: of a file with a name, or without one. */
static struct shared *share(const char *name)
{
	int fd = name ? open(name, O_RDWR | O_CREAT, 0600) : -1;
	struct shared *s;
	pthread_mutexattr_t attr;
	pthread_condattr_t cattr;

	if (name && (fd < 0 || ftruncate(fd, sizeof *s) != 0))
		exit(1);
	s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | (name ? 0 : MAP_ANONYMOUS),
		fd, 0);
	if (s == MAP_FAILED)
		exit(1);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->mutex, &attr);
	pthread_condattr_init(&cattr);
	pthread_condattr_setpshared(&cattr, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->cond, &cattr);
	return s;
}

static void mode_dead_owner(const char *name)
{
	struct shared *s = share(NULL);
	pid_t pid = fork();

	(void)name;
	if (pid == 0) {
		pthread_mutex_lock(&s->mutex);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	pthread_mutex_lock(&s->mutex);
}

/* The number of the owner is that of a program which knows nothing of the mutex, and which waits for the parent. */
static void mode_other_owner(const char *name)
{
	struct shared *s = share(NULL);
	int ends[2];

	(void)name;
	if (pipe2(ends, O_CLOEXEC) != 0)
		exit(1);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_mutex_lock(&s->mutex);
		dup2(ends[0], STDIN_FILENO);
		execlp("cat", "cat", (char *)NULL);
		_exit(1);
	}
	while (pthread_mutex_trylock(&s->mutex) == 0) {
		pthread_mutex_unlock(&s->mutex);
		sched_yield();
	}
	pthread_mutex_lock(&s->mutex);
	(void)!write(ends[1], "x", 1);
}

static void *lock_first(void *main_thread)
{
	/* Its number stays as long as the process does, though it has ended. */
	pthread_join(*(pthread_t *)main_thread, NULL);
	pthread_mutex_lock(&first);
	return NULL;
}

static void mode_main_owner(const char *name)
{
	static pthread_t main_thread;
	pthread_t t;

	(void)name;
	main_thread = pthread_self();
	pthread_mutex_lock(&first);
	pthread_create(&t, NULL, lock_first, &main_thread);
	pthread_exit(NULL);
}

static void *hold_first(void *ends)
{
	pthread_mutex_lock(&first);
	(void)!write(((int *)ends)[1], "x", 1);
	pause();
	return NULL;
}

/* The child of a program with threads finds the lock as another thread held it. */
static void mode_copied_lock(const char *name)
{
	static int ends[2];
	pthread_t t;
	char c;

	(void)name;
	if (pipe(ends) != 0)
		exit(1);
	pthread_create(&t, NULL, hold_first, ends);
	(void)!read(ends[0], &c, 1);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_mutex_lock(&first);
		_exit(0);
	}
	wait(NULL);
}

static void wait_for_ever(struct shared *s)
{
	pthread_mutex_lock(&s->mutex);
	for (;;)
		pthread_cond_wait(&s->cond, &s->mutex);
}

static void mode_named_cond(const char *name)
{
	wait_for_ever(share(name));
}

static void mode_unnamed_cond(const char *name)
{
	(void)name;
	wait_for_ever(share(NULL));
}

static void mode_named_sem(const char *name)
{
	sem_t *sem = sem_open(name, O_CREAT, 0600, 0);

	if (sem != SEM_FAILED)
		sem_wait(sem);
}

static void on_fault(int signo)
{
	(void)signo;
	_exit(1);
}

/* A lock of the program's own, as in Rust, between words that look like those of a rwlock; faults are caught. */
static void mode_own_futex(const char *name)
{
	static uint32_t words[16] = {[4] = 2, [5] = 1, [6] = 2};

	(void)name;
	signal(SIGSEGV, on_fault);
	syscall(SYS_futex, &words[6], FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 2, NULL, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

static void *write_later(void *arg)
{
	pthread_barrier_wait(&meet);
	pthread_rwlock_wrlock(arg);
	return NULL;
}

/* Reads again behind a writer that goes first: waits on the word of the readers. */
static void mode_rwlock(const char *name)
{
	static pthread_rwlock_t table = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
	pthread_t t;

	(void)name;
	pthread_barrier_init(&meet, NULL, 2);
	pthread_rwlock_rdlock(&table);
	pthread_create(&t, NULL, write_later, &table);
	pthread_barrier_wait(&meet);
	/* Until the writer has asked, reading again is granted. */
	while (pthread_rwlock_tryrdlock(&table) == 0) {
		pthread_rwlock_unlock(&table);
		sched_yield();
	}
	pthread_rwlock_rdlock(&table);
}

/* As Python's multiprocessing does: the name is gone before anybody waits. */
static void mode_unlinked_sem(const char *name)
{
	sem_t *sem = sem_open(name, O_CREAT, 0600, 0);

	sem_unlink(name);
	if (sem != SEM_FAILED)
		sem_wait(sem);
}

/* The child has unmapped the memory, but kept the file, and maps it again. */
static void mode_maps_later(const char *name)
{
	int fd = memfd_create(name, 0);
	size_t size = 4096;
	sem_t *sem;

	if (ftruncate(fd, (off_t)size) < 0)
		_exit(2);
	sem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sem_init(sem, 1, 0);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		munmap(sem, size);
		sleep(60);
		sem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		sem_post(sem);
		_exit(0);
	}
	sem_wait(sem);
}

static const struct mode {
	const char *name;
	void (*run)(const char *name);
} modes[] = {{"dead-owner", mode_dead_owner}, {"main-owner", mode_main_owner},
	{"other-owner", mode_other_owner}, {"copied-lock", mode_copied_lock},
	{"named-cond", mode_named_cond}, {"unnamed-cond", mode_unnamed_cond},
	{"named-sem", mode_named_sem}, {"unlinked-sem", mode_unlinked_sem},
	{"own-futex", mode_own_futex}, {"rwlock", mode_rwlock}, {"maps-later", mode_maps_later}};

int main(int argc, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		modes[i].run(argv[2]);
		return 0;
	}
	fprintf(stderr, "usage: stuck_shared MODE [NAME]\n");
	return 2;
}
