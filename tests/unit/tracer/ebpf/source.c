/* source.c - tests of the eBPF source: what a program does must come out as records. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/record.h"
#include "schema/record_dump.h"
#include "tests/unit/tracer/ebpf/actors.h"
#include "tracer/merge.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/source.h"

/* All records of a run, in the order of time. */
struct run {
	const struct rec_head **recs;
	size_t n, cap;
	pid_t pid;
	uint64_t lost;
	uint64_t until; /* complete up to here */
	bool late;      /* a record came after its time had been called complete */
};

static void keep(void *arg, const struct rec_head *rec)
{
	struct run *r = arg;
	struct rec_head *copy = xmalloc(rec->size);

	memcpy(copy, rec, rec->size);
	ARRAY_GROW(r->recs, r->n, r->cap);
	r->recs[r->n++] = copy;
}

struct poller {
	struct run *run;
	struct merge *merge;
};

static void take(void *arg, const struct rec_head *rec)
{
	struct poller *p = arg;

	if (rec->ts <= p->run->until)
		p->run->late = true;
	ASSERT_INT(rec->size, record_size(rec->kind));
	merge_add(p->merge, rec);
}

static void count_loss(void *arg, const char *source, unsigned kind, uint64_t count)
{
	struct run *r = arg;

	(void)source;
	(void)kind;
	r->lost += count;
}

