/* stuck_remedy.c - what to do about a set that cannot proceed, in one sentence. */
/* SPDX-License-Identifier: MIT */
#include "verdict/text/stuck.h"

#include <signal.h>

#include "schema/locks.h"
#include "schema/names.h"
#include "schema/query.h"
#include "verdict/naming.h"

static bool all_of(const struct stuck_set *s, unsigned reasons)
{
	return !(s->reasons & ~reasons);
}

/* The reasons of a kind. */
static unsigned of_kind(enum wait_kind kind)
{
	unsigned reasons = 0;

	for (unsigned i = 0; i < WAIT_REASON_END; i++)
		if (wait_info(i)->kind == kind)
			reasons |= 1u << i;
	return reasons;
}

/* The remedy for the first reason of waits.def that is among those of the set and has one, or NULL. */
static const char *own_remedy(const struct stuck_set *s)
{
	static const enum wait_reason list[] = {
#define WAIT(NAME, ...) WAIT_##NAME,
#include "schema/waits.def"
#undef WAIT
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (s->reasons >> list[i] & 1 && wait_info(list[i])->remedy)
			return wait_info(list[i])->remedy;
	return NULL;
}

static bool any_of(const struct stuck_set *s, unsigned reasons)
{
	return (s->reasons & reasons) != 0;
}

/* Returns how many members wait for this reason. */
static size_t waits_of(const struct state *st, const struct stuck_set *s, enum wait_reason reason)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_members; i++)
		n += st->threads[s->members[i]].wait.reason == reason;
	return n;
}

static const char fork_remedy[] =
	"In the child of a program with threads call only exec or _exit, or take the"
	" locks in a pthread_atfork handler.";

/* Says whether a member shuts a signal out that its program catches: it is in the handler, most likely. */
static bool is_in_handler(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		if (st->processes[t->process].caught & t->wait.sigmask & ~LIBC_SIGNALS)
			return true;
	}
	return false;
}

/* Says whether a process of the set was forked by one with threads, and has executed nothing since. */
static bool is_forked(const struct state *st, const struct stuck_set *s)
{
	static const char sql[] =
		"SELECT 1 FROM process p JOIN process q ON q.id = p.parent_id WHERE p.id = ?1"
		" AND (p.created_by = 'fork' OR (p.exe = q.exe AND p.command IS q.command)) AND NOT EXISTS"
		" (SELECT 1 FROM exec e WHERE e.process_id = p.id AND e.errno IS NULL AND"
		"  p.created_by = 'fork') AND"
		" (SELECT count(*) FROM thread t WHERE t.process_id = p.parent_id) > 1";

	for (size_t i = 0; i < s->n_members; i++)
		if (query_number(st->db, sql, st->processes[st->threads[s->members[i]].process].id,
			    0, st->why))
			return true;
	return false;
}

/* Says whether all members wait for locks of a language, or for the end of its threads. */
static bool are_runtime_locks(const struct state *st, const struct stuck_set *s)
{
	bool any = false;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;
		enum runtime_kind kind = w->reason == WAIT_SEM
						 ? naming_runtime_kind(st->db, w->lock_id)
						 : RUNTIME_KIND_NONE;

		if (w->reason == WAIT_JOIN || w->reason == WAIT_CHILD)
			continue;
		if (kind != RUNTIME_KIND_LOCK && kind != RUNTIME_KIND_THREAD)
			return false;
		any = true;
	}
	return any;
}

/*
 * Says whether all members want one rwlock, or wait for the end of threads that do, and nobody was seen to have it: readers
 * are not noted in its memory.
 */
static bool want_one_unseen(const struct state *st, const struct stuck_set *s)
{
	const struct state_lock *wanted = NULL;

	if (stuck_has_holder(st, s))
		return false;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;
		const struct state_lock *l = state_lock_of(st, w);

		if (w->reason == WAIT_JOIN)
			continue;
		if (!l || l->kind != LOCK_RWLOCK || (wanted && l != wanted))
			return false;
		wanted = l;
	}
	return wanted != NULL;
}

