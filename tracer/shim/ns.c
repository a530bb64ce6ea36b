/* ns.c - pids and tids of other PID namespaces as pptrace's own. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/mem.h"

/*
 * A process inside a namespace knows only its number there, unless it has still
 * the /proc of outside. /proc shows it with ours, and in its status the numbers
 * of all levels. What has gone
 * before anybody looked is not known, and its records are counted as lost:
 * under a wrong number they would belong to somebody else.
 */
enum { TRIES = 3 };

static uint64_t key_of(uint64_t pidns, uint32_t pid)
{
	return hash_mix(pidns, pid, 0);
}

/* Reads the innermost number from a status file: "NSpid:\t4711\t12\t1". */
static uint32_t innermost(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[256], *last;

	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		last = strrchr(line, '\t');
		return last ? (uint32_t)strtoul(last, NULL, 10) : 0;
	}
	return 0;
}

/* Looks through a folder of numbers for the one whose innermost number is wanted; pidns 0: any namespace. */
static uint32_t search(const char *folder, uint64_t pidns, uint32_t wanted)
{
	DIR *dir = opendir(folder);
	uint32_t found = 0;

	for (struct dirent *e; dir && !found && (e = readdir(dir));) {
		_cleanup_free_ char *path = NULL, *ns = NULL;
		struct stat st;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		ns = xasprintf("%s/%s/ns/pid", folder, e->d_name);
		if (pidns && (stat(ns, &st) < 0 || st.st_ino != pidns))
			continue;
		path = xasprintf("%s/%s/status", folder, e->d_name);
		if (innermost(path) == wanted)
			found = (uint32_t)strtoul(e->d_name, NULL, 10);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

uint32_t shim_ns_pid(struct shim_ns *ns, uint64_t pidns, uint32_t pid)
{
	if (!pidns || !ns->own || pidns == ns->own)
		return pid;
	return (uint32_t)(uintptr_t)hash_get(&ns->pids, key_of(pidns, pid));
}

void shim_ns_resolve(struct shim_ns *ns, struct shim_ring *r)
{
	_cleanup_free_ char *tasks = NULL;
	uint32_t pid = shim_ns_pid(ns, r->pidns, r->ns_pid);

	if (!r->pidns || !ns->own || r->pidns == ns->own) {
		r->pid = r->ns_pid;
		r->tid = r->ns_tid;
		return;
	}
	if (r->pid)
		return;
	/* It knew its own numbers by itself. */
	if (r->outer >> 32 && (uint32_t)r->outer) {
		r->pid = (uint32_t)(r->outer >> 32);
		r->tid = (uint32_t)r->outer;
		(void)hash_set(&ns->pids, key_of(r->pidns, r->ns_pid), (void *)(uintptr_t)r->pid);
		return;
	}
	if (r->tries++ >= TRIES)
		return;
	/* A number may have been another's before. */
	tasks = xasprintf("/proc/%u/status", pid);
	if (!pid || innermost(tasks) != r->ns_pid)
		pid = search("/proc", r->pidns, r->ns_pid);
	if (!pid)
		return;
	(void)hash_set(&ns->pids, key_of(r->pidns, r->ns_pid), (void *)(uintptr_t)pid);
	free(tasks);
	tasks = xasprintf("/proc/%u/task", pid);
	r->tid = r->ns_tid == r->ns_pid ? pid : search(tasks, 0, r->ns_tid);
	r->pid = r->tid ? pid : 0;
}

bool shim_ns_lost(const struct shim_ring *r)
{
	return r->pid == 0 && r->tries > TRIES;
}

void shim_ns_done(struct shim_ns *ns)
{
	hash_done(&ns->pids);
}