static pid_t actor_start(const char *name, int *ret_go)
{
	int go[2];
	pid_t pid;

	ASSERT(pipe2(go, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		close(go[1]);
		if (read(go[0], &byte, 1) == 1)
			execl("/proc/self/exe", "actor", ACTOR_OPTION, name, (char *)NULL);
		_exit(97);
	}
	ASSERT(pid > 0);
	close(go[0]);
	*ret_go = go[1];
	return pid;
}

/* Records an actor from birth to death; polled: while it runs, too. */
static struct run run_actor(const char *name, const struct source_config *config, bool polled)
{
	struct source *s = source_ebpf();
	struct run r = {0};
	struct poller p = {&r, merge_new()};
	_cleanup_buf_ struct buf why = BUF_INIT;
	int go, rc, status = 0;

	if (geteuid() != 0)
		SKIP("needs root");
	rc = s->attach(s, config, &why);
	if (rc == -ENOTSUP && config->locks == LOCKS_MODE_UPROBE)
		SKIP(why.data);
	if (rc)
		test_fail(__FILE__, __LINE__, "attach: %s", why.data);
	r.pid = actor_start(name, &go);
	ASSERT_INT(s->adopt(s, r.pid), 0);
	ASSERT(write(go, "g", 1) == 1);
	close(go);
	while (waitpid(r.pid, &status, polled ? WNOHANG : 0) == 0) {
		uint64_t until;

		ASSERT_INT(s->poll(s, take, &p, &until), 0);
		ASSERT(until >= r.until);
		r.until = until;
		(void)poll(NULL, 0, 1);
	}
	ASSERT_INT(status, 0);
	ASSERT_INT(s->poll(s, take, &p, &r.until), 0);
	merge_emit(p.merge, UINT64_MAX, keep, &r);
	merge_free(p.merge);
	s->losses(s, count_loss, &r);
	s->detach(s);
	ASSERT(!r.late);
	return r;
}

static void run_done(struct run *r)
{
	for (size_t i = 0; i < r->n; i++)
		free((void *)(uintptr_t)r->recs[i]);
	free(r->recs);
}

/* The next record of a kind from *pos on, or NULL. */
#define NEXT(run, NAME, pos) ((const struct rec_##NAME *)next((run), REC_##NAME, (pos)))
static const struct rec_head *next(const struct run *r, unsigned kind, size_t *pos)
{
	while (*pos < r->n)
		if (r->recs[(*pos)++]->kind == kind)
			return r->recs[*pos - 1];
	return NULL;
}

static size_t count(const struct run *r, unsigned kind)
{
	size_t pos = 0, n = 0;

	while (next(r, kind, &pos))
		n++;
	return n;
}

static const struct source_config plain = {
	.locks = LOCKS_MODE_FUTEX, .data_bytes = 32, .keep_all = true};

TEST(ebpf_family)
{
	struct run r = run_actor("family", &plain, true);
	size_t forks = 0, exits = 0, reaps = 0;

	ASSERT_INT(count(&r, REC_FORK), 4);
	ASSERT_INT(count(&r, REC_EXIT), 5);
	ASSERT_INT(count(&r, REC_REAP), 4);
	for (int i = 0; i < 4; i++) {
		const struct rec_FORK *f = NEXT(&r, FORK, &forks);
		const struct rec_EXIT *e = NEXT(&r, EXIT, &exits);
		const struct rec_REAP *w = NEXT(&r, REAP, &reaps);
		uint64_t want = i < 3 ? (uint64_t)(i + 1) << 8 : SIGTERM;

		ASSERT_INT(f->head.pid, r.pid);
		ASSERT_INT(f->parent_pid, r.pid);
		ASSERT_INT(e->head.pid, f->child_pid);
		ASSERT_INT(e->status, want);
		ASSERT_INT(e->last, 1);
		ASSERT_INT(e->group_status, want);
		ASSERT_INT(w->child_pid, f->child_pid);
		ASSERT(f->head.ts <= e->head.ts && e->head.ts <= w->head.ts);
	}
	ASSERT_INT(r.lost, 0);
	run_done(&r);
}

/* The arguments in the MORE records up to the given one. */
static void argv_collect(const struct run *r, size_t *pos, const void *end, struct buf *ret)
{
	for (; *pos < r->n && (const void *)r->recs[*pos] != end; (*pos)++) {
		const struct rec_MORE *m = (const struct rec_MORE *)r->recs[*pos];

		if (m->head.kind == REC_MORE && m->what == MORE_ARGV)
			buf_add(ret, m->data, m->len);
	}
}

TEST(ebpf_exec)
{
	struct run r = run_actor("exec", &plain, true);
	_cleanup_buf_ struct buf argv = BUF_INIT;
	const struct rec_EXEC_FAIL *fail;
	const struct rec_EXEC *exec;
	size_t pos = 0, from = 0;

	exec = NEXT(&r, EXEC, &pos);
	ASSERT(exec && !strcmp(exec->path, "/proc/self/exe"));
	argv_collect(&r, &from, exec, &argv);
	ASSERT_INT(argv.len, sizeof "actor" + sizeof ACTOR_OPTION + sizeof "exec");
	fail = NEXT(&r, EXEC_FAIL, &pos);
	ASSERT(fail != NULL);
	ASSERT_INT(fail->error, ENOENT);
	ASSERT_STR(fail->path, "/nonexistent/program");
	from = pos;
	exec = NEXT(&r, EXEC, &pos);
	ASSERT(exec != NULL);
	ASSERT_STR(exec->path, "/bin/true");
	ASSERT(exec->inode != 0);
	buf_reset(&argv);
	argv_collect(&r, &from, exec, &argv);
	ASSERT_INT(argv.len, sizeof "true" + 3001 + sizeof "end");
	ASSERT_STR(argv.data + argv.len - sizeof "end", "end");
	run_done(&r);
}

/* Ends of one pipe as text: +fd:via, -fd:via. */
static void ends_text(const struct run *r, struct buf *ret)
{
	uint64_t inode = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct rec_END_OPEN *o = (const struct rec_END_OPEN *)r->recs[i];
		const struct rec_END_CLOSE *c = (const struct rec_END_CLOSE *)r->recs[i];

		if (o->head.kind == REC_END_OPEN && o->via == END_CREATE)
			inode = o->inode;
		if (o->head.kind == REC_END_OPEN && inode && o->inode == inode)
			buf_addf(ret, "+%s:%d ",
				o->fd < 50 ? (o->mode == END_READ ? "r" : "w")
					   : (o->mode == END_READ ? "R" : "W"),
				(int)o->via);
		if (c->head.kind == REC_END_CLOSE && inode && c->inode == inode)
			buf_addf(ret, "-%s:%d ",
				c->fd < 50   ? "x"
				: c->fd < 60 ? "5x"
					     : "60",
				(int)c->via);
	}
}

TEST(ebpf_ends)
{
	struct run r = run_actor("ends", &plain, true);
	_cleanup_buf_ struct buf text = BUF_INIT;

	ends_text(&r, &text);
	ASSERT_STR(text.data, "+r:1 +w:1 +R:3 +W:3 +R:3 -60:9 +W:3 -5x:8 -5x:8 -x:8 -x:8 ");
	run_done(&r);
}

