/* stdio.c - the reads, writes and closes that stdio makes for its streams. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/calls/stdio.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "probes/shim/calls/fdlist.h"
#include "probes/shim/calls/io_call.h"
#include "probes/shim/calls/ofd.h"

/*
 * The C library calls its own system call stubs, bypassing every wrapper. But it
 * calls them through a table for each kind of stream, and exports the table
 * for files and what stands in it. Where both are as they have been since
 * glibc 2.1, three entries are exchanged; else stdio stays unseen.
 */
enum { TABLE_READ = 14, TABLE_WRITE = 15, TABLE_CLOSE = 17, TABLE_LEN = 21 };

typedef ssize_t stream_read(FILE *f, void *buf, ssize_t n);
typedef ssize_t stream_write(FILE *f, const void *buf, ssize_t n);
typedef int stream_close(FILE *f);

static stream_read *libc_read;
static stream_write *libc_write;
static stream_close *libc_close;

static ssize_t watch_read(FILE *f, void *buf, ssize_t n)
{
	struct io_call c;
	ssize_t rc;

	if (!io_begin(&c, f->_fileno, IO_READ, (size_t)n, false))
		return libc_read(f, buf, n);
	rc = libc_read(f, buf, n);
	io_end(&c, rc, buf);
	return rc;
}

/* The C library's function loops until all is written; one record stands for it. */
static ssize_t watch_write(FILE *f, const void *buf, ssize_t n)
{
	struct io_call c;
	ssize_t rc;

	if (!io_begin(&c, f->_fileno, IO_WRITE, (size_t)n, false))
		return libc_write(f, buf, n);
	errno = 0;
	rc = libc_write(f, buf, n);
	io_end(&c, rc < n && errno ? -1 : rc, buf);
	return rc;
}

static int watch_close(FILE *f)
{
	struct pipe_fd p = pipe_of(f->_fileno);

	ofd_forget(f->_fileno);
	if (p.kind)
		report_close(f->_fileno, &p, END_CLOSE_CALL);
	return libc_close(f);
}

static void *libc_symbol(const char *name)
{
	void *cache = NULL;

	return shim_resolve(&cache, name, NULL);
}

/* Exchanges entries of a table, which lies in memory that is read-only after relocation. */
static void patch(void **table, bool close_too)
{
	long page = (long)table & -4096L;
	long len = ((long)(table + TABLE_LEN) - page + 4095) & -4096L;

	if (table[TABLE_READ] != (void *)libc_read || table[TABLE_WRITE] != (void *)libc_write ||
		sys3(SYS_mprotect, page, len, PROT_READ | PROT_WRITE) < 0)
		return;
	table[TABLE_READ] = (void *)watch_read;
	table[TABLE_WRITE] = (void *)watch_write;
	if (close_too)
		table[TABLE_CLOSE] = (void *)watch_close;
	sys3(SYS_mprotect, page, len, PROT_READ);
}

void stdio_watch(void)
{
	void **table = libc_symbol("_IO_file_jumps");

	libc_read = (stream_read *)libc_symbol("_IO_file_read");
	libc_write = (stream_write *)libc_symbol("_IO_file_write");
	libc_close = (stream_close *)libc_symbol("_IO_file_close");
	if (table && libc_read && libc_write && libc_close &&
		table[TABLE_CLOSE] == (void *)libc_close)
		patch(table, true);
}

void stdio_watch_stream(FILE *f)
{
	void **table = *(void ***)(f + 1);

	if (libc_read && libc_write)
		patch(table, false);
}
