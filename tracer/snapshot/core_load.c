/* core_load.c - a core file as a snapshot of the process that it is of. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/mem.h"
#include "schema/names.h"
#include "tracer/core/core.h"
#include "tracer/snapshot/private.h"
#include "tracer/snapshot/snapshot.h"

_Static_assert((int)CORE_KEPT == (int)SYMBOLS_KEPT, "the same registers");

static void load_thread(struct snap_process *p, const struct core_thread *from)
{
	struct snap_thread *t = &p->threads[p->n_threads++];

	*t = (struct snap_thread){.tid = from->tid,
		.ns_tid = from->tid,
		.state = from->nr >= 0 ? 'S' : 'R',
		.has_syscall = from->nr >= 0,
		.has_run = from->nr < 0,
		.nr = from->nr,
		.sp = from->sp,
		.pc = from->pc,
		.has_kept = true};
	memcpy(t->comm, p->comm, sizeof t->comm);
	memcpy(t->args, from->args, sizeof t->args);
	memcpy(t->kept, from->kept, sizeof t->kept);
}

/* The command line, as far as the core has it: its words are not told apart if they contain blanks. */
static void load_args(struct snap_process *p, const char *text)
{
	for (size_t len; *(text += strspn(text, " ")); text += len) {
		len = strcspn(text, " ");
		buf_add(&p->args, text, len);
		buf_addc(&p->args, '\0');
	}
}

/* live stays 0: nothing is asked of whatever process has the number now. */
static struct snap_process *load(struct snapshot *s, struct core *core)
{
	const struct core_process *from = core_process(core);
	struct snap_process *p = xcalloc(1, sizeof *p);

	p->core = core;
	p->pid = p->ns_pid = from->pid;
	p->uid = from->uid;
	p->start_ts = s->now_mono;
	p->is_readable = p->has_memory = true;
	p->exe = from->exe ? xstrdup(from->exe) : NULL;
	p->args = BUF_INIT;
	memcpy(p->comm, from->comm, sizeof p->comm);
	load_args(p, from->args);
	p->threads = xcalloc(from->n_threads, sizeof *p->threads);
	for (size_t i = 0; i < from->n_threads; i++)
		load_thread(p, &from->threads[i]);
	s->n_threads = p->n_threads;
	for (size_t i = 0; i < from->n_maps; i++)
		if (from->maps[i].is_code)
			symbols_map(s->config->symbols, snap_key(p->pid), from->maps[i].start,
				from->maps[i].end - from->maps[i].start, from->maps[i].offset,
				from->maps[i].path);
	return p;
}

/* What is said before anything else: of whom the core is, and why it was made. */
static void tell(const struct core_process *p, struct buf *ret)
{
	char name[NAME_MAX_LEN];

	buf_adds(ret, "core of ");
	buf_add_printable(ret, p->comm, strlen(p->comm));
	buf_addf(ret, "[%d]", (int)p->pid);
	/* Debuggers write one of a process that goes on. */
	if (p->signo && p->signo != SIGTRAP)
		buf_addf(ret, ", which %s ended in thread %d", names_signal(p->signo, name),
			(int)p->threads[0].tid);
}

int snapshot_core(const struct snapshot_core_config *of, source_emit *emit, void *arg,
	struct buf *blind, struct buf *why)
{
	struct snapshot_config config = {.calls = true, .symbols = of->symbols};
	struct snapshot s = {.config = &config, .blind = blind, .now_mono = clock_now()};
	struct core *core;
	struct snap_process *p;
	int rc = core_open(of->path, of->exe, &core, blind, why);

	if (rc)
		return rc;
	buf_adds(blind,
		"A core has no descriptors, no timers and no other processes: who could end a wait for a pipe, a "
		"socket or a child is not known.\n");
	tell(core_process(core), of->told);
	p = load(&s, core);
	s.processes = &p;
	s.n_processes = 1;
	for (size_t i = 0; i < p->n_threads; i++) {
		struct snap_thread *t = &p->threads[i];

		/* Who was about to see that the word had changed was not blocked any more. */
		if (!t->has_run && t->nr == SYS_futex)
			t->has_run = !wait_stands(p, t);
		if (!t->has_run)
			wait_fill(&s, p, t);
		calls_walk(&s, p, t);
	}
	join_find(p);
	snapshot_emit(&s, emit, arg);
	if (of->each)
		of->each(arg, core);
	hash_done(&s.gone);
	proc_free(p);
	core_free(core);
	return 0;
}
