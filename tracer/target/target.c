/* target.c - start the command that is to be traced, and learn how it ended. */
/* SPDX-License-Identifier: MIT */
#include "tracer/target/target.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/target/limits.h"
#include "tracer/target/user.h"

enum { STATUS_GIVEN_UP = 125 };

/* Says whether path is a file that may be executed: 0, or why not. */
static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int target_find(const char *name, char **ret_path)
{
	const char *path = getenv("PATH"), *next;
	int best = -ENOENT, rc;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		rc = executable(name);
		if (rc == 0)
			*ret_path = xstrdup(name);
		return rc;
	}
	if (!path)
		path = "/bin:/usr/bin";
	for (; path; path = next) {
		size_t len = strcspn(path, ":");
		_cleanup_free_ char *try = NULL;

		next = path[len] ? path + len + 1 : NULL;
		try = xasprintf("%.*s%s%s", (int)len, path, len ? "/" : "./", name);
		rc = executable(try);
		if (rc == 0) {
			*ret_path = steal(&try);
			return 0;
		}
		if (rc == -EACCES)
			best = rc;
	}
	return best;
}

/*
 * What the kernel takes for no program may be a script without "#!": execvp(3) and every shell give it to
 * /bin/sh. As a shell does, we take a file for a script if its first line is text. Returns the arguments, or NULL.
 */
static char **shell_arguments(const char *path, char *const *argv)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char head[128] = "";
	ssize_t len = fd < 0 ? 0 : read(fd, head, sizeof head), line = 0;
	size_t n = 0;
	char **args;

	while (line < len && head[line] && head[line] != '\n')
		line++;
	if (len <= 0 || (line < len && !head[line]) || !memcmp(head, "\177ELF", 4))
		return NULL;
	while (argv[n])
		n++;
	args = xcalloc(n + 2, sizeof *args);
	args[0] = (char *)(uintptr_t)_PATH_BSHELL;
	args[1] = (char *)(uintptr_t)path;
	for (size_t i = 1; i < n; i++)
		args[i + 1] = argv[i];
	return args;
}

/*
 * What the child does before the program runs: it may use nothing that the fork left in an unknown state.
 * shell: what is executed if the kernel takes the file for no program; NULL: nothing.
 */
static _Noreturn void wait_and_exec(int go, int failure, const char *path, char *const *argv,
	char *const *shell, char *const *env, const struct user *user)
{
	int error;
	ssize_t n;
	char c;

	do
		n = read(go, &c, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(STATUS_GIVEN_UP);
	limits_restore();
	error = user ? -user_become(user) : 0;
	if (!error) {
		(void)execve(path, argv, env);
		if (errno == ENOEXEC && shell)
			(void)execve(_PATH_BSHELL, shell, env);
		error = errno;
	}
	do
		n = write(failure, &error, sizeof error);
	while (n < 0 && errno == EINTR);
	_exit(error == ENOENT ? 127 : 126);
}

int target_start(struct target *t, const char *path, char *const *argv, char *const *env,
	const struct user *user)
{
	_cleanup_free_ char **shell = NULL;
	int go[2], failure[2];
	pid_t pid;

	*t = TARGET_INIT;
	shell = shell_arguments(path, argv);
	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(failure, O_CLOEXEC) < 0) {
		int rc = -errno;

		(void)close(go[0]);
		(void)close(go[1]);
		return rc;
	}
	pid = fork();
	if (pid == 0) {
		/* If it kept the writing end, it would not notice that pptrace died. */
		(void)close(go[1]);
		wait_and_exec(go[0], failure[1], path, argv, shell, env, user);
	}
	(void)close(go[0]);
	(void)close(failure[1]);
	t->go = go[1];
	t->failure = failure[0];
	if (pid < 0) {
		int rc = -errno;

		target_done(t);
		return rc;
	}
	t->pid = pid;
	t->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return 0;
}

int target_go(struct target *t)
{
	int error = 0;
	ssize_t n;

	do
		n = write(t->go, "", 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return -errno;
	(void)close(steal_fd(&t->go));
	do
		n = read(t->failure, &error, sizeof error);
	while (n < 0 && errno == EINTR);
	(void)close(steal_fd(&t->failure));
	return n == sizeof error ? -error : 0;
}

void target_signal(const struct target *t, int signo)
{
	if (!t->pid || t->ended)
		return;
	if (t->pidfd < 0 || syscall(SYS_pidfd_send_signal, t->pidfd, signo, NULL, 0) < 0)
		(void)kill(t->pid, signo);
}

bool target_reap(struct target *t)
{
	if (t->pid && !t->ended && waitpid(t->pid, &t->status, WNOHANG) == t->pid)
		t->ended = true;
	return t->ended;
}

void target_done(struct target *t)
{
	int *fds[] = {&t->pidfd, &t->go, &t->failure};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (*fds[i] >= 0)
			(void)close(steal_fd(fds[i]));
}

/* Says whether a and b are "NAME=..." of the same name. */
static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return !strncmp(a, b, len + 1);
}

char **target_env(char *const *env, const char *extra, size_t len)
{
	const char *end = extra + len;
	size_t n = 0, cap = 0;
	char **copy = NULL;

	for (; env && *env; env++) {
		ARRAY_GROW(copy, n, cap);
		copy[n++] = xstrdup(*env);
	}
	for (const char *e = extra; e < end; e += strlen(e) + 1) {
		size_t i = 0;

		while (i < n && !same_name(e, copy[i]))
			i++;
		if (i < n) {
			free(copy[i]);
		} else {
			ARRAY_GROW(copy, n, cap);
			n++;
		}
		copy[i] = xstrdup(e);
	}
	ARRAY_GROW(copy, n, cap);
	copy[n] = NULL;
	return copy;
}

void target_env_free(char **env)
{
	for (char **e = env; e && *e; e++)
		free(*e);
	free(env);
}