TEST(ebpf_scm)
{
	struct run r = run_actor("scm", &plain, true);
	const struct rec_END_OPEN *o, *sides[2] = {NULL, NULL}, *got = NULL;
	size_t pos = 0;

	while ((o = NEXT(&r, END_OPEN, &pos))) {
		if (o->kind == PIPE_SOCKETPAIR && o->via == END_CREATE)
			sides[sides[0] != NULL] = o;
		if (o->via == END_SCM)
			got = o;
	}
	ASSERT(sides[0] && sides[1] && got);
	ASSERT_INT(sides[0]->inode, sides[1]->inode2);
	ASSERT_INT(sides[1]->inode, sides[0]->inode2);
	ASSERT_INT(got->kind, PIPE_PIPE);
	ASSERT_INT(got->mode, END_WRITE);
	run_done(&r);
}

TEST(ebpf_io)
{
	static const struct {
		enum io_op op;
		int bytes;
	} want[] = {{IO_WRITEV, 200}, {IO_TEE_IN, 200}, {IO_TEE_OUT, 200}, {IO_SPLICE_IN, 200},
		{IO_SPLICE_OUT, 200}, {IO_READV, 200}, {IO_READ, 150}};
	struct source_config config = plain;
	_cleanup_buf_ struct buf data = BUF_INIT;
	size_t pos = 0, more = 0;
	struct run r;

	config.data_bytes = 180;
	r = run_actor("io", &config, true);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct rec_PIPE_IO *io = NEXT(&r, PIPE_IO, &pos);

		ASSERT(io != NULL);
		ASSERT_INT(io->op, want[i].op);
		ASSERT_INT(io->result, want[i].bytes);
		ASSERT(io->start && io->start <= io->head.ts);
	}
	ASSERT(NEXT(&r, PIPE_IO, &pos) == NULL);
	pos = 0;
	while (pos < r.n && r.recs[pos]->kind != REC_PIPE_IO)
		pos++;
	ASSERT_INT(((const struct rec_PIPE_IO *)r.recs[pos])->data_len, 10);
	for (more = 0; more < pos; more++) {
		const struct rec_MORE *m = (const struct rec_MORE *)r.recs[more];

		if (m->head.kind == REC_MORE && m->what == MORE_DATA)
			buf_add(&data, m->data, m->len);
	}
	ASSERT_INT(data.len, 170);
	ASSERT_INT(data.data[0], 'a' + 10);
	ASSERT_INT(data.data[169], 'a' + 179 % 26);
	run_done(&r);
}

TEST(ebpf_signals)
{
	static const uint64_t results[] = {
		SIG_DELIVERED, SIG_IGNORED_, SIG_DELIVERED, SIG_ALREADY_PENDING, SIG_DELIVERED};
	static const uint64_t taken[] = {SIGUSR1, SIGUSR1, SIGALRM};
	struct run r = run_actor("signals", &plain, true);
	const struct rec_SIG_SEND *s;
	const struct rec_TIMER *t;
	size_t pos = 0;

	/* A timer sends in an interrupt, and some tasks are interrupted without a BPF program being
	   run: then only the delivery tells of it (tracer/model/signal.c, unseen). Such a recording is made again. */
	for (int tries = 1; tries < 3 && count(&r, REC_SIG_SEND) < ARRAY_SIZE(results); tries++) {
		ASSERT_INT(count(&r, REC_SIG_SEND), ARRAY_SIZE(results) - 1);
		for (pos = 0; (s = NEXT(&r, SIG_SEND, &pos));)
			ASSERT_INT(s->sender, SENDER_TASK);
		pos = 0;
		run_done(&r);
		r = run_actor("signals", &plain, true);
	}
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		s = NEXT(&r, SIG_SEND, &pos);
		ASSERT(s != NULL);
		ASSERT_INT(s->result, results[i]);
		ASSERT_INT(s->target_pid, r.pid);
		ASSERT_INT(s->sender, i < 4 ? SENDER_TASK : SENDER_TIMER);
	}
	pos = 0;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		const struct rec_SIG_DELIVER *d = NEXT(&r, SIG_DELIVER, &pos);

		ASSERT(d != NULL);
		ASSERT_INT(d->signo, taken[i]);
		ASSERT(d->handler > 1);
		ASSERT_INT((int64_t)d->syscall, i < 2 ? -1 : SYS_pause);
	}
	pos = 0;
	t = NEXT(&r, TIMER, &pos);
	ASSERT(t != NULL);
	ASSERT_INT(t->which, TIMER_REAL);
	ASSERT_INT(t->signo, SIGALRM);
	ASSERT_INT(t->value_ns, 20000000);
	run_done(&r);
}

