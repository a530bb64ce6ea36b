/* plain.c - programs that have nothing for this library to record are executed without it. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/processes/preload.h"

#include <fcntl.h>

#include "schema/compat.h"
#include "schema/plain.h"
#include "probes/shim/options.h"
#include "probes/shim/shim.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/processes/text.h"

/* Read, not mapped: whoever cuts the file off must not end those that look into it. */
static bool table_read(struct plain_entry *entries, size_t place)
{
	const size_t size = PLAIN_TRIES * sizeof *entries;
	long fd, n;

	if (!*shim_options.plain)
		return false;
	fd = sys4(SYS_openat, AT_FDCWD, shim_options.plain,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return false;
	n = sys4(SYS_pread64, fd, entries, size, place * sizeof *entries);
	sys1(SYS_close, fd);
	return n == (long)size;
}

/* Other libraries than those that were looked at may be loaded then. */
static bool chooses_libraries(char *const *env)
{
	for (; env && *env; env++) {
		const char *e = *env;

		if (TEXT_BEGINS(e, "LD_LIBRARY_PATH=") || TEXT_BEGINS(e, "LD_AUDIT=") ||
			(TEXT_BEGINS(e, PRELOAD_IS) &&
				!text_is(e + PRELOAD_LEN, shim_options.library)))
			return true;
	}
	return false;
}

bool exec_is_plain(int dir, const char *path, int flags, char *const *env)
{
	struct plain_entry entries[PLAIN_TRIES];
	struct stat st;

	if (shim_everything() || chooses_libraries(env) ||
		sys4(SYS_newfstatat, dir, path, &st, flags & AT_EMPTY_PATH) < 0 ||
		!table_read(entries, plain_place(st.st_dev, st.st_ino)))
		return false;
	for (const struct plain_entry *e = entries; e < entries + PLAIN_TRIES; e++)
		if (e->mark == PLAIN_MARK && e->dev == st.st_dev && e->inode == st.st_ino &&
			e->size == (uint64_t)st.st_size && e->mtime_ns == plain_mtime(&st))
			return true;
	return false;
}
