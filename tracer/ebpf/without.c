/* without.c - in place of all other files here where pptrace is built with EBPF=0. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/buf.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/source.h"

static int not_built(struct buf *why)
{
	buf_adds(why, "this pptrace was built with EBPF=0");
	return -ENOSYS;
}

static int cannot_attach(struct source *s, const struct source_config *config, struct buf *why)
{
	(void)s;
	(void)config;
	return not_built(why);
}

/* Nothing else is called of a source that could not be attached. */
static struct source without = {.name = "ebpf", .available = not_built, .attach = cannot_attach};

struct source *source_ebpf(void)
{
	return &without;
}

int ebpf_iterate(const char *name, size_t row, void (*each)(void *arg, const void *row), void *arg)
{
	(void)name;
	(void)row;
	(void)each;
	(void)arg;
	return -EPERM;
}