/* Where readers are not named. */
static const char upgrade_remedy[] =
	"Do not ask for the write lock while holding the same lock for reading, and release it on every exit path of a"
	" thread: who has it for reading is not known here.";

static const char *lock_remedy(const struct state *st, const struct stuck_set *s)
{
	if (stuck_is_upgrade(st, s))
		return "Do not ask for the write lock while holding the same lock for reading: release it first, and look again"
		       " at what it guards.";
	if (s->n_members > 1 && want_one_unseen(st, s))
		return upgrade_remedy;
	if (!strcmp(s->shape, "self") && !stuck_has_holder(st, s))
		return "Release the lock on every exit path of a thread, and do not acquire it again while holding it.";
	if (!strcmp(s->shape, "self") || stuck_wants_own(st, s))
		return "Do not acquire a lock again while holding it: release it first, tell the callee that it is held, or make it recursive.";
	if (!strcmp(s->shape, "abandoned") && are_runtime_locks(st, s))
		return "Release the lock on every path, also where an exception is thrown, do not acquire it again while"
		       " holding it, and do not kill a process that may hold it.";
	if (!strcmp(s->shape, "abandoned"))
		return "Release the lock on every exit path of the thread, or make the mutex robust.";
	return "Take these locks in the same order everywhere, or try the second one and release the first if that fails.";
}

/* Says whether a member waits for a socket of a connection to a server. */
static bool is_connection(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		uint32_t p = state_pipe(st, st->threads[s->members[i]].wait.pipe_id);

		if (p != STATE_NONE && st->pipes[p].is_two_sided)
			return true;
	}
	return false;
}

/* Says whether the query, for its wait, finds something about a member. */
static bool any_wait(const struct state *st, const struct stuck_set *s, const char *sql)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (query_number(st->db, sql, st->threads[s->members[i]].wait.id, 0, st->why))
			return true;
	return false;
}

/* Says whether a member waits for a process to exit, by a call of its own or by a pidfd in a set. */
static bool wants_process(const struct state *st, const struct stuck_set *s)
{
	return any_of(s, 1u << WAIT_CHILD) ||
	       any_wait(st, s, "SELECT 1 FROM wait_on WHERE wait_id = ?1 AND kind = 'process'");
}

static bool wants_to_write(const struct state *st, const struct stuck_set *s)
{
	return any_of(s, 1u << WAIT_PIPE_WRITE) ||
	       any_wait(st, s,
		       "SELECT max(mode = 'w') AND NOT max(mode <> 'w') FROM wait_on WHERE wait_id = ?1"
		       " AND kind = 'pipe'");
}

/* Says whether nobody waits for anything but the ends of processes. */
static bool wants_processes_alone(const struct state *st, const struct stuck_set *s)
{
	return any_of(s, 1u << WAIT_POLL) && all_of(s, 1u << WAIT_CHILD | 1u << WAIT_POLL) &&
	       !any_wait(st, s, "SELECT 1 FROM wait_on WHERE wait_id = ?1 AND kind <> 'process'");
}

/* Says whether a process has an end of a pipe through which others can be sent something. */
static bool can_write(const struct state *st, int64_t process_id, int64_t pipe_id)
{
	uint32_t p = state_pipe(st, pipe_id);

	for (uint32_t i = 0; p != STATE_NONE && i < st->pipes[p].n_ends; i++) {
		const struct state_end *e = &st->ends[st->pipes[p].first_end + i];

		if (e->writes && e->process_id == process_id)
			return true;
	}
	return false;
}

