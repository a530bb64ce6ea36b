/* output.c - write a picture to a file: whole or not at all. */
/* SPDX-License-Identifier: MIT */
#include "viewer/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum { FILE_MODE = 0666, TRIES = 100 };

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

/* Returns 0 or an errno. */
static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_special(const char *path, const void *data, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? errno : write_all(fd, data, len);
}

/* Opens a new file beside path, whose name it returns for the caller to free. */
static int open_beside(const char *path, char **ret_name, int *ret_fd)
{
	for (int i = 0; i < TRIES; i++) {
		_cleanup_free_ char *name = xasprintf("%s.%ld-%d.tmp", path, (long)getpid(), i);
		int fd =
			open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

		if (fd >= 0) {
			*ret_name = steal(&name);
			*ret_fd = fd;
			return 0;
		}
		if (errno != EEXIST)
			return errno;
	}
	return EEXIST;
}

static int write_file(const char *path, const void *data, size_t len)
{
	_cleanup_free_ char *name = NULL;
	int fd = -1, error = open_beside(path, &name, &fd);

	if (error)
		return error;
	error = write_all(fd, data, len);
	if (close(fd) != 0 && !error)
		error = errno;
	if (!error && rename(name, path) != 0)
		error = errno;
	if (error)
		(void)unlink(name);
	return error;
}

int output_write(const char *path, const void *data, size_t len, struct buf *why)
{
	struct stat st;
	int error;

	if (lstat(path, &st) != 0)
		error = errno == ENOENT ? write_file(path, data, len) : errno;
	else if (S_ISLNK(st.st_mode))
		error = ELOOP;
	else if (S_ISDIR(st.st_mode))
		error = EISDIR;
	else if (S_ISREG(st.st_mode))
		error = access(path, W_OK) == 0 ? write_file(path, data, len) : errno;
	else
		error = write_special(path, data, len);
	return error ? fail(why, path, error) : 0;
}
