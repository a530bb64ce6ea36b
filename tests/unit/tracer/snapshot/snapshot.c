/* snapshot.c - tests of tracer/snapshot/snapshot.h, on children of this program. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/snapshot/snapshot.h"
#include "tracer/symbols/symbols.h"

/* All records of a snapshot, one behind the other. */
struct seen {
	struct buf bytes;
	struct buf blind, why;
	int rc;
};

static void collect(void *arg, const struct rec_head *rec)
{
	struct seen *s = arg;

	buf_add(&s->bytes, rec, rec->size);
}

static struct seen take(pid_t pid, struct symbols *symbols)
{
	struct seen s = {BUF_INIT, BUF_INIT, BUF_INIT, 0};
	struct snapshot_config config = {
		.pids = &pid, .n_pids = 1, .related = true, .calls = true, .symbols = symbols};

	s.rc = snapshot_take(&config, collect, &s, &s.blind, &s.why);
	return s;
}

static void seen_done(struct seen *s)
{
	buf_done(&s->bytes);
	buf_done(&s->blind);
	buf_done(&s->why);
}

/* Returns the record of this kind after the given one (NULL: the first) about pid (0: any), or NULL. */
static const void *next(const struct seen *s, const void *after, unsigned kind, pid_t pid)
{
	size_t at = 0;

	if (after)
		at = (size_t)((const char *)after - s->bytes.data) +
		     ((const struct rec_head *)after)->size;
	while (at < s->bytes.len) {
		const struct rec_head *h = (const void *)(s->bytes.data + at);

		if (h->kind == kind && (!pid || (pid_t)h->pid == pid))
			return h;
		at += h->size;
	}
	return NULL;
}

static pid_t child(void (*run)(void *), void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(arg);
		_exit(0);
	}
	ASSERT(pid > 0);
	return pid;
}

/* Waits until the main thread of pid sleeps in one of two system calls. */
static void wait_in(pid_t pid, long nr, long other)
{
	char path[64], text[64];

	(void)snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
	for (int i = 0; i < 5000; i++) {
		FILE *f = fopen(path, "re");
		size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

		if (f)
			(void)fclose(f);
		text[n] = '\0';
		if (n && text[0] != 'r' && (atol(text) == nr || atol(text) == other))
			return;
		(void)usleep(1000);
	}
	ASSERT(!"the child never blocked");
}

static void stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void read_byte(void *arg)
{
	char byte;

	(void)signal(SIGUSR1, SIG_IGN);
	(void)!read(*(int *)arg, &byte, 1);
}

static void read_twice(void *arg)
{
	const int *fds = arg;
	char byte;

	(void)!read(fds[0], &byte, 1);
	(void)!write(fds[3], "x", 1);
	(void)!read(fds[0], &byte, 1);
}

static int let_on[4];

/* Lets the child go on from one wait to the next, as a timer might that rings then. */
static void ring(void *arg)
{
	const struct seen *s = arg;
	char byte;

	ASSERT_INT(s->bytes.len, 0); /* nothing has been concluded yet */
	ASSERT_INT(write(let_on[1], "x", 1), 1);
	ASSERT_INT(read(let_on[2], &byte, 1), 1);
}

TEST(snapshot_of_who_is_let_on_between_the_looks)
{
	struct seen s = {BUF_INIT, BUF_INIT, BUF_INIT, 0};
	pid_t pid;
	struct snapshot_config config = {
		.pids = &pid, .n_pids = 1, .related = true, .between = ring};

	ASSERT_INT(pipe(let_on), 0);
	ASSERT_INT(pipe(let_on + 2), 0);
	pid = child(read_twice, let_on);
	wait_in(pid, SYS_read, -2);
	ASSERT_INT(snapshot_take(&config, collect, &s, &s.blind, &s.why), 0);
	ASSERT(!next(&s, NULL, REC_WAIT_BEGIN, pid));
	seen_done(&s);
	stop(pid);
	for (int i = 0; i < 4; i++)
		(void)close(let_on[i]);
}