/* Says whether a member waits for a child that reads what this member itself could still write. */
static bool has_kept_end(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_thread *t = &st->threads[s->members[i]];

		if (t->wait.reason != WAIT_CHILD)
			continue;
		for (size_t k = 0; k < s->n_members; k++) {
			const struct state_thread *o = &st->threads[s->members[k]];

			if ((!t->wait.target_process_id ||
				    t->wait.target_process_id == st->processes[o->process].id) &&
				o->wait.reason == WAIT_PIPE_READ &&
				can_write(st, st->processes[t->process].id, o->wait.pipe_id))
				return true;
		}
	}
	return false;
}

/* Says whether a member writes to the pipe that a process has for its errors, beside one to the same reader for its output. */
static bool is_error_output(const struct state *st, const struct stuck_set *s)
{
	static const char sql[] =
		"WITH open AS (SELECT * FROM pipe_end WHERE open_ns <= ?2 AND (close_ns IS NULL OR close_ns > ?2))"
		" SELECT 1 FROM open e JOIN open o ON o.process_id = e.process_id AND o.pipe_id <> e.pipe_id"
		" JOIN open x ON x.pipe_id = e.pipe_id JOIN open y ON y.pipe_id = o.pipe_id AND y.process_id = x.process_id"
		" WHERE e.pipe_id = ?1 AND e.fd = 2 AND e.mode = 'w' AND o.mode = 'w' AND x.mode = 'r' AND y.mode = 'r' LIMIT 1";

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;

		if (w->reason == WAIT_PIPE_WRITE &&
			query_pair(st->db, sql, w->pipe_id, st->now_ns, 0, st->why))
			return true;
	}
	return false;
}

static bool is_connected_to_itself(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		uint32_t p = state_pipe(st, st->threads[s->members[i]].wait.pipe_id);

		if (p != STATE_NONE && st->pipes[p].is_to_itself)
			return true;
	}
	return false;
}

/* Says whether a member reads a pipe into which its own process has written. */
static bool has_written_itself(const struct state *st, const struct stuck_set *s)
{
	return any_of(s, 1u << WAIT_PIPE_READ) &&
	       any_wait(st, s,
		       "SELECT 1 FROM wait w JOIN thread t ON t.id = w.thread_id JOIN pipe_io i ON i.pipe_id = w.pipe_id"
		       " JOIN thread o ON o.id = i.thread_id WHERE w.id = ?1 AND i.op = 'write' AND i.bytes > 0"
		       " AND o.process_id = t.process_id LIMIT 1");
}

static const char *pipe_remedy(const struct state *st, const struct stuck_set *s)
{
	if (wants_processes_alone(st, s))
		return "Let one of them end without waiting for the end of the other, or wait with a timeout.";
	if (any_of(s, 1u << WAIT_CHILD) &&
		any_wait(st, s,
			"SELECT 1 FROM wait w LEFT JOIN wait_on o ON o.wait_id = w.id"
			" JOIN pipe p ON p.id = coalesce(w.pipe_id, o.pipe_id)"
			" WHERE w.id = ?1 AND p.listener_id AND p.inode2 IS NULL"))
		return "Do not block until a process has ended that asks this one for something: accept its connection meanwhile,"
		       " in another thread or in the event loop.";
	if (is_error_output(st, s))
		return "Read the child's standard error while it runs, too (in a thread of its own), or send it where its output goes.";
	if (wants_process(st, s) && wants_to_write(st, s))
		return "Read the child's output to its end first, then wait for the child.";
	if (any_of(s, 1u << WAIT_CHILD) && !has_kept_end(st, s))
		return "Close the write end of a pipe in each child that does not write to it (O_CLOEXEC does it): a reader"
		       " comes to the end only when nobody has the write end any more.";
	if (wants_process(st, s))
		return "Close the write end of the pipe from which the child reads, and send what it"
		       " still expects, before waiting for it.";
	if (!strcmp(s->shape, "self") && is_connected_to_itself(st, s))
		return "The socket is connected to its own address, which happens where nobody listens on a port of those that clients"
		       " are given. After connect compare getsockname with getpeername, and let servers listen on other ports.";
	if (!strcmp(s->shape, "self") && is_connection(st, s))
		return "Do not wait for a reply that the same thread would have to send: let another thread"
		       " serve the request, or call the function directly.";
	if (!strcmp(s->shape, "self") && all_of(s, 1u << WAIT_POLL))
		return "Nothing this event loop polls can become ready any more: look for tasks in it that wait for each"
		       " other, or for something that nobody does.";
	if (!strcmp(s->shape, "self") && any_of(s, 1u << WAIT_PIPE_WRITE))
		return "Nobody else reads what is written there: let another thread or process read it meanwhile, or write no"
		       " more than it holds.";
	if (!strcmp(s->shape, "self") && has_written_itself(st, s))
		return "All that this process wrote to the pipe has been read. Close its write end first, if it is to read until the end;"
		       " where the bytes are tokens (a jobserver's), whoever takes one has to write it back before ending.";
	if (!strcmp(s->shape, "self") || !strcmp(s->shape, "abandoned"))
		return "Close the end of the pipe that this process does not use.";
	if (wants_to_write(st, s))
		return "Read while writing: poll both directions, or use a thread for each.";
	return "Let one side send first, and flush what it has buffered before it waits for the answer;"
	       " close the ends that are not used.";
}

