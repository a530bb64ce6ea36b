/* golang.c - the goroutines of a Go program. */
/* SPDX-License-Identifier: MIT */
/*
 * A goroutine that waits has no thread: it is told as a task of its own. One that
 * runs, or is in a system call, is told by the thread that it has then; what the
 * kernel sees of that is right. All other threads of the runtime serve it: they
 * have nothing that the program waits for.
 *
 * What is said of waits must hold of one moment. No counter tells whether a
 * goroutine has run; but if no thread of the process has, none has. Where one had each
 * time, that thread is told as somebody who may do anything.
 */
#include "tracer/runtime/golang/golang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/symbols/symbols.h"

enum {
	READS = 20000000, /* each time */
	SCANS = 20000,    /* of functions, for who has a mutex */
	TRIES = 6,        /* to find a moment when no thread ran */
	/* after the first; twice as long after each other: who wants a processor gets one meanwhile */
	PAUSE_US = 1000,
	MAX_MACHINES = 10000,
	MAX_PROCESSORS = 4096,
	SCAN_BIT = 0x1000 /* of the garbage collector, in a status */
};

/* The number of a task that has no thread. */
static pid_t next_task(const struct runtime_process *p)
{
	return (pid_t)(RUNTIME_TASK_FIRST + (*p->tasks)++);
}

/* ---- Reading ---- */

static void read_goroutine(struct golang *go, struct goroutine *g, uint64_t addr)
{
	const struct golang_layout *l = &go->layout;
	uint8_t reason = 0;

	*g = (struct goroutine){.addr = addr};
	g->status = golang_u32(go, addr, l->g_status) & ~(uint32_t)SCAN_BIT;
	g->id = golang_u64(go, addr, l->g_id);
	g->m = golang_u64(go, addr, l->g_m);
	g->pc = golang_u64(go, addr + l->g_sched, l->buf_pc);
	g->sp = golang_u64(go, addr + l->g_sched, l->buf_sp);
	g->bp = golang_u64(go, addr + l->g_sched, l->buf_bp);
	g->stack_low = golang_u64(go, addr + l->g_stack, 0);
	g->stack_high = golang_u64(go, addr + l->g_stack, 8);
	(void)memory_cached(&go->memory, addr + l->g_reason, &reason, 1);
	g->reason = reason;
	g->channel = golang_u64(go, golang_u64(go, addr, l->g_waiting), l->sudog_channel);
}

/* The goroutines that have not ended. Returns -E2BIG if there are too many. */
static int read_goroutines(struct golang *go)
{
	uint64_t array = golang_u64(go, go->allgs, 0), n = golang_u64(go, go->allgs, 8);

	/* Those that have ended are kept, to be used again. */
	if (n > 4 * GOLANG_GOROUTINES)
		return -E2BIG;
	go->list = xcalloc((size_t)n + 1, sizeof *go->list);
	for (uint64_t i = 0; i < n; i++) {
		struct goroutine *g = &go->list[go->n];
		uint64_t addr = golang_u64(go, array, 8 * i);

		if (!addr)
			continue;
		read_goroutine(go, g, addr);
		if (g->status >= GO_RUNNABLE && g->status != GO_DEAD)
			go->n++;
		if (go->n > GOLANG_GOROUTINES)
			return -E2BIG;
	}
	return 0;
}

/* The goroutine that brings signals; most of the time it has a thread, on which it sleeps. */
static bool is_signal_loop(struct golang *go, const struct goroutine *g)
{
	uint64_t start = golang_u64(go, g->addr, go->layout.g_start);
	const char *function =
		start ? symbols_function(go->process->symbols, go->process->key, start, false)
		      : NULL;

	return function && !strcmp(function, "os/signal.loop");
}

/* The function that a goroutine began with tells those of the runtime apart. */
static bool is_of_runtime(struct golang *go, const struct goroutine *g)
{
	struct runtime_frame frames[RUNTIME_MAX_FRAMES];
	size_t n = golang_show_frames(go, g, frames, RUNTIME_MAX_FRAMES);
	const char *first = n ? frames[n - 1].function : "";

	if (is_signal_loop(go, g)) {
		go->has_signals = true;
		return true;
	}
	if (strncmp(first, "runtime.", 8) != 0 || !strcmp(first, "runtime.main"))
		return false;
	/* Finalizers are functions of the program. */
	return strncmp(first, "runtime.runfinq", 15) != 0 ||
	       (g->reason < GOLANG_REASONS && !strcmp(go->reasons[g->reason], "finalizer wait"));
}