TEST(snapshot_pipe_read)
{
	int fds[2];
	struct stat st;
	pid_t pid;
	struct seen s;
	const struct rec_WAIT_BEGIN *w;
	const struct rec_END_OPEN *e;
	const struct rec_FOUND *f;
	const struct rec_SIG_ACTION *a;

	ASSERT_INT(pipe(fds), 0);
	ASSERT_INT(fstat(fds[0], &st), 0);
	pid = child(read_byte, &fds[0]);
	wait_in(pid, SYS_read, -2);
	s = take(pid, NULL);
	ASSERT_INT(s.rc, 0);
	f = next(&s, NULL, REC_FOUND, pid);
	ASSERT(f && (pid_t)f->ppid == getpid() && f->start_ts > 0 && strstr(f->path, "run"));
	ASSERT(f->head.flags & REC_SNAP);
	w = next(&s, NULL, REC_WAIT_BEGIN, pid);
	ASSERT(w);
	ASSERT_INT(w->syscall, SYS_read);
	ASSERT_INT(w->file_kind, FILE_PIPE);
	ASSERT_INT(w->inode, st.st_ino);
	ASSERT_INT(w->arg0, fds[0]);
	ASSERT(!next(&s, w, REC_WAIT_BEGIN, pid));
	for (e = next(&s, NULL, REC_END_OPEN, pid); e && e->fd != (rec_u64)fds[1];)
		e = next(&s, e, REC_END_OPEN, pid);
	ASSERT(e);
	ASSERT_INT(e->mode, END_WRITE);
	ASSERT_INT(e->via, END_FOUND);
	for (a = next(&s, NULL, REC_SIG_ACTION, pid); a && a->signo != SIGUSR1;)
		a = next(&s, a, REC_SIG_ACTION, pid);
	ASSERT(a && a->handler == 1);
	ASSERT(next(&s, NULL, REC_MODULE, pid));
	stop(pid);
	seen_done(&s);
}

static pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER, mutex_b = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void *take_b_then_a(void *arg)
{
	(void)arg;
	(void)pthread_mutex_lock(&mutex_b);
	(void)pthread_barrier_wait(&both);
	(void)pthread_mutex_lock(&mutex_a);
	return NULL;
}

static void *take_a_then_b(void *arg)
{
	(void)arg;
	(void)pthread_mutex_lock(&mutex_a);
	(void)pthread_barrier_wait(&both);
	(void)pthread_mutex_lock(&mutex_b);
	return NULL;
}

static void abba(void *arg)
{
	pthread_t t[2];

	(void)arg;
	(void)pthread_barrier_init(&both, NULL, 2);
	(void)pthread_create(&t[0], NULL, take_a_then_b, NULL);
	(void)pthread_create(&t[1], NULL, take_b_then_a, NULL);
	(void)pthread_join(t[0], NULL);
}

/* A private futex, and what a mutex's word is while somebody waits: a joinstate may be the same, but is shared. */
static bool is_mutex(const struct rec_WAIT_BEGIN *w)
{
	return w->arg2 == 2 && w->arg1 & 128;
}

TEST(snapshot_mutexes_and_join)
{
	struct symbols *symbols = symbols_new();
	pid_t pid = child(abba, NULL);
	unsigned mutexes = 0, joins = 0, sites = 0;
	const struct rec_WAIT_BEGIN *w = NULL;
	const struct rec_LOCK_REQUEST *r = NULL;
	const struct rec_WAIT_SITE *site = NULL;
	struct symbol at;
	struct seen s;

	for (int i = 0; i < 5000; i++) {
		wait_in(pid, SYS_futex, -2);
		s = take(pid, symbols);
		for (mutexes = 0, w = NULL; (w = next(&s, w, REC_WAIT_BEGIN, pid)) != NULL;)
			mutexes += is_mutex(w);
		if (mutexes == 2)
			break;
		seen_done(&s);
	}
	while ((w = next(&s, w, REC_WAIT_BEGIN, pid)) != NULL) {
		const struct rec_FOUND *f = NULL;
		uint32_t owner;

		ASSERT_INT(w->words_valid, 40);
		while ((f = next(&s, f, REC_FOUND, pid)) != NULL)
			joins += f->tid_addr == w->arg0;
		if (!is_mutex(w))
			continue;
		memcpy(&owner, w->words + 20, sizeof owner);
		ASSERT(owner != (uint32_t)pid && owner != w->head.tid);
	}
	ASSERT_INT(joins, 1);
	while ((r = next(&s, r, REC_LOCK_REQUEST, pid)) != NULL) {
		ASSERT(r->addr == (uintptr_t)&mutex_a || r->addr == (uintptr_t)&mutex_b);
		ASSERT_INT(r->kind, LOCK_MUTEX);
		ASSERT(symbols_code(symbols, -(int64_t)pid, r->site, true, &at));
		ASSERT(test_str_eq(at.function, "take_a_then_b") ||
			test_str_eq(at.function, "take_b_then_a"));
		mutexes--;
	}
	ASSERT_INT(mutexes, 0);
	while ((site = next(&s, site, REC_WAIT_SITE, pid)) != NULL)
		sites++;
	ASSERT_INT(sites, 3);
	stop(pid);
	seen_done(&s);
	symbols_free(symbols);
}

