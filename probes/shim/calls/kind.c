/* kind.c - what a descriptor is that is neither a file nor a pipe. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/kind.h"

#include <fcntl.h>
#include <string.h>

#include "probes/shim/shim.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"

void fd_path(char path[64], const char *folder, int fd)
{
	char digits[12];
	unsigned n = (unsigned)fd, at = sizeof digits;
	size_t len = strlen(folder);

	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	memcpy(path, folder, len);
	memcpy(path + len, digits + at, sizeof digits - at);
}

unsigned fd_kind(int fd)
{
	static const struct {
		char name[12];
		uint8_t kind;
	} kinds[] = {{"[eventfd]", FILE_EVENTFD}, {"[eventpoll]", FILE_EPOLL},
		{"[timerfd]", FILE_TIMERFD}, {"[signalfd]", FILE_SIGNALFD}, {"[pidfd]", FILE_PIDFD},
		{"inotify", FILE_INOTIFY}, {"[fanotify]", FILE_INOTIFY},
		{"[io_uring]", FILE_URING}};
	char path[64], link[40];
	const size_t prefix = sizeof "anon_inode:" - 1;
	long n;

	if (fd < 0 || shim_options.sandboxed)
		return FILE_OTHER;
	fd_path(path, "/proc/self/fd/", fd);
	n = sys4(SYS_readlinkat, AT_FDCWD, path, link, sizeof link - 1);
	if (n <= (long)prefix || memcmp(link, "anon_inode:", prefix) != 0)
		return FILE_OTHER;
	link[n] = '\0';
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(link + prefix, kinds[i].name))
			return kinds[i].kind;
	return FILE_OTHER;
}

/* Returns the number that follows a label in what the kernel says of a descriptor, 0 if there is none. */
static uint64_t info_number(int fd, const char *label, unsigned base)
{
	char path[64], buf[512], *p;
	uint64_t number = 0;
	long n, info;

	if (fd < 0 || shim_options.sandboxed)
		return 0;
	fd_path(path, "/proc/self/fdinfo/", fd);
	info = sys4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = info < 0 ? -1 : sys3(SYS_read, info, buf, sizeof buf - 1);
	if (info >= 0)
		sys1(SYS_close, info);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	p = strstr(buf, label);
	for (p = p ? p + strlen(label) : buf + n; *p; p++) {
		unsigned digit = *p >= 'a' ? (unsigned)(*p - 'a') + 10 : (unsigned)(*p - '0');

		if (digit >= base)
			break;
		number = number * base + digit;
	}
	return number;
}

uint32_t fd_process(int fd)
{
	return (uint32_t)info_number(fd, "\nPid:\t", 10);
}

uint64_t fd_signals(int fd)
{
	return info_number(fd, "\nsigmask:\t", 16);
}