/* The first wait in a system call by the given thread, with the end that follows it. */
static const struct rec_WAIT_BEGIN *find_wait(
	const struct run *r, long nr, size_t *ret_pos, const struct rec_WAIT_END **ret_end)
{
	const struct rec_WAIT_BEGIN *w = NULL;

	*ret_pos = 0;
	while ((w = NEXT(r, WAIT_BEGIN, ret_pos)))
		if ((int64_t)w->syscall == nr && w->head.tid == (unsigned)r->pid)
			break;
	*ret_end = NULL;
	for (size_t pos = *ret_pos; w && pos < r->n && !*ret_end;) {
		const struct rec_WAIT_END *e = NEXT(r, WAIT_END, &pos);

		if (!e || e->head.tid == w->head.tid)
			*ret_end = e;
	}
	return w;
}

static const struct rec_poll_item *poll_item_before(const struct run *r, size_t pos)
{
	const struct rec_MORE *m = (const struct rec_MORE *)r->recs[pos - 2];

	ASSERT_INT(m->head.kind, REC_MORE);
	ASSERT_INT(m->what, MORE_POLL);
	ASSERT_INT(m->len, sizeof(struct rec_poll_item));
	return (const struct rec_poll_item *)(const void *)m->data;
}

/*
 * A sleeper that is preempted on its way to sleep is woken before it is
 * switched out; who woke it is then not known. One run of three has it.
 */
static struct run run_with_waker(void)
{
	struct run r = {0};

	for (int tries = 0; tries < 3; tries++) {
		const struct rec_WAIT_END *e;
		size_t pos = 0;

		if (tries)
			run_done(&r);
		r = run_actor("waits", &plain, true);
		if (find_wait(&r, SYS_read, &pos, &e) && e && e->waker_pid)
			break;
	}
	return r;
}

TEST(ebpf_waits)
{
	struct run r = run_with_waker();
	const struct rec_WAIT_BEGIN *w;
	const struct rec_WAIT_END *e;
	const struct rec_FORK *f;
	uint64_t inode;
	size_t pos = 0;

	f = NEXT(&r, FORK, &pos);
	ASSERT(f != NULL);
	w = find_wait(&r, SYS_read, &pos, &e);
	ASSERT(w && e);
	ASSERT_INT(w->file_kind, FILE_PIPE);
	ASSERT_INT(e->waker_pid, f->child_pid);
	inode = w->inode;
	w = find_wait(&r, SYS_poll, &pos, &e);
	ASSERT(w && e && w->timed);
	ASSERT_INT(poll_item_before(&r, pos)->inode, inode);
	ASSERT_INT(poll_item_before(&r, pos)->events, POLLIN);
	w = find_wait(&r, SYS_epoll_wait, &pos, &e);
	ASSERT(w && e && w->timed);
	ASSERT_INT(poll_item_before(&r, pos)->inode, inode);
	w = find_wait(&r, SYS_openat, &pos, &e);
	ASSERT(w && e);
	ASSERT_INT(w->reason, WAIT_FIFO_OPEN);
	ASSERT_INT(w->file_kind, FILE_FIFO);
	ASSERT(w->inode != 0);
	ASSERT_INT(e->waker_pid, r.pid);
	ASSERT(e->waker_tid != (unsigned)r.pid);
	run_done(&r);
}

/* Who joins a thread is woken by its end. A signal wakes the waiter of a futex too, but its sender has given nothing back. */
TEST(ebpf_waker_of_join)
{
	struct run r = run_actor("joins", &plain, true);
	const struct rec_WAIT_BEGIN *w;
	const struct rec_WAIT_END *e;
	unsigned woken = 0;
	size_t pos = 0, end;

	while ((w = NEXT(&r, WAIT_BEGIN, &pos))) {
		if (w->syscall != SYS_futex || w->head.tid != (unsigned)r.pid)
			continue;
		end = pos;
		do
			e = NEXT(&r, WAIT_END, &end);
		while (e && e->head.tid != w->head.tid);
		ASSERT(e != NULL);
		woken += e->waker_pid != 0;
	}
	ASSERT_INT(woken, 1);
	run_done(&r);
}

