/* preload.c - give the preload library only to programs that it can be loaded into. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/processes/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/compat.h"
#include "schema/elf_kind.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"

enum { SCRIPT_DEPTH = 4 };

bool exec_is_ours(void)
{
	if (!shim_options.ready)
		shim_options_read();
	return shim_options.library[0] != '\0';
}

static long read_fd(void *arg, void *buf, size_t n, uint64_t at)
{
	return sys4(SYS_pread64, *(int *)arg, buf, n, at);
}

/* The interpreter of the program that runs now: the one that loads this library. */
static const char *own_interpreter(void)
{
	const ElfW(Phdr) *p = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	unsigned long n = getauxval(AT_PHNUM);
	const char *base = NULL;

	for (unsigned long i = 0; p && i < n; i++)
		if (p[i].p_type == PT_PHDR)
			base = (const char *)p - p[i].p_vaddr;
	for (unsigned long i = 0; p && i < n; i++)
		if (p[i].p_type == PT_INTERP)
			return base + p[i].p_vaddr;
	return NULL;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) || (sys4(SYS_newfstatat, AT_FDCWD, a, &x, 0) == 0 &&
					sys4(SYS_newfstatat, AT_FDCWD, b, &y, 0) == 0 &&
					x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* The loader ignores preloads with a slash then, and drops the variable. */
static bool gains_privileges(int fd)
{
	struct stat st;

	if (sys2(SYS_fstat, fd, &st) < 0)
		return true;
	return ((st.st_mode & S_ISUID) && st.st_uid != (uid_t)sys0(SYS_geteuid)) ||
	       ((st.st_mode & S_ISGID) && st.st_gid != (gid_t)sys0(SYS_getegid));
}

/* After a change of user the library or the arena may be out of reach; the loader would print an error. */
static bool can_reach(const char *path, int mode)
{
	long rc = sys4(SYS_faccessat2, AT_FDCWD, path, mode, AT_EACCESS);

	return rc == 0 || rc == -ENOSYS;
}

bool exec_can_bear(int dir, const char *path, int flags, char *const *env)
{
	char interp[ELF_INTERP_MAX], next[ELF_INTERP_MAX];
	const char *own = own_interpreter();

	/* The filter stays through the exec, and the library in the new program knows nothing of it. */
	if (sys_filtered || exec_is_plain(dir, path, flags, env))
		return false;
	if (!can_reach(shim_options.library, R_OK) || !can_reach(shim_options.given, R_OK | W_OK))
		return false;
	for (int depth = 0; depth <= SCRIPT_DEPTH; depth++) {
		enum elf_kind kind;
		bool gains;
		int fd;

		/* A bare descriptor is opened again: its own offset must not be used. */
		if (flags & AT_EMPTY_PATH && !*path)
			fd = (int)sys3(SYS_fcntl, dir, F_DUPFD_CLOEXEC, 0);
		else
			fd = (int)sys4(SYS_openat, dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
		if (fd < 0)
			return fd != -ENOENT &&
			       depth == 0; /* not readable but perhaps executable */
		kind = elf_kind_read(read_fd, &fd, interp);
		gains = gains_privileges(fd);
		sys1(SYS_close, fd);
		if (kind == ELF_DYNAMIC)
			return !gains && own && same_file(interp, own);
		/* execvp hands a file that is not a program to the shell. */
		if (kind == ELF_NONE && depth == 0)
			return true;
		if (kind != ELF_SCRIPT)
			return false;
		memcpy(next, interp, sizeof next);
		path = next;
		dir = AT_FDCWD;
		flags = 0;
	}
	return false;
}

static const char *path_variable(void)
{
	for (char **e = environ; e && *e; e++)
		if (!strncmp(*e, "PATH=", 5))
			return *e + 5;
	return "/bin:/usr/bin";
}

const char *exec_find(const char *file, char *buf, size_t size)
{
	size_t len = strlen(file);

	if (strchr(file, '/'))
		return file;
	for (const char *p = path_variable();; p++) {
		size_t n = strcspn(p, ":");

		if (n + len + 2 <= size) {
			memcpy(buf, p, n);
			buf[n] = '/';
			memcpy(buf + n + (n ? 1 : 0), file, len + 1);
			if (sys3(SYS_faccessat, AT_FDCWD, buf, X_OK) == 0)
				return buf;
		}
		p += n;
		if (!*p)
			return NULL;
	}
}

/* ---- The environment ---- */

static const char preload_is[] = "LD_PRELOAD=";
static const char arena_is[] = "PPTRACE_ARENA=";

static size_t env_count(char *const *env)
{
	size_t n = 0;

	while (env && env[n])
		n++;
	return n;
}

static const char *env_value(char *const *env, const char *name)
{
	for (; env && *env; env++)
		if (!strncmp(*env, name, strlen(name)))
			return *env + strlen(name);
	return "";
}

size_t exec_env_size(char *const *env)
{
	return (env_count(env) + 3) * sizeof(char *) + sizeof preload_is + sizeof arena_is +
	       2 * PATH_MAX + strlen(env_value(env, preload_is));
}

/* Says whether a list of libraries names this one. */
static bool list_has(const char *list, const char *own, size_t len)
{
	while (*list) {
		size_t n = strcspn(list, ": ");

		if (n == len && !memcmp(list, own, len))
			return true;
		list += n;
		list += strspn(list, ": ");
	}
	return false;
}

/* Says whether a library is the one that stands in front of MPI, which goes where this one goes. */
static bool is_mpi_library(const char *name, size_t len)
{
	static const char mpi[] = "/libpptrace-mpi.so";

	return len >= sizeof mpi - 1 && !memcmp(name + len - (sizeof mpi - 1), mpi, sizeof mpi - 1);
}

/* Writes LD_PRELOAD=... with this library first, or without it; returns the end. */
static char *write_preload(char *to, const char *list, bool bears)
{
	const char *own = shim_options.library;
	size_t len = strlen(own);
	bool first = true;

	memcpy(to, preload_is, sizeof preload_is - 1);
	to += sizeof preload_is - 1;
	if (bears) {
		memcpy(to, own, len);
		to += len;
		first = false;
	}
	while (*list) {
		size_t n = strcspn(list, ": ");

		if (n && (n != len || memcmp(list, own, n) != 0) &&
			(bears || !is_mpi_library(list, n))) {
			if (!first)
				*to++ = ':';
			memcpy(to, list, n);
			to += n;
			first = false;
		}
		list += n;
		list += strspn(list, ": ");
	}
	*to++ = '\0';
	return to;
}

char *const *exec_env(char *const *env, bool bears, void *mem)
{
	char **out = mem, **o = out, *text = (char *)(out + env_count(env) + 3);
	bool had_preload = false, had_arena = false;

	for (; env && *env; env++) {
		if (!strncmp(*env, preload_is, sizeof preload_is - 1) && !had_preload) {
			const char *list = *env + sizeof preload_is - 1;
			char *now = text;

			had_preload = true;
			if (bears && list_has(list, shim_options.library,
					     strlen(shim_options.library))) {
				*o++ = *env;
				continue;
			}
			text = write_preload(text, list, bears);
			if (now[sizeof preload_is - 1])
				*o++ = now;
			continue;
		}
		had_arena |= !strncmp(*env, arena_is, sizeof arena_is - 1);
		*o++ = *env;
	}
	if (bears && !had_preload) {
		*o++ = text;
		text = write_preload(text, "", true);
	}
	if (bears && !had_arena) {
		*o++ = text;
		memcpy(text, arena_is, sizeof arena_is - 1);
		memcpy(text + sizeof arena_is - 1, shim_options.given,
			strlen(shim_options.given) + 1);
	}
	*o = NULL;
	return out;
}
