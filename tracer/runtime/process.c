/* process.c - what readers ask about a process besides its memory: one that runs, or one that a core is of. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/authority/authority.h"
#include "tracer/core/core.h"
#include "tracer/runtime/memory.h"
#include "tracer/symbols/symbols.h"

_Static_assert((int)CORE_KEPT == (int)SYMBOLS_KEPT, "the same registers");

struct memory runtime_memory(const struct runtime_process *p, size_t budget)
{
	return (struct memory){.pid = p->pid, .core = p->core, .budget = budget};
}

bool runtime_exe(const struct runtime_process *p, char *ret, size_t size)
{
	const char *program = p->core ? core_process(p->core)->program : NULL;
	char link[32];
	ssize_t len;

	if (p->core) {
		(void)snprintf(ret, size, "%s", program ? program : "");
		return program && strlen(program) < size;
	}
	(void)snprintf(link, sizeof link, "/proc/%d/exe", (int)p->pid);
	len = readlink(link, ret, size - 1);
	ret[len > 0 ? len : 0] = '\0';
	return len > 0;
}

int runtime_open_exe(const struct runtime_process *p)
{
	char path[4096];
	int fd;

	if (p->core)
		return runtime_exe(p, path, sizeof path)
			       ? authority_open(path, AUTHORITY_MODULE_MAX)
			       : -ENOENT;
	(void)snprintf(path, sizeof path, "/proc/%d/exe", (int)p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const struct core_thread *thread_of(const struct core *core, pid_t tid)
{
	const struct core_process *p = core_process(core);

	for (size_t i = 0; i < p->n_threads; i++)
		if (p->threads[i].tid == tid)
			return &p->threads[i];
	return NULL;
}

bool runtime_call_read(const struct runtime_process *p, pid_t tid, struct runtime_call *ret)
{
	const struct core_thread *t = p->core ? thread_of(p->core, tid) : NULL;
	_cleanup_fclose_ FILE *f = NULL;
	char line[128];

	*ret = (struct runtime_call){.nr = -1};
	if (p->core) {
		if (t && t->nr >= 0)
			*ret = (struct runtime_call){t->nr, {t->args[0], t->args[1]}};
		return t && t->nr >= 0;
	}
	(void)snprintf(line, sizeof line, "/proc/%d/task/%d/syscall", (int)p->pid, (int)tid);
	f = fopen(line, "re");
	if (!f || !fgets(line, sizeof line, f))
		return true;
	if (sscanf(line, "%" SCNd64 " 0x%" SCNx64 " 0x%" SCNx64, &ret->nr, &ret->args[0],
		    &ret->args[1]) != 3)
		ret->nr = -1;
	return strncmp(line, "running", 7) != 0;
}

int runtime_unwind(
	const struct runtime_process *p, pid_t tid, struct symbols_frame *frames, int max)
{
	const struct core_thread *t = p->core ? thread_of(p->core, tid) : NULL;
	struct symbols_registers at = {.nr = -1};
	int rc;

	if (p->core) {
		if (!t)
			return -ESRCH;
		at = (struct symbols_registers){.nr = t->nr,
			.arg0 = t->args[0],
			.sp = t->sp,
			.pc = t->pc,
			.has_kept = true};
		memcpy(at.kept, t->kept, sizeof at.kept);
		return symbols_unwind_memory(
			p->symbols, p->key, &at, core_read, p->core, frames, max);
	}
	rc = symbols_registers_read(p->pid, tid, &at);
	return rc ? rc : symbols_unwind_from(p->symbols, p->key, p->pid, &at, frames, max);
}