TEST(ebpf_namespace)
{
	struct run r = run_actor("namespace", &plain, true);
	const struct rec_FORK *outer, *inner;
	const struct rec_REAP *reap;
	size_t pos = 0;

	outer = NEXT(&r, FORK, &pos);
	inner = NEXT(&r, FORK, &pos);
	ASSERT(outer && inner);
	ASSERT_INT(outer->child_ns_pid, 1);
	ASSERT_INT(inner->child_ns_pid, 2);
	ASSERT(outer->child_pid != 1 && inner->child_pid != 2);
	pos = 0;
	reap = NEXT(&r, REAP, &pos);
	ASSERT(reap != NULL);
	ASSERT_INT(reap->head.pid, outer->child_pid);
	ASSERT_INT(reap->child_pid, inner->child_pid);
	ASSERT_INT(reap->status, 7 << 8);
	run_done(&r);
}

TEST(ebpf_locks)
{
	struct source_config config = {.locks = LOCKS_MODE_UPROBE};
	struct run r = run_actor("locks", &config, true);
	uint64_t mutex = 0, conds = 0, joins = 0, acquired = 0, released = 0;
	const struct rec_SYNC_END *e;
	size_t pos = 0;

	while ((e = NEXT(&r, SYNC_END, &pos))) {
		if (e->op == SYNC_COND_WAIT) {
			conds++;
			mutex = e->mutex;
		}
		joins += e->op == SYNC_JOIN;
	}
	ASSERT_INT(conds, 1);
	ASSERT_INT(joins, 1);
	for (size_t i = 0; i < r.n; i++) {
		const struct rec_LOCK_ACQUIRE *a = (const struct rec_LOCK_ACQUIRE *)r.recs[i];

		acquired += a->head.kind == REC_LOCK_ACQUIRE && a->addr == mutex && !a->result;
		released += a->head.kind == REC_LOCK_RELEASE && a->addr == mutex;
	}
	ASSERT_INT(acquired, 3);
	ASSERT_INT(released, 3);
	run_done(&r);
}

TEST(ebpf_file_locks)
{
	static const struct {
		enum file_lock_class class;
		enum lock_mode mode;
	} want[] = {{FLOCK_FLOCK, LOCK_MODE_S}, {FLOCK_FLOCK, LOCK_MODE_NONE},
		{FLOCK_POSIX, LOCK_MODE_X}, {FLOCK_OFD, LOCK_MODE_NONE}};
	struct run r = run_actor("file-locks", &plain, true);
	size_t pos = 0;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct rec_FILE_LOCK *l = NEXT(&r, FILE_LOCK, &pos);

		ASSERT(l != NULL);
		ASSERT_INT(l->class, want[i].class);
		ASSERT_INT(l->mode, want[i].mode);
		ASSERT_INT(l->result, 0);
		if (l->class == FLOCK_POSIX)
			ASSERT(l->begin == 3 && l->len == 4);
	}
	run_done(&r);
}

#if defined(__x86_64__)
TEST(ebpf_compat)
{
	const struct rec_PIPE_IO *w, *d;
	const struct rec_REAP *reap;
	_cleanup_buf_ struct buf text = BUF_INIT;
	size_t pos = 0;
	struct run r;

	if (!actor_may_call32())
		SKIP("this machine lets no program make 32-bit system calls (int 0x80)");
	r = run_actor("compat", &plain, true);
	w = NEXT(&r, PIPE_IO, &pos);
	d = NEXT(&r, PIPE_IO, &pos);
	ASSERT(w && d);
	ASSERT(w->op == IO_WRITE && w->result == 3);
	ASSERT(d->op == IO_READ && d->result == 3 && d->requested == 30);
	pos = 0;
	reap = NEXT(&r, REAP, &pos);
	ASSERT(reap != NULL);
	ASSERT_INT(reap->status, 5 << 8);
	ends_text(&r, &text);
	ASSERT_STR(text.data, "+r:1 +w:1 +r:3 -x:8 +r:4 +w:4 ");
	run_done(&r);
}
#endif

