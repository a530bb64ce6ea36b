/* ofd.c - which descriptors share an open file description. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/ofd.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <string.h>

#include "probes/shim/shim.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/kind.h"

/*
 * The kernel gives no number for a description, but says whether two
 * descriptors have the same one (kcmp). So a description is named after the
 * farthest ancestor that has it under the same number, and the lowest number
 * under which that one has it: who looks, parent or child, finds the same
 * name. What was found is kept, because the ancestor may close its own; a
 * child has what its parent found. Where kcmp is not permitted, only what a
 * process found before it forked is known to be shared.
 */
enum { KNOWN = 32, ANCESTORS = 8, FDS = 64 };

static struct known {
	uint64_t id, dev, inode;
	int fd;
} known[KNOWN];          /* id 0: free */
static unsigned n_known; /* entries ever used: 0 makes ofd_forget cheap */
static bool busy;        /* by another thread, or by what a signal handler interrupted */

static bool table_enter(void)
{
	return !__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE);
}

static void table_leave(void)
{
	__atomic_store_n(&busy, false, __ATOMIC_RELEASE);
}

static bool same(long pid, int fd, long other, int other_fd)
{
	return !shim_options.sandboxed &&
	       sys6(SYS_kcmp, pid, other, KCMP_FILE, fd, other_fd, 0) == 0;
}

/* The fourth field of /proc/PID/stat, which comes after the name in brackets. */
static long parent_of(long pid)
{
	char path[64], text[256];
	const char *p = NULL;
	long n, fd, parent = 0;

	fd_path(path, "/proc/", (int)pid);
	memcpy(path + strlen(path), "/stat", 6);
	fd = sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = fd < 0 ? -1 : sys3(SYS_read, fd, text, sizeof text - 1);
	if (fd >= 0)
		sys1(SYS_close, fd);
	if (n > 0) {
		text[n] = '\0';
		p = strrchr(text, ')');
	}
	if (!p || strlen(p) < 5)
		return 0;
	for (p += 4; *p >= '0' && *p <= '9'; p++)
		parent = parent * 10 + (*p - '0');
	return parent;
}

static uint64_t name_of(int fd, uint64_t inode)
{
	long self = sys0(SYS_getpid), owner = self, above = sys0(SYS_getppid);
	int lowest = fd;

	for (int i = 0; i < ANCESTORS && above > 1 && same(above, fd, self, fd); i++) {
		owner = above;
		above = parent_of(above);
	}
	for (int i = 0; i < fd && i < FDS; i++)
		if (same(owner, i, self, fd)) {
			lowest = i;
			break;
		}
	return ((uint64_t)owner << 32 | (uint32_t)lowest) ^ inode * 0x9e3779b97f4a7c15ull;
}

static struct known *find(int fd, uint64_t dev, uint64_t inode)
{
	long self = sys0(SYS_getpid);

	for (unsigned i = 0; i < KNOWN; i++)
		if (known[i].id && known[i].fd == fd && known[i].dev == dev &&
			known[i].inode == inode)
			return &known[i];
	for (unsigned i = 0; i < KNOWN; i++)
		if (known[i].id && known[i].dev == dev && known[i].inode == inode &&
			same(self, known[i].fd, self, fd))
			return &known[i];
	return NULL;
}

uint64_t ofd_identity(int fd, uint64_t dev, uint64_t inode)
{
	const struct known *k;
	uint64_t id;

	if (!table_enter())
		return name_of(fd, inode);
	k = find(fd, dev, inode);
	id = k ? k->id : name_of(fd, inode);
	if (!k || k->fd != fd)
		known[n_known++ % KNOWN] = (struct known){id, dev, inode, fd};
	table_leave();
	return id;
}

void ofd_forget(int fd)
{
	if (!n_known || !table_enter())
		return;
	for (unsigned i = 0; i < KNOWN; i++)
		if (known[i].id && known[i].fd == fd)
			known[i].id = 0;
	table_leave();
}
