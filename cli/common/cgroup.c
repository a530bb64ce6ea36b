/* cgroup.c - the processes of a control group, or of a container, on the command line. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/cgroup.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <jansson.h>
#include <mntent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/common/pids.h"
#include "cli/common/say.h"

enum { ID_SHORT = 12, ID_DIGITS = 64 };

/* ---- Where they are mounted ---- */

/* Calls each with every mount point of control groups, version 2 and the controllers of version 1, until it returns true. */
static bool each_mount(bool (*each)(void *arg, const char *dir), void *arg)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	bool found = false;

	for (const struct mntent *m; !found && f && (m = getmntent(f));)
		if (!strcmp(m->mnt_type, "cgroup2") || !strcmp(m->mnt_type, "cgroup"))
			found = each(arg, m->mnt_dir);
	if (f)
		(void)endmntent(f);
	return found;
}

/* ---- The processes of a directory ---- */

static bool has(const struct pids *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i] == pid)
			return true;
	return false;
}

/* Adds the numbers in a file of a group. Returns how many, those that are 0 aside: of another PID namespace. */
static size_t add_from(struct pids *p, const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	pid_t self = getpid();
	size_t n = 0;
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid > 0 && pid != self && ++n && !has(p, pid)) {
			ARRAY_GROW(p->list, p->n, p->cap);
			p->list[p->n++] = pid;
		}
	return n;
}

/* Adds those of a directory and of all below it; the numbers of a threaded group stand with its root. Returns how many. */
static size_t add_below(struct pids *p, const char *dir)
{
	char *const roots[] = {(char *)(uintptr_t)dir, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	size_t n = 0;

	for (const FTSENT *e; fts && (e = fts_read(fts));)
		if (e->fts_info == FTS_D)
			n += add_from(p, e->fts_path, "cgroup.procs");
	if (fts)
		(void)fts_close(fts);
	return n;
}

/* ---- A group by its path ---- */

struct wanted {
	struct pids *pids;
	const char *name;
	size_t n;
	bool exists;
};

static bool is_group(const char *dir)
{
	_cleanup_free_ char *procs = xasprintf("%s/cgroup.procs", dir);

	return access(procs, F_OK) == 0;
}

static bool add_at(void *arg, const char *mount)
{
	struct wanted *w = arg;
	_cleanup_free_ char *dir =
		xasprintf("%s%s%s", mount, w->name[0] == '/' ? "" : "/", w->name);

	if (!is_group(dir))
		return false;
	w->exists = true;
	w->n = add_below(w->pids, dir);
	return w->n > 0;
}

bool cgroup_add(struct pids *p, const char *path)
{
	struct wanted w = {.pids = p, .name = path};

	if (is_group(path)) {
		w.exists = true;
		w.n = add_below(p, path);
	} else {
		(void)each_mount(add_at, &w);
	}
	if (w.n)
		return true;
	warn(w.exists ? "the control group '%s' has no processes that can be seen from here"
		      : "there is no control group '%s'",
		path);
	return false;
}

/* ---- A container by its name or ID ---- */

/* Returns the name that a directory gives a container, without what its manager puts around it; *ret_len long. */
static const char *container_of(const char *dir, size_t *ret_len)
{
	static const char *const before[] = {"docker-", "libpod-", "cri-containerd-", "crio-",
		"lxc.payload.", "lxc.", "machine-", "systemd-nspawn@", "runc-", "nerdctl-"};
	static const char *const after[] = {".scope", ".service"};

	*ret_len = strlen(dir);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		size_t n = strlen(before[i]);

		if (*ret_len > n && !strncmp(dir, before[i], n)) {
			dir += n;
			*ret_len -= n;
			break;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
		size_t n = strlen(after[i]);

		if (*ret_len > n && !strncmp(dir + *ret_len - n, after[i], n))
			*ret_len -= n;
	}
	return dir;
}

static bool is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len;
}

/* Says whether a directory of control groups is named after the container. */
static bool is_named(const char *dir, const char *name)
{
	size_t len, wanted = strlen(name);
	const char *own = container_of(dir, &len);

	if (len == wanted)
		return !strncmp(own, name, len);
	/* A long ID goes by its first digits. */
	return len == ID_DIGITS && wanted >= ID_SHORT && wanted < len && is_hex(own, len) &&
	       !strncmp(own, name, wanted);
}

static bool add_named(void *arg, const char *mount)
{
	struct wanted *w = arg;
	char *const roots[] = {(char *)(uintptr_t)mount, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);

	for (FTSENT *e; fts && (e = fts_read(fts));)
		if (e->fts_info == FTS_D && e->fts_level && is_named(e->fts_name, w->name)) {
			w->exists = true;
			w->n += add_below(w->pids, e->fts_path);
			(void)fts_set(fts, e, FTS_SKIP);
		}
	if (fts)
		(void)fts_close(fts);
	return w->n > 0;
}

/* Returns the ID in Docker's description of a container if that is its name, or NULL. */
static char *docker_id(json_t *about, const char *name)
{
	const char *id = json_string_value(json_object_get(about, "ID"));
	const char *own = json_string_value(json_object_get(about, "Name"));

	return id && own && !strcmp(own[0] == '/' ? own + 1 : own, name) ? xstrdup(id) : NULL;
}

/* The same for Podman's list of all. */
static char *podman_id(json_t *list, const char *name)
{
	size_t i, k;
	json_t *one, *own;

	json_array_foreach(list, i, one) json_array_foreach(json_object_get(one, "names"), k,
		own) if (json_is_string(own) && !strcmp(json_string_value(own), name) &&
			 json_string_value(json_object_get(
				 one, "id"))) return xstrdup(json_string_value(json_object_get(one,
		"id")));
	return NULL;
}

/* Returns the ID of the container that the files of a manager give that name, or NULL. */
static char *id_in(
	const char *pattern, char *(*find)(json_t *about, const char *name), const char *name)
{
	glob_t files = {.gl_pathc = 0};
	char *id = NULL;

	if (glob(pattern, GLOB_NOSORT, NULL, &files) == 0)
		for (size_t i = 0; i < files.gl_pathc && !id; i++) {
			json_t *about = json_load_file(files.gl_pathv[i], 0, NULL);

			id = about ? find(about, name) : NULL;
			json_decref(about);
		}
	globfree(&files);
	return id;
}

static char *id_of(const char *name)
{
	const char *home = getenv("HOME");
	_cleanup_free_ char *own =
		xasprintf("%s/.local/share/containers/storage/*-containers/containers.json",
			home ? home : "");
	char *id = id_in("/var/lib/docker/containers/*/config.v2.json", docker_id, name);

	if (!id)
		id = id_in("/var/lib/containers/storage/*-containers/containers.json", podman_id,
			name);
	return id ? id : id_in(own, podman_id, name);
}

bool cgroup_add_container(struct pids *p, const char *name)
{
	_cleanup_free_ char *id = id_of(name);
	struct wanted w = {.pids = p, .name = id ? id : name};

	if (*name && !strchr(name, '/'))
		(void)each_mount(add_named, &w);
	if (w.n)
		return true;
	warn(id || w.exists ? "the container '%s' has no processes that can be seen from here"
			    : "there is no container '%s'",
		name);
	return false;
}