/* Says whether a member waits for semaphores of System V. */
static bool wants_semaphores(const struct state *st, const struct stuck_set *s)
{
	return any_wait(st, s,
		"SELECT 1 FROM wait WHERE id = ?1 AND reason = 'ipc' AND syscall LIKE 'sem%'");
}

/* Says whether a wait is for something that any thread of its language could do: fill a queue, complete a future. */
static bool is_for_runtime(const struct state *st, const struct state_wait *w)
{
	enum runtime_kind kind;

	if (w->reason == WAIT_COND)
		return state_is_of_runtime(state_lock_of(st, w));
	if (w->reason != WAIT_SEM)
		return false;
	kind = naming_runtime_kind(st->db, w->lock_id);
	return kind == RUNTIME_KIND_POOL || kind == RUNTIME_KIND_WORK ||
	       kind == RUNTIME_KIND_RESULT || kind == RUNTIME_KIND_OTHER;
}

/* Says whether a member waits for a lock of a language which does not say who holds it. */
static bool wants_lock_of_language(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;

		if (w->reason == WAIT_SEM &&
			naming_runtime_kind(st->db, w->lock_id) == RUNTIME_KIND_LOCK)
			return true;
	}
	return false;
}

static bool waits_in_runtime(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (is_for_runtime(st, &st->threads[s->members[i]].wait))
			return true;
	return false;
}

/* What concerns a lock that is wanted while something else is waited for. */
/* Says whether a member that has a lock which another one wants waits for something that anybody may do. */
static bool waits_under_lock(const struct state *st, const struct stuck_set *s)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_lock *l = state_lock_of(st, &st->threads[s->members[i]].wait);
		uint32_t h = l ? l->first_holder : STATE_NONE, holder;

		if (h == STATE_NONE)
			continue;
		holder = state_thread(st, st->holders[h].thread_id);
		for (size_t k = 0; k < s->n_members; k++)
			if (s->members[k] == holder && holder != s->members[i] &&
				wait_info(st->threads[holder].wait.reason)->needs_others)
				return true;
	}
	return false;
}

static const char *held_remedy(const struct state *st, const struct stuck_set *s)
{
	if (any_of(s, 1u << WAIT_COND))
		return "Release other locks before waiting on a condition: pthread_cond_wait releases only"
		       " its own mutex, and a recursive one only once.";
	if (any_of(s, of_kind(KIND_PIPE)))
		return "Do not hold a lock while reading or writing a pipe whose other side needs that"
		       " lock.";
	if (any_of(s, 1u << WAIT_CHILD) && stuck_is_held_by_parent(st, s))
		return "Release the lock, or close its file in the child, before waiting for a"
		       " process that needs it.";
	return waits_under_lock(st, s)
		       ? "Do not hold a lock while waiting for something that other threads can only do"
			 " while holding that lock."
		       : NULL;
}

