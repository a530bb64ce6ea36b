/* exec.c - the exec functions: the new program gets the preload library if it can be loaded there. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/processes/preload.h"

#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/report.h"
#include "schema/compat.h"

REAL(execve)
REAL(execvpe)
REAL(execveat)
REAL(fexecve)
REAL(posix_spawn)
REAL(posix_spawnp)

/*
 * Everything here may run between vfork and exec, on the parent's memory: no
 * allocation but on the stack, and none that outlives the call. An
 * environment beyond that size is passed on as it is.
 */
enum { ENV_ON_STACK = 256 * 1024 };

/* Where the new environment lies; needs the caller's stack. */
#define ENV_FOR(env, bears)                                                                        \
	(exec_env_size((env), (bears)) <= ENV_ON_STACK                                             \
			? exec_env((env), (bears), alloca(exec_env_size((env), (bears))))          \
			: (env))

void exec_prepare(void)
{
	if (!exec_is_ours())
		return;
	(void)real_execve();
	(void)real_execvpe();
	(void)exec_interpreter();
}

WRAPPER(execve) execve;
int execve(const char *path, char *const argv[], char *const envp[])
{
	struct exec_call call;
	bool bears;
	int rc;

	if (!exec_is_ours())
		return real_execve()(path, argv, envp);
	bears = exec_can_bear(AT_FDCWD, path, 0, envp);
	report_exec(&call, path, argv, bears);
	rc = real_execve()(path, argv, ENV_FOR(envp, bears));
	report_exec_failed(&call);
	return rc;
}

WRAPPER(execvpe) execvpe;
int execvpe(const char *file, char *const argv[], char *const envp[])
{
	struct exec_call call;
	const char *path;
	size_t size;
	bool bears;
	int rc;

	if (!exec_is_ours())
		return real_execvpe()(file, argv, envp);
	size = exec_find_size(file);
	path = exec_find(file, alloca(size), size);
	bears = path && exec_can_bear(AT_FDCWD, path, 0, envp);
	report_exec(&call, path ? path : file, argv, bears);
	rc = real_execvpe()(file, argv, ENV_FOR(envp, bears));
	report_exec_failed(&call);
	return rc;
}

WRAPPER(execveat) execveat;
int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	struct exec_call call;
	bool bears;
	int rc;

	if (!exec_is_ours())
		return real_execveat()(dir, path, argv, envp, flags);
	bears = exec_can_bear(dir, path, flags, envp);
	report_exec(&call, path, argv, bears);
	rc = real_execveat()(dir, path, argv, ENV_FOR(envp, bears), flags);
	report_exec_failed(&call);
	return rc;
}

WRAPPER(fexecve) fexecve;
int fexecve(int fd, char *const argv[], char *const envp[])
{
	struct exec_call call;
	bool bears;
	int rc;

	if (!exec_is_ours())
		return real_fexecve()(fd, argv, envp);
	bears = exec_can_bear(fd, "", AT_EMPTY_PATH, envp);
	report_exec(&call, "", argv, bears);
	rc = real_fexecve()(fd, argv, ENV_FOR(envp, bears));
	report_exec_failed(&call);
	return rc;
}

WRAPPER(execv) execv;
int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

WRAPPER(execvp) execvp;
int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

/* ---- Arguments one by one ---- */

/* Counts the arguments of a list that ends with NULL. */
__attribute__((noinline)) static size_t list_count(const char *first, va_list ap)
{
	size_t n = 0;

	for (const char *arg = first; arg; arg = va_arg(ap, char *))
		n++;
	return n;
}

/* Fills argv and returns the environment that follows it, if there is one. */
__attribute__((noinline)) static char *const *list_fill(
	char **argv, const char *first, va_list ap, bool has_env)
{
	size_t n = 0;

	for (char *arg = (char *)first; arg; arg = va_arg(ap, char *))
		argv[n++] = arg;
	argv[n] = NULL;
	return has_env ? va_arg(ap, char *const *) : NULL;
}

#define LIST_CALL(first, has_env, call)                                                            \
	do {                                                                                       \
		char *const *env;                                                                  \
		char **argv;                                                                       \
		va_list ap;                                                                        \
		size_t n = 1;                                                                      \
                                                                                                   \
		va_start(ap, first);                                                               \
		n += list_count(first, ap);                                                        \
		va_end(ap);                                                                        \
		argv = alloca((n + 1) * sizeof *argv);                                             \
		va_start(ap, first);                                                               \
		env = list_fill(argv, first, ap, has_env);                                         \
		va_end(ap);                                                                        \
		(void)env;                                                                         \
		return call;                                                                       \
	} while (0)

WRAPPER(execl) execl;
int execl(const char *path, const char *arg, ...)
{
	LIST_CALL(arg, false, execve(path, argv, environ));
}

WRAPPER(execle) execle;
int execle(const char *path, const char *arg, ...)
{
	LIST_CALL(arg, true, execve(path, argv, env));
}

WRAPPER(execlp) execlp;
int execlp(const char *file, const char *arg, ...)
{
	LIST_CALL(arg, false, execvpe(file, argv, environ));
}

/* ---- posix_spawn: its child calls nothing that the library wraps ---- */

WRAPPER(posix_spawn) posix_spawn;
int posix_spawn(pid_t *restrict pid, const char *restrict path,
	const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *restrict attr,
	char *const argv[restrict], char *const envp[restrict])
{
	struct spawn_call call;
	pid_t child = 0;
	bool bears;
	int rc;

	if (!exec_is_ours())
		return real_posix_spawn()(pid, path, actions, attr, argv, envp);
	bears = exec_can_bear(AT_FDCWD, path, 0, envp);
	report_spawn_actions(&call, actions);
	rc = real_posix_spawn()(&child, path, actions, attr, argv, ENV_FOR(envp, bears));
	report_spawned(&call, rc, child, path, argv, bears);
	if (pid && rc == 0)
		*pid = child;
	return rc;
}

WRAPPER(posix_spawnp) posix_spawnp;
int posix_spawnp(pid_t *restrict pid, const char *restrict file,
	const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *restrict attr,
	char *const argv[restrict], char *const envp[restrict])
{
	char buf[PATH_MAX];
	struct spawn_call call;
	const char *path;
	pid_t child = 0;
	bool bears;
	int rc;

	if (!exec_is_ours())
		return real_posix_spawnp()(pid, file, actions, attr, argv, envp);
	path = exec_find(file, buf, sizeof buf);
	bears = path && exec_can_bear(AT_FDCWD, path, 0, envp);
	report_spawn_actions(&call, actions);
	rc = real_posix_spawnp()(&child, file, actions, attr, argv, ENV_FOR(envp, bears));
	report_spawned(&call, rc, child, path ? path : file, argv, bears);
	if (pid && rc == 0)
		*pid = child;
	return rc;
}
