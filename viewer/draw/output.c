/* output.c - a file that is written bit by bit and appears whole or not at all. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum { TRIES = 100, FLAGS = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY };

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
	return *ret_special || access(path, W_OK) == 0 ? 0 : errno;
}

/* Opens a new file beside path, whose name it returns for the caller to free. */
static int open_beside(const char *path, mode_t mode, char **ret_name)
{
	for (int i = 0; i < TRIES; i++) {
		_cleanup_free_ char *name = xasprintf("%s.%ld-%d.tmp", path, (long)getpid(), i);
		int fd = open(name, FLAGS | O_CREAT | O_EXCL, mode);

		if (fd >= 0)
			*ret_name = steal(&name);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int output_open(struct output *o, const char *path, mode_t mode, struct buf *why)
{
	_cleanup_free_ char *name = NULL;
	bool special;
	int error = look(path, &special), fd;

	*o = (struct output){0};
	if (error)
		return fail(why, path, error);
	fd = special ? open(path, FLAGS) : open_beside(path, mode, &name);
	o->f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!o->f)
		return fail(why, path, errno);
	o->path = xstrdup(path);
	o->name = steal(&name);
	return 0;
}

int output_close(struct output *o, bool good, struct buf *why)
{
	int error = ferror(o->f) ? EIO : 0;

	/* A failed write is found again here, with its reason: what was not written is still there. */
	if (fflush(o->f) != 0)
		error = errno;
	if (fclose(o->f) != 0 && !error)
		error = errno;
	if (o->name && good && !error && rename(o->name, o->path) != 0)
		error = errno;
	if (o->name && (error || !good))
		(void)unlink(o->name);
	if (error)
		error = fail(why, o->path, error);
	free(o->path);
	free(o->name);
	*o = (struct output){0};
	return error;
}

int output_write(const char *path, const void *data, size_t len, struct buf *why)
{
	_cleanup_buf_ struct buf closing = BUF_INIT;
	struct output o;
	int rc = output_open(&o, path, 0666, why);

	if (rc)
		return rc;
	if (fwrite(data, 1, len, o.f) == len)
		return output_close(&o, true, why);
	/* A large piece is not buffered: a failure would be noticed later, but not its reason. */
	rc = fail(why, path, errno);
	(void)output_close(&o, false, &closing);
	return rc;
}
