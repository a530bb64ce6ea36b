/* terminal.c - which side of which pseudo-terminal a descriptor is. */
/* SPDX-License-Identifier: MIT */
/*
 * A pseudo-terminal has a number, which the path and the device of its slave side say (/dev/pts/3), and of its
 * master side the line tty-index in fdinfo (pty_show_fdinfo in drivers/tty/pty.c).
 */
#include "tracer/snapshot/private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

enum {
	MAJOR_TTYAUX = 5,
	MINOR_CONTROLLING = 0, /* /dev/tty */
	MINOR_PTMX = 2,
	MAJOR_PTS_FIRST = 136,
	MAJOR_PTS_LAST = 143,
	PTS_OF_MAJOR = 256,
	FIELD_TTY = 7 /* of /proc/PID/stat */
};

/* No inode is that large: a side of a pseudo-terminal is none of another file. */
static const uint64_t key_base = UINT64_C(0x7074790000000000);

static uint64_t side_key(unsigned number, bool is_master)
{
	return key_base | (uint64_t)number << 1 | is_master;
}

static uint64_t slave_key(dev_t rdev)
{
	unsigned n = major(rdev);

	if (n < MAJOR_PTS_FIRST || n > MAJOR_PTS_LAST)
		return 0;
	return side_key((n - MAJOR_PTS_FIRST) * PTS_OF_MAJOR + minor(rdev), false);
}

/* Reads a file beside the folder fd of /proc/PID. Returns false if it cannot be read. */
static bool read_beside(int dirfd, const char *path, char *text, size_t size)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

uint64_t terminal_key(int dirfd, const char *name, dev_t rdev)
{
	char path[64], text[2048];
	const char *at;

	if (major(rdev) != MAJOR_TTYAUX)
		return slave_key(rdev);
	if (minor(rdev) == MINOR_PTMX) {
		(void)snprintf(path, sizeof path, "../fdinfo/%s", name);
		at = read_beside(dirfd, path, text, sizeof text) ? strstr(text, "tty-index:")
								 : NULL;
		return at ? side_key((unsigned)strtoul(at + 10, NULL, 10), true) : 0;
	}
	if (minor(rdev) == MINOR_CONTROLLING && read_beside(dirfd, "../stat", text, sizeof text))
		return slave_key((dev_t)proc_stat_field(text, FIELD_TTY));
	return 0;
}

uint64_t terminal_other(uint64_t key)
{
	return key ^ 1;
}

unsigned terminal_number(uint64_t key)
{
	return (unsigned)((key & ~key_base) >> 1);
}

bool terminal_is_master(uint64_t key)
{
	return key & 1;
}