/* Says whether some timer is set, that may send to a channel or call a function. */
static bool has_timers(struct golang *go)
{
	const struct golang_layout *l = &go->layout;
	uint64_t array = golang_u64(go, go->allp, 0), n = golang_u64(go, go->allp, 8);

	for (uint64_t i = 0; i < n && i < MAX_PROCESSORS; i++) {
		uint64_t p = golang_u64(go, array, 8 * i);

		if (p && (l->p_timer_count != GOLANG_NONE
					 ? golang_u32(go, p, l->p_timer_count)
					 : golang_u32(go, p + l->p_timers, l->timers_len)))
			return true;
	}
	return n > MAX_PROCESSORS;
}

/* A second look, past what was read before: whoever has moved says nothing. */
static void look_again(struct golang *go)
{
	struct memory first = go->memory;

	/* Read anew, page by page: many goroutines lie in one. */
	go->memory = runtime_memory(go->process, first.budget);
	for (size_t i = 0; i < go->n; i++) {
		struct goroutine *g = &go->list[i], now;

		read_goroutine(go, &now, g->addr);
		g->is_torn = now.status != g->status || now.id != g->id || now.sp != g->sp ||
			     now.pc != g->pc;
	}
	memory_done(&go->memory);
	go->memory = first;
}

/* ---- Threads ---- */

/* Says whether a goroutine needs the thread that it has. */
static bool is_on_thread(const struct goroutine *g)
{
	return g->task && (g->status == GO_RUNNING || g->status == GO_SYSCALL);
}

/* Finds the threads of the runtime. is_idle: of each task, whether nothing of the program runs there. */
static void read_machines(struct golang *go, const struct tasks *tasks, bool *is_idle)
{
	const struct golang_layout *l = &go->layout;
	struct hash by_addr = {0};
	uint64_t m = golang_u64(go, go->allm, 0);

	for (size_t i = 0; i < go->n; i++)
		(void)hash_set(&by_addr, go->list[i].addr, &go->list[i]);
	for (unsigned i = 0; m && i < MAX_MACHINES; i++, m = golang_u64(go, m, l->m_next)) {
		const struct task *task = tasks_find(tasks, (pid_t)golang_u64(go, m, l->m_procid));
		struct goroutine *g = hash_get(&by_addr, golang_u64(go, m, l->m_curg));

		if (!task)
			continue;
		if (g && g->m == m)
			g->task = task;
		is_idle[task - tasks->list] = !g || !is_on_thread(g) || g->is_system;
	}
	hash_done(&by_addr);
}

static bool is_quiet(const struct golang *go, const struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->n; i++)
		if (!tasks->list[i].sleeps)
			return false;
	for (size_t i = 0; i < go->n; i++)
		if (go->list[i].is_torn)
			return false;
	return true;
}

/* Whoever runs is there to do anything: no quiet moment needs to be found. */
static bool is_running(const struct golang *go)
{
	for (size_t i = 0; i < go->n; i++)
		if (go->list[i].status == GO_RUNNING || go->list[i].status == GO_RUNNABLE)
			return true;
	return false;
}

static void forget(struct golang *go)
{
	free(go->list);
	go->list = NULL;
	go->n = 0;
	memory_done(&go->memory);
	go->memory.pages = (struct hash){0};
	go->memory.last = 0;
	go->memory.last_page = NULL;
}

/* ---- Telling ---- */

/* Who gets what is told. */
struct teller {
	struct golang *go;
	runtime_each *each;
	void *arg;
	struct runtime_thread *shown;
};

/* Something of the runtime that may do anything at any moment: timers, threads that run. */
static void tell_other(const struct teller *t, const char *name)
{
	memset(t->shown, 0, sizeof *t->shown);
	t->shown->tid = next_task(t->go->process);
	t->shown->is_task = t->shown->tells_wait = true;
	t->shown->wait.reason = WAIT_SLEEP;
	(void)snprintf(t->shown->name, sizeof t->shown->name, "%s", name);
	t->each(t->arg, t->shown);
}

static void tell_goroutine(const struct teller *t, const struct goroutine *g)
{
	struct runtime_thread *shown = t->shown;

	if (g->is_system)
		return;
	memset(shown, 0, sizeof *shown);
	shown->tid = g->tid;
	(void)snprintf(
		shown->name, sizeof shown->name, "goroutine %llu", (unsigned long long)g->id);
	if (!is_on_thread(g)) {
		shown->is_task = shown->tells_wait = true;
		golang_wait(t->go, g, &shown->wait);
		if (!g->is_torn)
			shown->n_frames =
				golang_show_frames(t->go, g, shown->frames, RUNTIME_MAX_FRAMES);
	}
	t->each(t->arg, shown);
}