/* A ring that is too small loses records and says how many; nothing is counted twice. */
TEST(ebpf_losses)
{
	struct source_config config = {
		.locks = LOCKS_MODE_FUTEX, .ring_bytes = 64 << 10, .keep_all = true};
	struct run r = run_actor("flood", &config, false);
	size_t io = count(&r, REC_PIPE_IO);

	ASSERT(r.lost > 0);
	ASSERT(io > 0 && io < 10000);
	ASSERT(io + r.lost >= 10000);
	run_done(&r);
	r = run_actor("flood", &plain, true);
	ASSERT_INT(r.lost, 0);
	ASSERT_INT(count(&r, REC_PIPE_IO), 10000);
	run_done(&r);
}

/* Calls of a busy thread are counted instead, which needs next to no room. */
TEST(ebpf_folds)
{
	struct source_config config = {.locks = LOCKS_MODE_FUTEX, .ring_bytes = 1 << 20};
	struct run r = run_actor("flood", &config, true);
	size_t pos = 0, n = count(&r, REC_PIPE_IO);
	const struct rec_PIPE_FOLD *fold;

	ASSERT_INT(r.lost, 0);
	while ((fold = NEXT(&r, PIPE_FOLD, &pos))) {
		ASSERT(fold->start <= fold->last && fold->last <= fold->head.ts);
		ASSERT(fold->count && fold->bytes >= fold->count);
		n += fold->count;
	}
	ASSERT_INT(n, 10000);
	run_done(&r);
}

/* What finds no room in the near ring comes from the far one, in the order of time with the rest. */
TEST(ebpf_far_ring)
{
	struct source_config config = {
		.locks = LOCKS_MODE_FUTEX, .ring_bytes = 8 << 20, .keep_all = true};
	struct run r = run_actor("flood-far", &config, false);
	const struct rec_PIPE_IO *io;
	size_t pos = 0, n = 0;
	uint64_t last = 0;

	ASSERT_INT(r.lost, 0);
	while ((io = NEXT(&r, PIPE_IO, &pos))) {
		ASSERT(io->head.ts >= last);
		last = io->head.ts;
		n++;
	}
	ASSERT_INT(n, 30000);
	run_done(&r);
}

/* Who is born and ends is recorded where there is no room for anything else; and no wait is left open. */
TEST(ebpf_births_and_ends_are_kept)
{
	struct source_config config = {
		.locks = LOCKS_MODE_FUTEX, .ring_bytes = 64 << 10, .keep_all = true};
	struct run r = run_actor("flood-family", &config, false);

	ASSERT(r.lost > 0);
	ASSERT_INT(count(&r, REC_FORK), 4);
	ASSERT_INT(count(&r, REC_EXIT), 5);
	ASSERT_INT(count(&r, REC_REAP), 4);
	ASSERT(count(&r, REC_WAIT_END) <= count(&r, REC_WAIT_BEGIN));
	run_done(&r);
}

/* Samples of its running, slices of it, the files it maps, its new name. */
TEST(ebpf_busy)
{
	struct source_config config = {.locks = LOCKS_MODE_OFF, .sched = true};
	struct run r = run_actor("busy", &config, true);
	const struct rec_MODULE *m;
	const struct rec_SCHED *s;
	const struct rec_COMM *c;
	bool program = false, libc = false;
	size_t pos = 0;
	uint64_t ran = 0, end = 0;

	/* The clock that samples may come late, in a guest of a busy machine: one of a few runs is enough. */
	for (int more = 4; count(&r, REC_SAMPLE) < 5 && more; more--) {
		run_done(&r);
		r = run_actor("busy", &config, true);
	}
	ASSERT(count(&r, REC_SAMPLE) >= 5);
	while ((s = NEXT(&r, SCHED, &pos))) {
		if (s->head.tid != (unsigned)r.pid)
			continue;
		ASSERT(s->start >= end && s->start <= s->head.ts);
		end = s->head.ts;
		ran += s->head.ts - s->start;
	}
	ASSERT(ran >= 360000000);
	pos = 0;
	while ((m = NEXT(&r, MODULE, &pos))) {
		ASSERT(m->start && m->len && m->inode);
		program |= strstr(m->path, "/run") != NULL;
		libc |= strstr(m->path, "/libc.so") != NULL;
	}
	ASSERT(program && libc);
	pos = 0;
	c = NEXT(&r, COMM, &pos);
	ASSERT(c != NULL);
	ASSERT_STR(c->comm, "new name");
	run_done(&r);
}