/* SQL that says whether a wait is for an object of a type. */
#define FOR_TYPE(type)                                                                             \
	"SELECT 1 FROM wait w JOIN lock l ON l.id = w.lock_id WHERE w.id = ?1 AND l.type = '" type \
	"'"

/* What concerns a single cause, whatever else is waited for. */
static const char *cause_remedy(const struct state *st, const struct stuck_set *s)
{
	const unsigned objects = of_kind(KIND_LOCK) | 1u << WAIT_FUTEX;

	if (stuck_wants_copy(st, s))
		return fork_remedy;
	if (any_wait(st, s, FOR_TYPE(LOCK_TYPE_EMPTY_SELECT)))
		return "An empty select never ends: to wait for other goroutines use a sync.WaitGroup or a channel.";
	if (any_wait(st, s, FOR_TYPE(LOCK_TYPE_NIL_CHANNEL)))
		return "Make the channel before it is used: nothing ever passes through a nil channel.";
	if (any_wait(st, s, FOR_TYPE(LOCK_TYPE_WRITE) " AND w.target_thread_id IS NULL"))
		return upgrade_remedy;
	if (s->maybe & MAYBE_TRACED)
		return "Let a thread that ptrace has stopped go on (PTRACE_CONT, PTRACE_DETACH) before waiting for"
		       " what it is to do.";
	if (all_of(s, 1u << WAIT_SIGNAL) && s->n_members == 1 &&
		st->processes[st->threads[s->members[0]].process].has_zombie)
		/* One that came just before pause was called did not end it, however many the handler reaped. */
		return any_wait(st, s, "SELECT 1 FROM wait WHERE id = ?1 AND syscall = 'pause'")
			       ? "Block SIGCHLD before testing whether to wait, and let it in by sigsuspend alone: pause does not see"
				 " what came before it. Reap all children that have ended (waitpid with WNOHANG, until it returns none)."
		       : state_awaits(&st->threads[s->members[0]], SIGCHLD)
			       ? "Each time that SIGCHLD comes reap all children that have ended, for one may stand for"
				 " several: call waitpid with WNOHANG until it returns none."
			       : "In the handler of SIGCHLD reap all children that have ended: call waitpid with"
				 " WNOHANG until it returns none.";
	if (all_of(s, 1u << WAIT_SIGNAL) && s->n_members == 1 &&
		state_awaits(&st->threads[s->members[0]], SIGCHLD) &&
		st->processes[st->threads[s->members[0]].process].child == STATE_NONE)
		return "Wait for SIGCHLD only as long as there is a child that has not been reaped: its own signal may"
		       " have come with that of another one.";
	if (all_of(s, 1u << WAIT_SIGNAL) && s->n_members == 1 &&
		state_catches(st, s->members[0], SIGCHLD) &&
		!state_catches_any(st, st->threads[s->members[0]].process))
		return "Block SIGCHLD before testing whether the child has ended, and let it in by sigsuspend"
		       " alone.";
	if (s->n_members != 1 || !all_of(s, objects))
		return NULL;
	if (is_in_handler(st, s))
		return "In a signal handler call only what signal-safety(7) lists: it may have"
		       " interrupted the thread while that holds the lock.";
	return (any_of(s, 1u << WAIT_FUTEX) || wants_lock_of_language(st, s)) && is_forked(st, s)
		       ? fork_remedy
		       : NULL;
}

