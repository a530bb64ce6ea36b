/* user.c - the ordinary user as whom a command runs that root records. */
/* SPDX-License-Identifier: MIT */
#include "tracer/target/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/db.h"

enum { HEADER_APPLICATION_ID = 68 }; /* in the file format of SQLite */

/* Reads a number that is all of the text. */
static bool read_id(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = text ? strtoul(text, &end, 10) : 0;
	if (!text || *text < '0' || *text > '9' || *end || errno || n >= UINT_MAX)
		return false;
	*ret = (unsigned)n;
	return true;
}

int user_find(const char *name, struct user *ret, struct buf *why)
{
	struct passwd *pw = getpwnam(name);
	unsigned uid;

	*ret = (struct user){0};
	if (!pw && read_id(name, &uid))
		pw = getpwuid((uid_t)uid);
	if (!pw) {
		buf_addf(why, "there is no user '%s'", name);
		return -ENOENT;
	}
	ret->uid = pw->pw_uid;
	ret->gid = pw->pw_gid;
	ret->name = xstrdup(pw->pw_name);
	ret->home = xstrdup(pw->pw_dir);
	(void)getgrouplist(ret->name, ret->gid, NULL, &ret->n_groups);
	ret->groups = xcalloc((size_t)ret->n_groups + 1, sizeof *ret->groups);
	if (getgrouplist(ret->name, ret->gid, ret->groups, &ret->n_groups) < 0)
		ret->n_groups = 0;
	return 0;
}

void user_done(struct user *u)
{
	free(u->name);
	free(u->home);
	free(u->groups);
	*u = (struct user){0};
}

void user_environment(const struct user *u, struct buf *env)
{
	const char *const values[][2] = {
		{"HOME", u->home}, {"USER", u->name}, {"LOGNAME", u->name}};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		buf_addf(env, "%s=%s", values[i][0], values[i][1]);
		buf_addc(env, '\0');
	}
}

int user_become(const struct user *u)
{
	if (syscall(SYS_setgroups, (size_t)u->n_groups, u->groups) < 0 ||
		syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0 ||
		syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0)
		return -errno;
	return 0;
}

bool user_can_read(const struct user *u, const char *path)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(user_become(u) == 0 && access(path, R_OK) == 0 ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A file of root's that was moved to this name in a user's folder is not given away. */
static bool is_recording(int fd)
{
	unsigned char id[4];

	return pread(fd, id, sizeof id, HEADER_APPLICATION_ID) == (ssize_t)sizeof id &&
	       ((unsigned)id[0] << 24 | (unsigned)id[1] << 16 | (unsigned)id[2] << 8 | id[3]) ==
		       DB_APPLICATION_ID;
}

void user_hand_over(const char *path)
{
	_cleanup_close_ int fd = -1;
	unsigned uid, gid;
	struct stat st;

	if (geteuid() != 0 || !read_id(getenv("SUDO_UID"), &uid) ||
		!read_id(getenv("SUDO_GID"), &gid))
		return;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
		st.st_nlink == 1 && is_recording(fd))
		(void)fchown(fd, (uid_t)uid, (gid_t)gid);
}