static void *rest_alone(void *arg)
{
	while (pause())
		;
	return arg;
}

static void join_one(void *arg)
{
	pthread_t t;

	(void)arg;
	(void)pthread_create(&t, NULL, rest_alone, NULL);
	(void)pthread_join(t, NULL);
}

/* As in a container, where the thread that is joined has the number 2 and glibc up to 2.42 waits for that to change. */
TEST(snapshot_join_of_a_small_number)
{
	const struct rec_WAIT_BEGIN *w = NULL;
	const struct rec_FOUND *f = NULL;
	unsigned joins = 0;
	struct seen s;
	pid_t pid;
	int own;

	/* Only the child is to be in it: the leak checker could not look at this process from there. */
	own = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
	if (own < 0 || unshare(CLONE_NEWPID))
		SKIP("needs the right to make a PID namespace");
	pid = child(join_one, NULL);
	ASSERT_INT(setns(own, CLONE_NEWPID), 0);
	close(own);
	wait_in(pid, SYS_futex, -2);
	s = take(pid, NULL);
	while ((w = next(&s, w, REC_WAIT_BEGIN, pid)) != NULL)
		while ((f = next(&s, f, REC_FOUND, pid)) != NULL)
			joins += f->tid_addr && f->tid_addr == w->arg0;
	ASSERT_INT(joins, 1);
	seen_done(&s);
	stop(pid);
}

/* As glibc 2.43 has it: place in the list of threads, number, and behind it the word that joiners wait on. */
static struct {
	void *next, *before;
	int tid;
	char more[800];
	int state;
} descriptor = {.state = 2};

static void *rest(void *arg)
{
	descriptor.tid = gettid();
	return rest_alone(arg);
}

static void join_by_state(void *arg)
{
	pthread_t t;

	/* Else it is a number that happens to stand there. */
	if (arg)
		descriptor.next = descriptor.before = &descriptor;
	(void)pthread_create(&t, NULL, rest, NULL);
	while (!*(volatile int *)&descriptor.tid)
		(void)usleep(1000);
	(void)syscall(SYS_futex, &descriptor.state, 0 /* FUTEX_WAIT */, 2, NULL, NULL, 0);
}

/* How many threads a snapshot finds to be joined through that word. */
static unsigned joined_by_state(bool is_listed)
{
	pid_t pid = child(join_by_state, is_listed ? &descriptor : NULL);
	const struct rec_FOUND *f = NULL;
	unsigned n = 0;
	struct seen s;

	wait_in(pid, SYS_futex, -2);
	s = take(pid, NULL);
	while ((f = next(&s, f, REC_FOUND, pid)) != NULL)
		n += f->tid_addr == (uintptr_t)&descriptor.state;
	seen_done(&s);
	stop(pid);
	return n;
}

TEST(snapshot_join_by_state)
{
	ASSERT_INT(joined_by_state(true), 1);
	ASSERT_INT(joined_by_state(false), 0);
}

static void poll_pair(void *arg)
{
	struct pollfd p = {.fd = *(int *)arg, .events = POLLIN};

	(void)poll(&p, 1, -1);
}