/* Says whether all members wait for one read-write mutex of Go: for its readers, or for a writer in front of them. */
static bool wants_one_rwmutex(const struct state *st, const struct stuck_set *s)
{
	static const char sql[] = "SELECT l.address FROM wait w JOIN lock l ON l.id = w.lock_id"
				  " WHERE w.id = ?1 AND l.type = 'sync.RWMutex'";
	enum { SIZE = 24 }; /* readers are counted in it */
	int64_t low = INT64_MAX, high = 0;

	for (size_t i = 0; i < s->n_members; i++) {
		int64_t at =
			query_number(st->db, sql, st->threads[s->members[i]].wait.id, 0, st->why);

		low = at < low ? at : low;
		high = at > high ? at : high;
	}
	return low > 0 && high < low + SIZE;
}

/* Returns how many members want locks of Rust or C++, where the others only wait for their end; else 0. */
static size_t futex_locks(const struct state *st, const struct stuck_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;

		if (w->reason != WAIT_JOIN && !stuck_futex_is_lock(st, w))
			return 0;
		n += w->reason != WAIT_JOIN;
	}
	return n;
}

/* What concerns locks of which nobody knows who has them, or what is done once, in C++: __cxa_guard_acquire. */
static const char *futex_remedy(const struct state *st, const struct stuck_set *s)
{
	size_t n = futex_locks(st, s);

	if (any_of(s, 1u << WAIT_FUTEX) &&
		any_wait(st, s,
			"SELECT 1 FROM wait w JOIN lock l ON l.id = w.lock_id WHERE w.id = ?1"
			" AND l.name LIKE 'guard variable for %'"))
		return "What initialises a static variable must not need that variable, nor wait for a thread that does:"
		       " start such a thread once it is initialised.";
	if (n > 1)
		return lock_remedy(st, s);
	if (n == 1 && any_of(s, 1u << WAIT_JOIN))
		return "Release a lock before joining a thread that needs it, and do not acquire it again while"
		       " holding it.";
	return n == 1 ? "Release the lock on every exit path of a thread, and do not acquire it again while holding it."
		      : NULL;
}

/* Says whether two members want locks of whose holders nothing is known, and others only wait for their end. */
static bool crosses(const struct state *st, const struct stuck_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_members; i++)
		n += st->threads[s->members[i]].wait.reason != WAIT_JOIN;
	return n > 1 && !stuck_has_holder(st, s);
}

/* What concerns locks alone, and the end of threads that want them. */
static const char *only_locks_remedy(const struct state *st, const struct stuck_set *s)
{
	const unsigned locks = of_kind(KIND_LOCK), or_join = locks | 1u << WAIT_JOIN;

	if (all_of(s, or_join) && any_wait(st, s, FOR_TYPE(LOCK_TYPE_IMPORT)))
		return "While a module is imported, do not wait for a thread that imports it too, nor for a lock that such a"
		       " thread holds: start the work from a function that is called when all is imported.";
	/* An initialiser may wait for such a thread in any way, as by a parallel stream. */
	if (all_of(s, or_join | 1u << WAIT_COND) &&
		any_wait(st, s, FOR_TYPE(LOCK_TYPE_CLASS) " AND l.kind <> 'monitor'"))
		return "A static initialiser must not need a class whose own initialiser needs this one (a subclass, say), nor"
		       " wait for a thread that does: create what it needs later, on first use.";
	if (all_of(s, locks) && any_wait(st, s, FOR_TYPE(LOCK_TYPE_ONCE)))
		return "A function given to Do must not call Do of the same Once, nor wait for somebody who does:"
		       " take locks and wait for others outside it.";
	if (all_of(s, locks) && wants_one_rwmutex(st, s))
		return "Do not lock a read-write mutex again while holding it for reading: a writer waits until all"
		       " have read, and meanwhile no new reader is let in.";
	if (!all_of(s, or_join) || !any_of(s, locks) || any_of(s, 1u << WAIT_SEM))
		return NULL;
	return any_of(s, 1u << WAIT_JOIN) && !crosses(st, s) && !want_one_unseen(st, s)
		       ? "Release the lock before joining a thread that needs it."
		       : lock_remedy(st, s);
}

