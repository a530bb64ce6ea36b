/* export_file.c - a file that is written bit by bit and appears whole or not at all. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

static int fail(struct buf *why, const char *path, int error)
{
	buf_adds(why, "cannot write ");
	buf_add_printable(why, path, strlen(path));
	if (error == ELOOP)
		buf_adds(why, ": it is a symbolic link, which is not followed");
	else
		buf_addf(why, ": %s", strerror(error));
	return -error;
}

/* Says whether path is something that is written to in place. Returns 0 or an errno. */
static int look(const char *path, bool *ret_special)
{
	struct stat st;

	*ret_special = false;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : errno;
	if (S_ISLNK(st.st_mode))
		return ELOOP;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	*ret_special = !S_ISREG(st.st_mode);
	return 0;
}

int export_file_open(struct export_file *e, const char *path, struct buf *why)
{
	bool special;
	int error = look(path, &special), flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, fd;

	*e = (struct export_file){0};
	if (error)
		return fail(why, path, error);
	e->path = xstrdup(path);
	if (!special)
		e->name = xasprintf("%s.%ld.tmp", path, (long)getpid());
	fd = special ? open(path, flags) : open(e->name, flags | O_CREAT | O_EXCL, 0600);
	e->f = fd < 0 ? NULL : fdopen(fd, "w");
	if (e->f)
		return 0;
	error = fail(why, path, errno);
	free(e->path);
	free(e->name);
	*e = (struct export_file){0};
	return error;
}

int export_file_close(struct export_file *e, bool good, struct buf *why)
{
	int error = ferror(e->f) ? EIO : 0;

	/* A failed write is found again here, with its reason: what was not written is still there. */
	if (fflush(e->f) != 0)
		error = errno;
	if (fclose(e->f) != 0 && !error)
		error = errno;
	if (e->name && good && !error && rename(e->name, e->path) != 0)
		error = errno;
	if (e->name && (error || !good))
		(void)unlink(e->name);
	if (error)
		error = fail(why, e->path, error);
	free(e->path);
	free(e->name);
	*e = (struct export_file){0};
	return error;
}
