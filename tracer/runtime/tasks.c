/* tasks.c - the threads of a process as the kernel knows them, and whether one has run since. */
/* SPDX-License-Identifier: MIT */
#include "tracer/runtime/tasks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/core/core.h"
#include "tracer/runtime/runtime.h"

/* The number behind the last blank of a line: of "NSpid:" that of the innermost namespace. */
static uint64_t last_number(const char *line, const char *end)
{
	const char *p = end;

	while (p > line && p[-1] != '\t' && p[-1] != ' ')
		p--;
	return strtoull(p, NULL, 10);
}

static void parse_line(struct task *t, const char *line, const char *end)
{
	size_t len;

	/* The file has more than fifty lines. */
	if (!strchr("NSvn", *line))
		return;
	if (!strncmp(line, "Name:\t", 6)) {
		len = (size_t)(end - line - 6);
		memcpy(t->name, line + 6, len < sizeof t->name ? len : sizeof t->name - 1);
	} else if (!strncmp(line, "State:\t", 7)) {
		t->sleeps = line[7] == 'S';
	} else if (!strncmp(line, "NSpid:\t", 7)) {
		t->inner = (pid_t)last_number(line, end);
	} else if (memmem(line, (size_t)(end - line), "ctxt_switches:", 14)) {
		t->switches += last_number(line, end);
	}
}

/* Reads /proc/PID/task/TID/status; false if the thread is gone. */
static bool read_task(struct task *t, pid_t pid, pid_t tid)
{
	char path[64], text[4096];
	_cleanup_close_ int fd = -1;
	ssize_t len;

	*t = (struct task){.tid = tid, .inner = tid};
	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (len <= 0)
		return false;
	text[len] = '\0';
	for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		parse_line(t, line, end);
	return true;
}

/* Nothing runs any more: who was in no system call might have gone on. */
static void read_core(struct tasks *t, const struct core_process *p)
{
	for (size_t i = 0; i < p->n_threads && t->n < RUNTIME_MAX_THREADS; i++) {
		const struct core_thread *from = &p->threads[i];

		ARRAY_GROW(t->list, t->n, t->cap);
		t->list[t->n++] = (struct task){
			.tid = from->tid, .inner = from->tid, .sleeps = from->nr >= 0};
	}
}

void tasks_read(struct tasks *t, const struct runtime_process *p)
{
	char path[64];
	const struct dirent *e;
	DIR *dir;

	if (p->core) {
		read_core(t, core_process(p->core));
		return;
	}
	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
	dir = opendir(path);
	while (dir && t->n < RUNTIME_MAX_THREADS && (e = readdir(dir)) != NULL) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);

		ARRAY_GROW(t->list, t->n, t->cap);
		if (tid > 0 && read_task(&t->list[t->n], p->pid, tid))
			t->n++;
	}
	if (dir)
		(void)closedir(dir);
}

void tasks_done(struct tasks *t)
{
	free(t->list);
	*t = (struct tasks){0};
}

const struct task *tasks_find(const struct tasks *t, pid_t inner)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].inner == inner)
			return &t->list[i];
	return NULL;
}

void tasks_settle(struct tasks *t, const struct runtime_process *p)
{
	if (p->core)
		return;
	for (size_t i = 0; i < t->n; i++) {
		struct task now;

		if (t->list[i].sleeps)
			t->list[i].sleeps = read_task(&now, p->pid, t->list[i].tid) && now.sleeps &&
					    now.switches == t->list[i].switches;
	}
}