/* What concerns opening FIFOs: several, in opposite orders, or one whose other side those who should open it never reach. */
static const char *fifo_remedy(const struct state *st, const struct stuck_set *s)
{
	int64_t first = -1;

	if (any_of(s, of_kind(KIND_LOCK)) && stuck_has_holder(st, s))
		return "Do not hold a lock while opening a FIFO whose other side is opened by somebody who needs that lock, or open"
		       " the FIFO with O_RDWR or O_NONBLOCK.";
	for (size_t i = 0; i < s->n_members; i++) {
		const struct state_wait *w = &st->threads[s->members[i]].wait;

		if (w->reason != WAIT_FIFO_OPEN)
			continue;
		if (!w->pipe_id || (first >= 0 && w->pipe_id != first))
			return wait_info(WAIT_FIFO_OPEN)->remedy;
		first = w->pipe_id;
	}
	return "Open the other side of the FIFO, too, before waiting for somebody who opens it, or open it with O_RDWR or"
	       " O_NONBLOCK.";
}

/* Says whether a member uses a pipe in this way whose other end its own process has. */
static bool has_other_end(
	const struct state *st, const struct stuck_set *s, enum wait_reason reason)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (st->threads[s->members[i]].wait.reason == reason &&
			state_has_own_end(st, s->members[i]))
			return true;
	return false;
}

/* What concerns a pipe between threads of one process, one of which waits for the end of the other. */
static const char *joined_remedy(const struct state *st, const struct stuck_set *s)
{
	if (!all_of(s, of_kind(KIND_PIPE) | 1u << WAIT_JOIN) || !any_of(s, 1u << WAIT_JOIN))
		return NULL;
	if (has_other_end(st, s, WAIT_PIPE_WRITE))
		return "Read from the pipe before joining the thread that writes to it.";
	return has_other_end(st, s, WAIT_PIPE_READ)
		       ? "Send what is still expected, and close the write end of the pipe, before joining the thread that reads it."
		       : NULL;
}

/* What concerns pipes, and the children at their other ends. */
static const char *only_pipes_remedy(const struct state *st, const struct stuck_set *s)
{
	const unsigned pipes = of_kind(KIND_PIPE);

	if (any_of(s, 1u << WAIT_FIFO_OPEN))
		return fifo_remedy(st, s);
	if (joined_remedy(st, s))
		return joined_remedy(st, s);
	if (any_of(s, 1u << WAIT_VFORK) && any_of(s, pipes))
		return "Give the child what it needs before vfork, or call fork: a parent sleeps until its child"
		       " of vfork executes a program or ends.";
	if (all_of(s, pipes | 1u << WAIT_CHILD) && any_of(s, pipes))
		return pipe_remedy(st, s);
	/* The child ends its threads before it ends itself. */
	if (all_of(s, pipes | 1u << WAIT_CHILD | 1u << WAIT_JOIN) && any_of(s, 1u << WAIT_CHILD) &&
		any_of(s, 1u << WAIT_PIPE_WRITE))
		return pipe_remedy(st, s);
	return NULL;
}

/* What concerns locks beside something else, and the objects of languages. */
static const char *mixed_remedy(const struct state *st, const struct stuck_set *s)
{
	const unsigned locks = of_kind(KIND_LOCK), pipes = of_kind(KIND_PIPE);

	if (waits_in_runtime(st, s) && any_of(s, 1u << WAIT_LOCK) && !any_of(s, pipes))
		return "Do not hold a lock while waiting for something that other threads can only do"
		       " while holding that lock.";
	if (any_of(s, locks) && (stuck_has_holder(st, s) || wants_lock_of_language(st, s)) &&
		held_remedy(st, s))
		return held_remedy(st, s);
	if (are_runtime_locks(st, s))
		return lock_remedy(st, s);
	if (waits_in_runtime(st, s) && s->n_members == 1)
		return "Make sure that what is waited for happens on every path, including error paths, or wait"
		       " with a timeout.";
	if (waits_in_runtime(st, s))
		return "Let a thread that depends on none of the others provide what is waited for, or wait"
		       " with a timeout.";
	return NULL;
}