TEST(snapshot_poll_socketpair)
{
	int fds[2];
	struct seen s;
	const struct rec_MORE *m;
	const struct rec_WAIT_BEGIN *w;
	struct rec_poll_item item;
	struct stat a, b;
	pid_t pid;

	ASSERT_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ASSERT(fstat(fds[0], &a) == 0 && fstat(fds[1], &b) == 0);
	pid = child(poll_pair, &fds[0]);
	wait_in(pid, SYS_poll, SYS_ppoll);
	s = take(pid, NULL);
	w = next(&s, NULL, REC_WAIT_BEGIN, pid);
	ASSERT(w && !w->timed);
	for (m = next(&s, NULL, REC_MORE, pid); m && m->what != MORE_POLL;)
		m = next(&s, m, REC_MORE, pid);
	ASSERT(m && m->len == sizeof item);
	memcpy(&item, m->data, sizeof item);
	ASSERT_INT(item.fd, fds[0]);
	ASSERT_INT(item.events, POLLIN);
	ASSERT_INT(item.file_kind, FILE_SOCKETPAIR);
	ASSERT_INT(item.inode, a.st_ino);
	ASSERT_INT(item.inode2, b.st_ino);
	stop(pid);
	seen_done(&s);
}

static void lock_file(void *arg)
{
	int fd = open(arg, O_RDWR | O_CLOEXEC);

	(void)flock(fd, LOCK_EX);
	(void)pause();
}

TEST(snapshot_flock_holder_is_found)
{
	char path[] = "/tmp/pptrace-snapshot.XXXXXX";
	pid_t holder, waiter;
	const struct rec_FILE_LOCK *l = NULL;
	const struct rec_WAIT_BEGIN *w;
	struct seen s;

	ASSERT(close(mkstemp(path)) == 0);
	holder = child(lock_file, path);
	wait_in(holder, SYS_pause, SYS_ppoll);
	waiter = child(lock_file, path);
	wait_in(waiter, SYS_flock, -2);
	s = take(waiter, NULL);
	w = next(&s, NULL, REC_WAIT_BEGIN, waiter);
	ASSERT(w && w->file_kind == FILE_REG);
	while ((l = next(&s, l, REC_FILE_LOCK, holder)) != NULL && l->inode != w->inode)
		;
	ASSERT(l);
	ASSERT_INT(l->class, FLOCK_FLOCK);
	ASSERT_INT(l->mode, LOCK_MODE_X);
	ASSERT_INT(l->dev, w->dev);
	ASSERT(next(&s, NULL, REC_FOUND, holder));
	stop(waiter);
	stop(holder);
	(void)unlink(path);
	seen_done(&s);
}

static void write_without_flush(void *arg)
{
	char byte;

	(void)dup2(((int *)arg)[1], STDOUT_FILENO);
	(void)printf("twenty bytes unwritten");
	(void)!read(((int *)arg)[0], &byte, 1);
}

TEST(snapshot_unflushed)
{
	struct symbols *symbols = symbols_new();
	int fds[2];
	struct seen s = {BUF_INIT, BUF_INIT, BUF_INIT, 0};
	const struct rec_STDIO *r;
	pid_t pid;

	ASSERT_INT(pipe(fds), 0);
	pid = child(write_without_flush, fds);
	wait_in(pid, SYS_read, -2);
	ASSERT_INT(unflushed_find(symbols, 1, pid, collect, &s), 1);
	r = next(&s, NULL, REC_STDIO, pid);
	ASSERT(r);
	ASSERT_INT(r->fd, STDOUT_FILENO);
	ASSERT_INT(r->pending, 22);
	ASSERT_INT(r->when, STDIO_STUCK);
	ASSERT(!memcmp(r->data, "twenty bytes unwritten", 22));
	stop(pid);
	ASSERT(unflushed_find(symbols, 1, pid, collect, &s) < 0);
	seen_done(&s);
	symbols_free(symbols);
}

static void open_fifo(void *arg)
{
	(void)open(arg, O_WRONLY | O_CLOEXEC);
}

