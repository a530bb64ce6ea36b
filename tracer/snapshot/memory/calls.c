/* calls.c - which call of the library a blocked thread is in, from its stack. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/memory/memory.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "schema/locks.h"
#include "tracer/core/core.h"
#include "tracer/snapshot/snapshot.h"
#include "tracer/symbols/symbols.h"

/* The calls that are distinguished. */
enum call {
	CALL_NONE,
	CALL_MUTEX,
	CALL_READ,
	CALL_WRITE,
	CALL_COND,
	CALL_SEM,
	CALL_BARRIER,
	CALL_ONCE,
	CALL_JOIN,
	CALL_RAW
};

static const struct {
	const char *name; /* without leading underscores */
	enum call call;
} call_names[] = {{"pthread_mutex_lock", CALL_MUTEX}, {"pthread_mutex_timedlock", CALL_MUTEX},
	{"pthread_mutex_clocklock", CALL_MUTEX}, {"pthread_rwlock_rdlock", CALL_READ},
	{"pthread_rwlock_timedrdlock", CALL_READ}, {"pthread_rwlock_wrlock", CALL_WRITE},
	{"pthread_rwlock_timedwrlock", CALL_WRITE}, {"pthread_cond_wait", CALL_COND},
	{"pthread_cond_timedwait", CALL_COND}, {"pthread_cond_clockwait", CALL_COND},
	{"sem_wait", CALL_SEM}, {"sem_timedwait", CALL_SEM}, {"sem_clockwait", CALL_SEM},
	{"new_sem_wait", CALL_SEM}, {"new_sem_wait_slow64", CALL_SEM},
	{"pthread_barrier_wait", CALL_BARRIER}, {"pthread_once", CALL_ONCE},
	{"pthread_once_slow", CALL_ONCE}, {"pthread_join", CALL_JOIN}, {"syscall", CALL_RAW},
	{"pthread_timedjoin_np", CALL_JOIN}, {"pthread_clockjoin_np", CALL_JOIN}};

enum {
	FEW_FRAMES = 6,     /* enough frames to leave nearly every library call */
	MANY_THREADS = 2000 /* from this many threads on stacks are not walked to the end */
};

/* Offsets of the words that glibc's objects wait on, from the object, on machines with 64 bits. */
enum {
	COND_SIGNALS_0 = 40,
	COND_SIGNALS_1 = 44,
	BARRIER_ROUND = 4,
	RWLOCK_WRPHASE = 8,
	RWLOCK_WRITERS = 12,
	RWLOCK_PHASE_MAX = 3, /* what the words at these two can be; that of the readers is more */
	LLL_CONTENDED = 2     /* what a mutex's word is while somebody waits */
};

static enum call call_of(
	struct snapshot *s, const struct snap_process *p, uint64_t addr, bool is_return)
{
	const char *name = symbols_function(s->config->symbols, snap_key(p->pid), addr, is_return);
	size_t len;

	if (!name)
		return CALL_NONE;
	name += strspn(name, "_");
	len = strcspn(name, "@");
	for (size_t i = 0; i < sizeof call_names / sizeof *call_names; i++)
		if (strlen(call_names[i].name) == len && !strncmp(name, call_names[i].name, len))
			return call_names[i].call;
	return CALL_NONE;
}

static struct symbols_registers registers_of(const struct snap_thread *t)
{
	struct symbols_registers at = {
		.nr = t->nr, .arg0 = t->args[0], .sp = t->sp, .pc = t->pc, .has_kept = t->has_kept};

	memcpy(at.kept, t->kept, sizeof at.kept);
	return at;
}

static int unwind(struct snapshot *s, const struct snap_process *p, const struct snap_thread *t,
	struct symbols_frame *frames, int max, bool *lacks)
{
	struct symbols_registers at = registers_of(t);

	at.lacks = lacks;
	if (p->core)
		return symbols_unwind_memory(
			s->config->symbols, snap_key(p->pid), &at, core_read, p->core, frames, max);
	return symbols_unwind_from(s->config->symbols, snap_key(p->pid), p->live, &at, frames, max);
}

/*
 * After a stop, a call with a timeout continues as restart_syscall with its original arguments; the function that made
 * it tells which call it was.
 */
int64_t calls_restarted(
	struct snapshot *s, const struct snap_process *p, const struct snap_thread *t)
{
	static const struct {
		const char *part;
		int64_t nr;
	} makers[] = {{"nanosleep", SYS_clock_nanosleep}, {"usleep", SYS_clock_nanosleep},
#ifdef SYS_poll
		{"poll", SYS_poll},
#endif
		{"futex", SYS_futex}, {"lll_", SYS_futex}};
	struct symbols_frame innermost;
	const char *name;

