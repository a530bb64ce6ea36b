/* core.c - fuzz core files: notes, mapped files, memory, and stacks walked in whatever memory they have. */
/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"
#include "tracer/snapshot/snapshot.h"
#include "tracer/symbols/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libelf leaks some memory on damaged files. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libelf\nleak:libdw\n";
}

/* An unwind is bounded, whatever the memory contains. */
static void count(void *arg, const struct rec_head *rec)
{
	size_t *n = arg;

	if (rec->kind == REC_WAIT_BEGIN)
		*n = 0;
	if (rec->kind == REC_WAIT_FRAME && ++*n > 64)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/pptrace-fuzz-core.XXXXXX";
	struct buf told = BUF_INIT, blind = BUF_INIT, why = BUF_INIT;
	struct symbols *symbols = symbols_new();
	int fd = mkstemp(path);
	size_t n = 0;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snapshot_core(
		&(struct snapshot_core_config){.path = path, .symbols = symbols, .told = &told},
		count, &n, &blind, &why);
	(void)close(fd);
	(void)unlink(path);
	symbols_free(symbols);
	buf_done(&told);
	buf_done(&blind);
	buf_done(&why);
	return 0;
}