TEST(snapshot_fifo_open)
{
	char dir[] = "/tmp/pptrace-snapshot.XXXXXX";
	const struct rec_WAIT_BEGIN *w;
	struct seen s;
	struct stat st;
	char *path;
	pid_t pid;

	ASSERT(mkdtemp(dir));
	path = xasprintf("%s/f", dir);
	ASSERT_INT(mkfifo(path, 0600), 0);
	ASSERT_INT(stat(path, &st), 0);
	pid = child(open_fifo, path);
	wait_in(pid, SYS_openat, SYS_open);
	s = take(pid, NULL);
	w = next(&s, NULL, REC_WAIT_BEGIN, pid);
	ASSERT(w);
	ASSERT_INT(w->reason, WAIT_FIFO_OPEN);
	ASSERT_INT(w->file_kind, FILE_FIFO);
	ASSERT_INT(w->inode, st.st_ino);
	stop(pid);
	(void)unlink(path);
	(void)rmdir(dir);
	free(path);
	seen_done(&s);
}

TEST(snapshot_refuses)
{
	pid_t pid = fork(), kernel = 2;
	struct seen s;

	if (pid == 0)
		_exit(3);
	while (waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT) != 0)
		;
	s = take(pid, NULL);
	ASSERT_INT(s.rc, -ESRCH);
	ASSERT(strstr(s.why.data, "zombie"));
	seen_done(&s);
	(void)waitpid(pid, NULL, 0);
	s = take(pid, NULL);
	ASSERT_INT(s.rc, -ESRCH);
	ASSERT(strstr(s.why.data, "there is no process"));
	seen_done(&s);
	s = take(getpid(), NULL);
	ASSERT_INT(s.rc, -EINVAL);
	seen_done(&s);
	if (access("/proc/2/exe", F_OK) != 0 && getpgid(kernel) == 0) {
		s = take(kernel, NULL);
		ASSERT_INT(s.rc, -EINVAL);
		ASSERT(strstr(s.why.data, "kernel thread"));
		seen_done(&s);
	}
}

/* What executes nothing has no arguments either. */
TEST(snapshot_reopens_without_arguments)
{
	struct hash seen = {0};

	ASSERT(!reopen_named(NULL, 0, NULL, 0, &seen));
	hash_done(&seen);
}