	/* A walk of one frame makes the process's files known. */
	if (!s->config->symbols || unwind(s, p, t, &innermost, 1, NULL) != 1)
		return t->nr;
	name = symbols_function(s->config->symbols, snap_key(p->pid), innermost.addr, false);
	for (size_t i = 0; name && i < ARRAY_SIZE(makers); i++)
		if (strstr(name, makers[i].part))
			return makers[i].nr;
	return t->nr;
}

/* Says whether a frame is one of the program's own code. */
static bool is_own(struct symbols *sym, int64_t key, const struct symbols_frame *f)
{
	return !symbols_is_library(sym, key, f->addr + !f->is_return) &&
	       symbols_is_mapped(sym, key, f->addr);
}

/* Walks up to max frames and looks for the first one that is the program's own. */
static void walk(struct snapshot *s, const struct snap_process *p, struct snap_thread *t, int max)
{
	struct symbols *sym = s->config->symbols;
	int n = unwind(s, p, t, t->frames, max, &t->lacks);

	t->n_frames = n > 0 ? n : 0;
	t->site = 0;
	for (int i = 0; i < t->n_frames && !t->site; i++)
		if (is_own(sym, snap_key(p->pid), &t->frames[i]))
			t->site = t->frames[i].addr;
	/* For a stopped thread, the innermost pc is an instruction address; otherwise frames hold return addresses. */
	if (t->site && t->site == t->frames[0].addr && t->nr < 0)
		t->site++;
}

void calls_walk_rest(struct snapshot *s)
{
	struct registers *r = NULL;

	for (size_t i = 0; i < s->n_processes; i++) {
		struct snap_process *p = s->processes[i];

		for (size_t k = 0; k < p->n_threads; k++) {
			struct snap_thread *t = &p->threads[k];
			struct symbols_registers at = registers_of(t);

			if (!t->lacks || t->has_run || t->has_kept)
				continue;
			if (!r)
				r = registers_read();
			if (!registers_complete(r, t->tid, &at))
				continue;
			memcpy(t->kept, at.kept, sizeof t->kept);
			t->has_kept = true;
			walk(s, p, t, SNAP_MAX_FRAMES);
		}
	}
	registers_free(r);
}

void calls_walk(struct snapshot *s, struct snap_process *p, struct snap_thread *t)
{
	if (!s->config->symbols || t->has_run || !t->has_syscall)
		return;
	walk(s, p, t, s->n_threads > MANY_THREADS ? FEW_FRAMES : SNAP_MAX_FRAMES);
	if (!t->site && t->n_frames == FEW_FRAMES)
		walk(s, p, t, SNAP_MAX_FRAMES);
	mutex_find_refused(p, t);
}

static bool is_library_frame(
	struct snapshot *s, const struct snap_process *p, const struct snap_thread *t, int i)
{
	return symbols_is_compiled_library(
		s->config->symbols, snap_key(p->pid), t->frames[i].addr + !t->frames[i].is_return);
}

/*
 * The call that the program makes at frame i into a library. A library without its
 * full table of symbols does not name the function that really waits, and the
 * one that the program called may have jumped to it and have no frame any more.
 */
static enum call called_at(
	struct snapshot *s, const struct snap_process *p, const struct snap_thread *t, int i)
{
	uint64_t callee = i > 0 ? code_callee(p, t->frames[i].addr) : 0;

	return callee ? call_of(s, p, callee, false) : CALL_NONE;
}

/* Where the innermost of the known calls is among the frames; -1: nowhere before the program's own code. */
static int find_call(struct snapshot *s, const struct snap_process *p, const struct snap_thread *t,
	enum call *ret)
{
	int i = 0;

	for (; i < t->n_frames && is_library_frame(s, p, t, i); i++) {
		*ret = call_of(s, p, t->frames[i].addr, t->frames[i].is_return);
		if (*ret != CALL_NONE)
			return i;
	}
	*ret = i < t->n_frames ? called_at(s, p, t, i) : CALL_NONE;
	return *ret == CALL_NONE ? -1 : i - 1;
}

/* Says whether the thread runs an initialiser: a pthread_once frame lies outside its innermost frame of program code. */
static bool is_in_once(
	struct snapshot *s, const struct snap_process *p, const struct snap_thread *t)
{
	int i = 0;

	while (i < t->n_frames && is_library_frame(s, p, t, i))
		i++;
	for (i++; i < t->n_frames; i++) {
		bool is_library = is_library_frame(s, p, t, i);

		if (is_library && call_of(s, p, t->frames[i].addr, true) == CALL_ONCE)
			return true;
		if (!is_library && is_library_frame(s, p, t, i - 1) &&
			called_at(s, p, t, i) == CALL_ONCE)
			return true;
	}
	return false;
}

