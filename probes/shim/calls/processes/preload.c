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
#include "probes/shim/calls/processes/text.h"

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

/* The interpreter of the program that runs now: the one that loads this library. NULL: it has none. */
static const char *interpreter_find(void)
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

static AT_HAND bool interpreter_known;
static AT_HAND const char *interpreter;

const char *exec_interpreter(void)
{
	if (!interpreter_known) {
		interpreter = interpreter_find();
		__atomic_store_n(&interpreter_known, true, __ATOMIC_RELEASE);
	}
	return interpreter;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return text_is(a, b) || (sys4(SYS_newfstatat, AT_FDCWD, a, &x, 0) == 0 &&
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

/* Looks into the file; a function of its own, since no page of the stack is at hand for what it needs. */
__attribute__((noinline)) static bool file_can_bear(int dir, const char *path, int flags)
{
	char interp[ELF_INTERP_MAX], next[ELF_INTERP_MAX];
	const char *own = exec_interpreter();

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

bool exec_can_bear(int dir, const char *path, int flags, char *const *env)
{
	/* The filter stays through the exec, and the library in the new program knows nothing of it. */
	if (sys_filtered || exec_is_plain(dir, path, flags, env))
		return false;
	return file_can_bear(dir, path, flags);
}

static const char *path_variable(void)
{
	for (char **e = environ; e && *e; e++)
		if (TEXT_BEGINS(*e, "PATH="))
			return *e + 5;
	return "/bin:/usr/bin";
}

static bool has_slash(const char *file)
{
	return file[text_until(file, '/', '/')] != '\0';
}

size_t exec_find_size(const char *file)
{
	size_t size = text_len(path_variable()) + text_len(file) + 2;

	return has_slash(file) ? 1 : size < PATH_MAX ? size : PATH_MAX;
}

const char *exec_find(const char *file, char *buf, size_t size)
{
	size_t len = text_len(file);

	if (has_slash(file))
		return file;
	for (const char *p = path_variable();; p++) {
		size_t n = text_until(p, ':', ':');

		if (n + len + 2 <= size) {
			char *to = text_copy(buf, p, n);

			if (n)
				*to++ = '/';
			*text_copy(to, file, len) = '\0';
			if (sys3(SYS_faccessat, AT_FDCWD, buf, X_OK) == 0)
				return buf;
		}
		p += n;
		if (!*p)
			return NULL;
	}
}

/* ---- The environment ---- */

static size_t env_count(char *const *env)
{
	size_t n = 0;

	while (env && env[n])
		n++;
	return n;
}

static const char *env_preload(char *const *env)
{
	for (; env && *env; env++)
		if (TEXT_BEGINS(*env, PRELOAD_IS))
			return *env + PRELOAD_LEN;
	return "";
}

size_t exec_env_size(char *const *env, bool bears)
{
	size_t size = (env_count(env) + 3) * sizeof(char *) + PRELOAD_LEN + 2 +
		      text_len(env_preload(env));

	return bears ? size + shim_options.library_len + ARENA_LEN + 1 + shim_options.given_len
		     : size;
}

/* The next library of a list, and what follows it. */
static const char *list_next(const char *list, size_t *ret_len)
{
	while (*list == ':' || *list == ' ')
		list++;
	*ret_len = text_until(list, ':', ' ');
	return list;
}

static bool is_own(const char *name, size_t len)
{
	return len == shim_options.library_len && text_same(name, shim_options.library, len);
}

/* Says whether a list of libraries names this one. */
static bool list_has_own(const char *list)
{
	size_t n;

	for (list = list_next(list, &n); n; list = list_next(list + n, &n))
		if (is_own(list, n))
			return true;
	return false;
}

/* Says whether a library is the one that stands in front of MPI, which goes where this one goes. */
static bool is_mpi_library(const char *name, size_t len)
{
	static const char mpi[] = "/libpptrace-mpi.so";

	return len >= sizeof mpi - 1 &&
	       text_same(name + len - (sizeof mpi - 1), mpi, sizeof mpi - 1);
}

/* Writes LD_PRELOAD=... with this library first, or without it; returns the end. */
static char *write_preload(char *to, const char *list, bool bears)
{
	bool first = true;
	size_t n;

	memcpy(to, PRELOAD_IS, PRELOAD_LEN);
	to += PRELOAD_LEN;
	if (bears) {
		to = text_copy(to, shim_options.library, shim_options.library_len);
		first = false;
	}
	for (list = list_next(list, &n); n; list = list_next(list + n, &n)) {
		if (is_own(list, n) || (!bears && is_mpi_library(list, n)))
			continue;
		if (!first)
			*to++ = ':';
		to = text_copy(to, list, n);
		first = false;
	}
	*to++ = '\0';
	return to;
}

char *const *exec_env(char *const *env, bool bears, void *mem)
{
	char **out = mem, **o = out, *text = (char *)(out + env_count(env) + 3);
	bool had_preload = false, had_arena = false;

	for (; env && *env; env++) {
		if (TEXT_BEGINS(*env, PRELOAD_IS) && !had_preload) {
			const char *list = *env + PRELOAD_LEN;
			char *now = text;

			had_preload = true;
			if (bears && list_has_own(list)) {
				*o++ = *env;
				continue;
			}
			text = write_preload(text, list, bears);
			if (now[PRELOAD_LEN])
				*o++ = now;
			continue;
		}
		had_arena |= TEXT_BEGINS(*env, ARENA_IS);
		*o++ = *env;
	}
	if (bears && !had_preload) {
		*o++ = text;
		text = write_preload(text, "", true);
	}
	if (bears && !had_arena) {
		*o++ = text;
		memcpy(text, ARENA_IS, ARENA_LEN);
		*text_copy(text + ARENA_LEN, shim_options.given, shim_options.given_len) = '\0';
	}
	*o = NULL;
	return out;
}