static void tell_all(
	const struct teller *t, const struct tasks *tasks, const bool *is_idle, bool quiet)
{
	struct golang *go = t->go;

	for (size_t i = 0; i < go->n; i++)
		tell_goroutine(t, &go->list[i]);
	for (size_t i = 0; i < tasks->n; i++) {
		if (!is_idle[i])
			continue;
		memset(t->shown, 0, sizeof *t->shown);
		t->shown->tid = tasks->list[i].tid;
		t->shown->is_housekeeping = true;
		t->each(t->arg, t->shown);
	}
	if (go->has_timers)
		tell_other(t, "timers");
	if (!quiet)
		tell_other(t, "threads that run");
}

/* What only a moment says at which nothing runs. */
static void find_out(struct golang *go)
{
	golang_asks(go);
	golang_reach(go);
}

/* One reading. Returns 1 if nothing ran meanwhile, else 0, -E2BIG, or -EFBIG if there was too much to read. */
static int read_once(struct golang *go, struct tasks *tasks, bool **ret_idle)
{
	int rc;

	tasks_read(tasks, go->process);
	rc = read_goroutines(go);
	if (rc)
		return rc;
	*ret_idle = xcalloc(tasks->n + 1, sizeof **ret_idle);
	for (size_t i = 0; i < go->n; i++) {
		struct goroutine *g = &go->list[i];

		if (g->status == GO_WAITING || g->status == GO_RUNNABLE)
			golang_frames(go, g);
		g->is_system = is_of_runtime(go, g);
	}
	read_machines(go, tasks, *ret_idle);
	golang_waits(go);
	golang_poll(go, !is_running(go));
	go->lost = 0;
	if (!is_running(go))
		find_out(go);
	go->has_timers = has_timers(go);
	look_again(go);
	/* What was not read is as if it were not there. */
	if (!go->memory.budget)
		return -EFBIG;
	tasks_settle(tasks, go->process);
	/* All that a core has is of one moment. */
	if (go->process->core || is_quiet(go, tasks))
		return 1;
	/* What a thread took from where it was still to be looked for into what had been seen may be missing. */
	for (size_t i = 0; i < go->n; i++) {
		go->list[i].is_lost = false;
		go->list[i].answerer = 0;
	}
	return 0;
}

/* Says whether nothing would be told of a quiet moment that is not known already. */
static bool is_enough(const struct golang *go)
{
	return is_running(go) && !golang_has_candidates(go);
}

/* Reads until nothing ran meanwhile, or often enough. Returns as read_once, of the last reading. */
static int read_quiet(struct golang *go, struct tasks *tasks, bool **ret_idle)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < TRIES; i++) {
		if (i)
			(void)usleep(PAUSE_US << (i - 1));
		tasks_done(tasks);
		free(*ret_idle);
		*ret_idle = NULL;
		forget(go);
		go->memory.budget = READS;
		go->scans = SCANS;
		go->is_unsearched = false;
		go->has_signals = false;
		rc = read_once(go, tasks, ret_idle);
		if (!rc && is_enough(go))
			break;
	}
	return rc;
}

static int threads(const struct runtime_process *p, runtime_each *each, void *arg, struct buf *why)
{
	_cleanup_free_ struct golang *go = xcalloc(1, sizeof *go);
	_cleanup_free_ struct runtime_thread *shown = xcalloc(1, sizeof *shown);
	struct teller t = {go, each, arg, shown};
	struct tasks tasks = {0};
	bool *is_idle = NULL;
	struct hash_slot *slot;
	int rc;

	/* While a program is traced goroutines come and go unseen. */
	if (!p->tasks)
		return -ENOENT;
	go->memory = runtime_memory(p, READS);
	rc = golang_open(go, p, why);
	if (!rc)
		rc = read_quiet(go, &tasks, &is_idle);
	if (rc == -E2BIG)
		buf_addf(why, "it has more than %d goroutines", GOLANG_GOROUTINES);
	if (rc == -EFBIG)
		buf_adds(why,
			"its goroutines have more on their stacks and in the heap than is looked through");
	for (size_t i = 0; rc >= 0 && i < go->n; i++)
		go->list[i].tid = is_on_thread(&go->list[i]) ? go->list[i].task->tid : next_task(p);
	if (rc >= 0 && go->is_unsearched)
		buf_addf(why,
			"it is not known which goroutines have the mutexes that others wait for: more than %d"
			" functions on their stacks lock something",
			SCANS);
	if (rc >= 0)
		tell_all(&t, &tasks, is_idle, rc);
	free(is_idle);
	tasks_done(&tasks);
	forget(go);
	for (size_t pos = 0; (slot = hash_next(&go->places, &pos));)
		free(slot->value);
	hash_done(&go->places);
	hash_done(&go->called);
	hash_done(&go->changing);
	for (size_t pos = 0; (slot = hash_next(&go->maps, &pos));)
		free(slot->value);
	hash_done(&go->maps);
	return rc < 0 ? rc : 0;
}

const struct runtime runtime_golang = {
	.language = "go", .threads = threads, .is_there = golang_is_there};