static struct rec_head snap_head(
	enum rec_kind kind, size_t size, uint64_t ts, const struct snap_process *p, pid_t tid)
{
	return (struct rec_head){.kind = (rec_u16)kind,
		.size = (rec_u16)size,
		.flags = REC_SNAP,
		.ts = ts,
		.pid = (rec_u32)p->pid,
		.tid = (rec_u32)tid};
}

/* An object in memory that several processes share is the same one in all of them: says what it is mapped from. */
static void emit_shared(struct rec_head who, const struct snap_thread *t, enum lock_kind kind,
	uint64_t addr, void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	struct rec_LOCK_INIT r = {.head = who,
		.addr = addr,
		.kind = kind,
		.pshared = 1,
		.dev = t->wait.dev,
		.inode = t->wait.inode,
		.offset = t->wait.offset - (t->args[0] - addr)};

	r.head.kind = REC_LOCK_INIT;
	r.head.size = sizeof r;
	if (t->wait.dev)
		emit(arg, &r.head);
}

void calls_emit_name(struct snap_process *p, const struct snap_thread *t,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	/* Where sem_open of glibc keeps a semaphore, alone in its file. */
	static const char prefix[] = "/dev/shm/sem.";
	struct rec_LOCK_INIT r = {
		.head = snap_head(REC_LOCK_INIT, sizeof r, t->wait.head.ts, p, t->tid),
		.addr = t->args[0],
		.kind = LOCK_SEM,
		.pshared = 1,
		.dev = t->wait.dev,
		.inode = t->wait.inode,
		.offset = t->wait.offset};

	if (t->wait.syscall != SYS_futex || !t->map_path || t->wait.offset != 0 ||
		strncmp(t->map_path, prefix, strlen(prefix)) != 0)
		return;
	(void)snprintf(r.name, sizeof r.name, "/%s", t->map_path + strlen(prefix));
	emit(arg, &r.head);
}

static void emit_request(struct snap_process *p, const struct snap_thread *t, enum call call,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	struct rec_LOCK_REQUEST r = {
		.head = snap_head(REC_LOCK_REQUEST, sizeof r, t->wait.head.ts, p, t->tid),
		.addr = t->args[0],
		.kind = call == CALL_MUTEX ? LOCK_MUTEX : LOCK_RWLOCK,
		.mode = call == CALL_READ ? LOCK_MODE_S : LOCK_MODE_X,
		.timed = t->wait.timed,
		.site = t->site};

	/* A reader behind a writer that goes first waits on the word of the readers, at the beginning. */
	if (call != CALL_MUTEX && t->args[2] <= RWLOCK_PHASE_MAX)
		r.addr -= r.addr % 8 == 0 ? RWLOCK_WRPHASE : RWLOCK_WRITERS;
	emit_shared(r.head, t, (enum lock_kind)r.kind, r.addr, emit, arg);
	emit(arg, &r.head);
}

static void emit_sync(struct snap_process *p, const struct snap_thread *t, enum sync_op op,
	uint64_t addr, void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	struct rec_SYNC_BEGIN r = {
		.head = snap_head(REC_SYNC_BEGIN, sizeof r, t->wait.head.ts, p, t->tid),
		.op = op,
		.addr = addr,
		.timed = t->wait.timed,
		.site = t->site};
	uint32_t count;

	emit_shared(r.head, t, sync_info(op)->object, addr, emit, arg);
	if (op == SYNC_BARRIER_WAIT && proc_memory(p, addr + 8, &count, sizeof count))
		r.value = count;
	emit(arg, &r.head);
}

/*
 * The initialiser of a pthread_once is run by a thread inside pthread_once. If
 * exactly one other thread is inside pthread_once, that is the one.
 */
static void emit_once_runner(struct snapshot *s, struct snap_process *p, uint64_t addr,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	const struct snap_thread *runner = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < p->n_threads; i++)
		if (!p->threads[i].has_run && p->threads[i].has_syscall)
			walk(s, p, &p->threads[i], SNAP_MAX_FRAMES);

	for (size_t i = 0; i < p->n_threads; i++) {
		const struct snap_thread *t = &p->threads[i];

		if (t->has_run)
			return; /* what it is in is not known */
		if (is_in_once(s, p, t)) {
			runner = t;
			n++;
		}
	}
	if (n == 1)
		emit_sync(p, runner, SYNC_ONCE_RUN, addr, emit, arg);
}

/* Who took the mutex that t waits for. */
static void emit_taken(struct rec_head who, const struct snap_thread *t,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	struct rec_LOCK_ACQUIRE taken = {.head = who,
		.addr = t->args[0],
		.kind = LOCK_MUTEX,
		.mode = LOCK_MODE_X,
		.request = who.ts};

	taken.head.kind = REC_LOCK_ACQUIRE;
	taken.head.size = sizeof taken;
	emit_shared(who, t, LOCK_MUTEX, t->args[0], emit, arg);
	emit(arg, &taken.head);
}