/* What concerns queues of System V and POSIX, where nobody sends, or nobody receives. */
static const char *queue_remedy(const struct state *st, const struct stuck_set *s)
{
	static const char sends[] = "SELECT 1 FROM wait WHERE id = ?1 AND detail LIKE 'sends to %'";
	size_t n = 0;

	if (!all_of(s, 1u << WAIT_IPC))
		return NULL;
	for (size_t i = 0; i < s->n_members; i++)
		n += query_number(st->db, sends, st->threads[s->members[i]].wait.id, 0, st->why) ==
		     1;
	if (n == s->n_members)
		return "Receive from the queue while others send to it, or send without blocking (IPC_NOWAIT, O_NONBLOCK).";
	return n == 0 && n + 1 == s->n_members
		       ? "Let somebody send to the queue before this thread waits for a message, or receive without blocking"
			 " (IPC_NOWAIT, O_NONBLOCK)."
		       : NULL;
}

/* What concerns a semaphore that is no lock, whose waiter another member waits for in another way. */
static const char *post_remedy(const struct state *st, const struct stuck_set *s)
{
	if (!any_of(s, 1u << WAIT_SEM) || all_of(s, 1u << WAIT_SEM) || stuck_has_holder(st, s))
		return NULL;
	for (size_t i = 0; i < s->n_members; i++)
		if (st->threads[s->members[i]].wait.reason == WAIT_SEM &&
			naming_runtime_kind(st->db, st->threads[s->members[i]].wait.lock_id) !=
				RUNTIME_KIND_NONE)
			return NULL;
	return "Post the semaphore before waiting for what its waiter is to do afterwards.";
}

/* What is left: the reasons by themselves. */
static const char *other_remedy(const struct state *st, const struct stuck_set *s)
{
	if (wants_semaphores(st, s))
		return "Post semaphores on every exit path (SEM_UNDO does it where a process ends), and take"
		       " several of them in one call, or in the same order everywhere.";
	if (any_of(s, 1u << WAIT_POLL) && any_of(s, 1u << WAIT_PIPE_READ))
		return "Let one of them send what the other waits for first, or wait with a timeout.";
	if (futex_remedy(st, s))
		return futex_remedy(st, s);
	if (queue_remedy(st, s))
		return queue_remedy(st, s);
	if (post_remedy(st, s))
		return post_remedy(st, s);
	if (own_remedy(s))
		return own_remedy(s);
	if (all_of(s, 1u << WAIT_JOIN))
		return "Let only one thread join the others.";
	if (waits_of(st, s, WAIT_EVENTFD) > 1)
		return "Let one of them write to the eventfd of the other before it reads its own, or wait with"
		       " a timeout.";
	if (any_of(s, 1u << WAIT_EVENTFD | 1u << WAIT_SIGNAL) && !any_of(s, 1u << WAIT_POLL) &&
		any_of(s, 1u << WAIT_JOIN))
		return "Let the thread have what it waits for, or tell it to end, before joining it.";
	if (any_of(s, 1u << WAIT_POLL) && any_of(s, 1u << WAIT_JOIN))
		return "Ask a thread's loop to stop before joining the thread.";
	return s->n_members == 1
		       ? "Make sure that what it waits for is provided, or wait with a timeout."
		       : "Let one of them do its part without waiting for the others.";
}

const char *stuck_remedy(const struct state *st, const struct stuck_set *s)
{
	const char *remedy = cause_remedy(st, s);

	if (!remedy && s->asks)
		remedy = held_remedy(st, s);
	if (!remedy)
		remedy = only_locks_remedy(st, s);
	if (!remedy)
		remedy = only_pipes_remedy(st, s);
	if (!remedy)
		remedy = mixed_remedy(st, s);
	return remedy ? remedy : other_remedy(st, s);
}
