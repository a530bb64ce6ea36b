/* unflushed.c - output that sits in a program's buffers while others wait for it. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"
#include "tracer/symbols/symbols.h"

#ifdef __GLIBC__

enum {
	MAX_STREAMS = 4096,
	MAX_BUFFER = 16 * 1024 * 1024,
	HASHED_BYTES = 64 * 1024,
	STREAM_PUTTING = 0x0800 /* _IO_CURRENTLY_PUTTING */
};

#define STREAM_MAGIC 0xfbad0000u
#define STREAM_MAGIC_MASK 0xffff0000u

static ssize_t read_memory(pid_t pid, const void *addr, void *to, size_t len)
{
	struct iovec local = {to, len}, remote = {(void *)(uintptr_t)addr, len};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

/* Says whether what was read is in every point what glibc's stdio would leave there while it writes. */
static bool is_stream(const struct _IO_FILE *f)
{
	return ((unsigned)f->_flags & STREAM_MAGIC_MASK) == STREAM_MAGIC && f->_fileno >= -1 &&
	       f->_fileno < 1 << 20 && f->_IO_buf_base <= f->_IO_buf_end &&
	       (size_t)(f->_IO_buf_end - f->_IO_buf_base) <= MAX_BUFFER &&
	       f->_IO_write_base <= f->_IO_write_ptr;
}

static size_t pending_bytes(const struct _IO_FILE *f)
{
	if (!(f->_flags & STREAM_PUTTING) || f->_IO_write_base < f->_IO_buf_base ||
		f->_IO_write_ptr > f->_IO_buf_end)
		return 0;
	return (size_t)(f->_IO_write_ptr - f->_IO_write_base);
}

static bool is_channel(pid_t pid, int fd)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
	return stat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static pid_t process_of(pid_t tid)
{
	char path[64], line[256];
	_cleanup_fclose_ FILE *f = NULL;

	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, "Tgid:", 5))
			return (pid_t)atoi(line + 5);
	return tid;
}

/*
 * Says whether a thread of the process is writing to the descriptor at this moment:
 * then the bytes are on their way, and only blocked.
 */
static bool is_being_written(pid_t pid, int fd)
{
	char path[64];
	struct dirent *e;
	bool found = false;
	DIR *d;

	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d)) != NULL) {
		_cleanup_free_ char *name = xasprintf("%s/%s/syscall", path, e->d_name);
		_cleanup_fclose_ FILE *f = e->d_name[0] == '.' ? NULL : fopen(name, "re");
		unsigned long long arg;
		long nr;

		if (f && fscanf(f, "%ld 0x%llx", &nr, &arg) == 2)
			found = arg == (unsigned long long)fd &&
				(nr == SYS_write || nr == SYS_writev || nr == SYS_sendto);
	}
	if (d)
		(void)closedir(d);
	return found;
}

/* Emits the record of one stream; false if it changed meanwhile. */
static bool emit_stream(pid_t pid, const struct _IO_FILE *at, const struct _IO_FILE *f,
	source_emit *emit, void *arg)
{
	size_t pending = pending_bytes(f), len = pending < HASHED_BYTES ? pending : HASHED_BYTES;
	_cleanup_free_ char *bytes = xmalloc(len);
	struct _IO_FILE again;
	struct rec_STDIO r = {.head = {.kind = REC_STDIO, .size = sizeof r},
		.fd = (rec_u64)f->_fileno,
		.pending = pending,
		.when = STDIO_STUCK};

	if (read_memory(pid, f->_IO_write_base, bytes, len) != (ssize_t)len ||
		read_memory(pid, at, &again, sizeof again) != (ssize_t)sizeof again ||
		again._IO_write_base != f->_IO_write_base ||
		again._IO_write_ptr != f->_IO_write_ptr)
		return false;
	r.head.ts = clock_now();
	r.head.pid = r.head.tid = (rec_u32)process_of(pid);
	r.head.flags = REC_SNAP | (pending > sizeof r.data ? REC_CUT : 0);
	r.hash = len == pending ? hash_bytes(bytes, len) : 0;
	memcpy(r.data, bytes, len < sizeof r.data ? len : sizeof r.data);
	emit(arg, &r.head);
	return true;
}

int unflushed_find(struct symbols *s, int64_t key, pid_t pid, source_emit *emit, void *arg)
{
	_cleanup_close_ int held = symbols_hold(s, pid);
	const struct _IO_FILE *at;
	uint64_t list;
	int found = 0;

	if (held < 0)
		return held;

	if (!symbols_variable(s, key, pid, "_IO_list_all", &list))
		return -ENOENT;
	if (read_memory(pid, (const void *)(uintptr_t)list, &at, sizeof at) != (ssize_t)sizeof at)
		return errno ? -errno : -EFAULT;
	for (int n = 0; at && n < MAX_STREAMS; n++) {
		struct _IO_FILE f;

		/* An inconsistent list ends the search: the rest would be a guess. */
		if (read_memory(pid, at, &f, sizeof f) != (ssize_t)sizeof f || !is_stream(&f))
			break;
		if (f._fileno >= 0 && pending_bytes(&f) && is_channel(pid, f._fileno) &&
			!is_being_written(pid, f._fileno) && authority_still(held, pid))
			found += emit_stream(pid, at, &f, emit, arg);
		at = f._chain;
	}
	return found;
}

#else

int unflushed_find(struct symbols *s, int64_t key, pid_t pid, source_emit *emit, void *arg)
{
	(void)s;
	(void)key;
	(void)pid;
	(void)emit;
	(void)arg;
	return -ENOENT;
}

#endif