/*
 * A mutex whose owner has ended will never be released. The owner appears as a thread
 * that took the mutex and has ended: of the process, or, if the mutex is shared,
 * as a process of which nothing else is known any more. (In the child of a fork
 * it was a thread of the parent.)
 */
static void emit_gone_owner(struct snapshot *s, struct snap_process *p, const struct snap_thread *t,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	bool is_shared = t->wait.dev != 0;
	uint32_t owner = mutex_gone_owner(s, p, t), pid = is_shared ? owner : (uint32_t)p->pid;
	struct rec_head who = snap_head(REC_FOUND, 0, t->wait.head.ts, p, (pid_t)owner);
	struct rec_FOUND found = {0};
	struct rec_EXIT gone = {0};

	if (!owner)
		return;
	who.pid = pid;
	found.head = gone.head = who;
	found.head.size = sizeof found;
	found.ppid = is_shared ? 0 : (uint64_t)p->ppid;
	found.ns_pid = pid;
	found.ns_tid = owner;
	found.start_ts = p->start_ts;
	found.lock_source = LOCKS_FUTEX;
	memcpy(found.comm, is_shared ? "?" : p->comm, is_shared ? 2 : sizeof found.comm);
	gone.head.kind = REC_EXIT;
	gone.head.size = sizeof gone;
	gone.last = is_shared;
	emit(arg, &found.head);
	emit_taken(who, t, emit, arg);
	emit(arg, &gone.head);
}

void calls_emit_taken(struct snapshot *s, const struct snap_process *p, pid_t tid, uint64_t ts,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	for (size_t i = 0; i < s->n_processes; i++) {
		struct snap_process *q = s->processes[i];

		for (size_t k = 0; k < q->n_threads && !q->is_zombie; k++) {
			struct snap_thread *t = &q->threads[k];
			enum call call = CALL_NONE;
			uint64_t since = t->since ? t->since : s->now_mono;

			/* The number of an owner that ended earlier may be another's now. */
			if (t->has_run || (uint32_t)tid != mutex_owner(q, t) ||
				(!t->wait.dev && q != p) || p->start_ts > since ||
				find_call(s, q, t, &call) < 0 || call != CALL_MUTEX ||
				!mutex_is_new(s, q, t))
				continue;
			emit_taken(snap_head(REC_LOCK_ACQUIRE, 0, ts, p, tid), t, emit, arg);
		}
	}
}

bool calls_emit(struct snapshot *s, struct snap_process *p, struct snap_thread *t,
	void (*emit)(void *arg, const struct rec_head *rec), void *arg)
{
	unsigned op = (unsigned)t->args[1] & FUTEX_CMD_MASK;
	uint64_t addr = t->args[0];
	enum call call = CALL_NONE;

	if (!s->config->symbols || t->wait.syscall != SYS_futex)
		return false;
	/* A futex of the program's own may look like an object of the C library's, and is none. */
	if (t->n_frames && !is_library_frame(s, p, t, 0))
		t->wait.words_valid = 0;
	if (find_call(s, p, t, &call) < 0)
		return false;
	/* A condition's wait ends by taking its mutex: then it is the mutex that it waits for. */
	if (call == CALL_COND && op == FUTEX_WAIT && t->args[2] == LLL_CONTENDED)
		call = CALL_MUTEX;
	switch (call) {
	case CALL_MUTEX:
		emit_gone_owner(s, p, t, emit, arg);
		emit_request(p, t, call, emit, arg);
		return true;
	case CALL_READ:
	case CALL_WRITE:
		emit_request(p, t, call, emit, arg);
		return true;
	case CALL_COND:
		addr -= addr % 8 == 0 ? COND_SIGNALS_0 : COND_SIGNALS_1;
		emit_sync(p, t, SYNC_COND_WAIT, addr, emit, arg);
		return true;
	case CALL_SEM:
		emit_sync(p, t, SYNC_SEM_WAIT, addr, emit, arg);
		return true;
	case CALL_BARRIER:
		emit_sync(p, t, SYNC_BARRIER_WAIT, addr - BARRIER_ROUND, emit, arg);
		return true;
	case CALL_ONCE:
		emit_once_runner(s, p, addr, emit, arg);
		emit_sync(p, t, SYNC_ONCE_WAIT, addr, emit, arg);
		return true;
	case CALL_RAW:
		t->wait.words_valid = 0;
		return false;
	case CALL_JOIN: /* known by the word that it waits on */
	case CALL_NONE:
	default:
		return false;
	}
}