/* The threads of a process, at most max. */
static int thread_ids(pid_t pid, pid_t *ret, int max)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/task", pid);
	DIR *dir = opendir(path);
	struct dirent *d;
	int n = 0;

	while (dir && n < max && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			ret[n++] = atoi(d->d_name);
	if (dir)
		closedir(dir);
	return n;
}

/* True when the thread sleeps in read. */
static bool sleeps_in_read(pid_t pid, pid_t tid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/task/%d/syscall", pid, tid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int nr;

	return f && fscanf(f, "%d", &nr) == 1 && nr == SYS_read;
}

/* Threads that exist already are followed from the middle of a call, whose end is told. */
TEST(ebpf_follow)
{
	struct source *s = source_ebpf();
	struct run r = {0};
	struct poller p = {&r, merge_new()};
	_cleanup_buf_ struct buf why = BUF_INIT;
	pid_t tids[3] = {0};
	int in[2], status;

	if (geteuid() != 0)
		SKIP("needs root");
	ASSERT(pipe(in) == 0);
	r.pid = fork();
	if (r.pid == 0) {
		dup2(in[0], 0);
		execl("/proc/self/exe", "actor", ACTOR_OPTION, "threads", (char *)NULL);
		_exit(97);
	}
	while (thread_ids(r.pid, tids, 3) != 2 || !sleeps_in_read(r.pid, tids[0]) ||
		!sleeps_in_read(r.pid, tids[1]))
		(void)poll(NULL, 0, 1);
	ASSERT_INT(s->attach(s, &plain, &why), 0);
	ASSERT_INT(s->follow(s, r.pid, tids[0]), 0);
	ASSERT_INT(s->follow(s, r.pid, tids[1]), 0);
	ASSERT(write(in[1], "ab", 2) == 2);
	ASSERT_INT(waitpid(r.pid, &status, 0), r.pid);
	ASSERT_INT(status, 0);
	ASSERT_INT(s->poll(s, take, &p, &r.until), 0);
	merge_emit(p.merge, UINT64_MAX, keep, &r);
	merge_free(p.merge);
	s->detach(s);
	ASSERT_INT(count(&r, REC_EXIT), 2);
	ASSERT_INT(count(&r, REC_PIPE_IO), 2);
	ASSERT(count(&r, REC_WAIT_END) >= 2);
	run_done(&r);
}

/* Without rights the source says what is missing, and leaves nothing behind. */
TEST(ebpf_refused)
{
	struct source *s = source_ebpf();
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (geteuid() == 0 && setuid(65534))
		SKIP("cannot become an ordinary user");
	ASSERT(s->available(&why) < 0);
	ASSERT(strstr(why.data, "CAP_BPF") != NULL);
	buf_reset(&why);
	ASSERT(s->attach(s, &plain, &why) < 0);
	ASSERT(why.len > 0);
	ASSERT(s->state == NULL);
}

/* The same with the programs for older kernels, which newer ones take too. */
#define ON_PLAIN(name)                                                                             \
	TEST(name##_plain)                                                                         \
	{                                                                                          \
		ebpf_begin_with(EBPF_PLAIN);                                                       \
		test_##name();                                                                     \
	}
#define ON_OLD(name)                                                                               \
	TEST(name##_old)                                                                           \
	{                                                                                          \
		ebpf_begin_with(EBPF_OLD);                                                         \
		test_##name();                                                                     \
	}
#define ON_OLDER(name) ON_PLAIN(name) ON_OLD(name)

ON_OLDER(ebpf_family)
ON_OLDER(ebpf_exec)
ON_OLDER(ebpf_ends)
ON_OLDER(ebpf_scm)
ON_OLDER(ebpf_io)
ON_OLDER(ebpf_signals)
ON_OLDER(ebpf_waits)
ON_OLDER(ebpf_namespace)
ON_OLDER(ebpf_file_locks)
ON_OLDER(ebpf_compat)
ON_OLDER(ebpf_losses)
ON_OLDER(ebpf_follow)
ON_PLAIN(ebpf_busy)
/* The old edition finds mappings in a tree that Linux has had until 6.0: tests/kernels tries it there. */