/* What a program's table of symbols names counts, of one that a text tells what to do what that says. */
TEST(snapshot_reopen_names_kill)
{
	static const struct {
		char *argv[4];
		const char *arguments;
		size_t n;
		unsigned how;
	} cases[] = {
		{{"cat", NULL}, "cat", 4, 0},
		{{"timeout", "60", "cat", NULL},
			"timeout\0"
			"60",
			11, 0},
		{{"sh", "-c", "read x", NULL}, "sh\0-c\0read x", 13, 0},
		{{"sh", "-c", "read x", NULL}, "sh\0-c\0kill 1; read x", 21, ENDS_OTHERS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = {cases[i].argv[0], cases[i].argv[1], cases[i].argv[2],
			cases[i].argv[3], NULL};
		struct hash seen = {0};
		int ends[2];
		pid_t pid;

		posix_spawn_file_actions_t actions;

		ASSERT(pipe2(ends, O_CLOEXEC) == 0 && posix_spawn_file_actions_init(&actions) == 0);
		ASSERT(posix_spawn_file_actions_adddup2(&actions, ends[0], 0) == 0);
		ASSERT(posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) == 0);
		(void)posix_spawn_file_actions_destroy(&actions);
		(void)close(ends[0]);
		ASSERT_INT(reopen_named(NULL, pid, cases[i].arguments, cases[i].n, &seen) &
				   ENDS_OTHERS,
			cases[i].how);
		ASSERT(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
		(void)close(ends[1]);
		hash_done(&seen);
	}
	/* The tests themselves send signals. */
	struct hash own = {0};

	ASSERT_INT(reopen_named(NULL, getpid(), "run", 4, &own) & ENDS_OTHERS, ENDS_OTHERS);
	hash_done(&own);
}

/* A copy of sleep(1) with some more bytes at its end, at which nobody looks when it runs. */
static unsigned reopens_with(const char *bytes, size_t n, size_t gap)
{
	_cleanup_free_ char *path = xasprintf("/tmp/pptrace-words.%d", (int)getpid());
	char *command = xasprintf("cp $(command -v sleep) %s", path);
	char *sleeper[] = {path, "60", NULL};
	struct hash seen = {0};
	unsigned found;
	pid_t pid;
	FILE *f;

	ASSERT(system(command) == 0);
	free(command);
	f = fopen(path, "ae");
	ASSERT(f && fseek(f, 0, SEEK_END) == 0);
	/* Such that the words begin as many bytes before the end of a piece of 256 KiB. */
	for (long at = ftell(f); at % (1 << 18) != (1 << 18) - (long)gap; at++)
		ASSERT(fputc(1, f) == 1);
	ASSERT(fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
	ASSERT(posix_spawn(&pid, path, NULL, NULL, sleeper, environ) == 0);
	found = reopen_named(NULL, pid, "", 0, &seen);
	ASSERT(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid && unlink(path) == 0);
	hash_done(&seen);
	return found;
}

/* What a program's bytes name is found wherever it stands, also where two pieces meet, and no less than all of it. */
TEST(snapshot_reopens_by_words)
{
#define BYTES(text, how)                                                                           \
	{                                                                                          \
		text, sizeof text, how                                                             \
	}
	static const struct {
		const char *bytes;
		size_t n;
		unsigned how;
	} cases[] = {
		BYTES("", 0),
		BYTES("/proc/%d/fd/%d", REOPENS_BY_PATH),
		BYTES("/proc/%d/maps\0/fd", 0),
		BYTES("/proc/self/fd", 0),
		BYTES("\0/proc/\0x\0/fd/", REOPENS_BY_PATH),
		BYTES("\0/proc/\0/fdinfo/", 0),
		BYTES("a/proc/\0b/fd/", 0),
		BYTES("\0pidfd_getfd", REOPENS_BY_TAKING),
		BYTES("a_pidfd_getfd", 0),
		BYTES("pidfd_getfdx", 0),
#ifdef __x86_64__
		BYTES("\xbf\xb6\x01\0\0\xe8", REOPENS_BY_TAKING),
		BYTES("\xb8\xb6\x01\0\0\x0f\x05", REOPENS_BY_TAKING),
		BYTES("\xb6\xb6\xb8\xb6\x01\0\0\x0f\x05", REOPENS_BY_TAKING),
		BYTES("\xb9\xb6\x01\0\0\x0f\x05", 0),
#endif
	};
#undef BYTES

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t gap = 0; gap <= 12; gap += 6)
			ASSERT_INT(reopens_with(cases[i].bytes, cases[i].n, gap ? gap : 100) &
					   (REOPENS_BY_PATH | REOPENS_BY_TAKING),
				cases[i].how);
}

/* A script that is handed to an interpreter; what has been read of a file once is remembered. */
TEST(snapshot_reopens_by_taking)
{
	_cleanup_free_ char *path = xasprintf("/tmp/pptrace-taker.%d", (int)getpid());
	char *sleeper[] = {"sleep", "60", NULL};
	struct rlimit old, none;
	struct hash seen = {0};
	char argv[128];
	size_t n;
	pid_t pid;
	FILE *f = fopen(path, "we");

	ASSERT(getrlimit(RLIMIT_NOFILE, &old) == 0);
	none = (struct rlimit){0, old.rlim_max};
	ASSERT(f && fputs("import os\nos.pidfd_getfd(3, 4)\n", f) > 0 && fclose(f) == 0);
	ASSERT(posix_spawnp(&pid, sleeper[0], NULL, NULL, sleeper, environ) == 0);
	n = (size_t)snprintf(argv, sizeof argv, "python3%c%s", 0, path) + 1;
	for (int i = 0; i < 2; i++) {
		/* The second time nothing is opened. */
		if (i)
			ASSERT(setrlimit(RLIMIT_NOFILE, &none) == 0);
		ASSERT_INT(reopen_named(NULL, pid, argv, n, &seen), REOPENS_BY_TAKING);
		ASSERT_INT(reopen_named(NULL, pid,
				   "sleep\0"
				   "60",
				   9, &seen),
			0);
	}
	ASSERT(setrlimit(RLIMIT_NOFILE, &old) == 0);
	ASSERT(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid && unlink(path) == 0);
	/* Of one that has ended nothing is asked, whatever its arguments were. */
	ASSERT_INT(reopen_named(NULL, pid, argv, n, &seen), 0);
	hash_done(&seen);
}
