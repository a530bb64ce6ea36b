/* demangle.c - names that compilers made, as their programmers wrote them. */
/* SPDX-License-Identifier: MIT */
/*
 * A short mangled name can stand for one of gigabytes: each of its parts may be
 * two references to the part before. So the text is produced piece by piece, and
 * given up when it gets longer than anybody reads.
 */
#include "tracer/symbols/table.h"

#include <libiberty/demangle.h>
#include <setjmp.h>

#include "base/buf.h"

enum { DEMANGLED_MAX = 4096 };

struct output {
	struct buf text;
	jmp_buf too_long; /* the library has no other way to be stopped, and keeps all that it needs on the stack */
};

static void take(const char *piece, size_t len, void *arg)
{
	struct output *out = arg;

	if (out->text.len + len > DEMANGLED_MAX)
		longjmp(out->too_long, 1);
	buf_add(&out->text, piece, len);
}

/* Rust's newer names begin with _R; its older ones look like those of C++. */
static bool demangle(const char *name, struct output *out)
{
	if (setjmp(out->too_long))
		return false;
	if (rust_demangle_callback(name, 0, take, out))
		return true;
	buf_reset(&out->text);
	return !strncmp(name, "_Z", 2) &&
	       cplus_demangle_v3_callback(name, DMGL_PARAMS | DMGL_ANSI, take, out);
}

char *symtab_demangle(const char *name)
{
	struct output out = {.text = BUF_INIT};

	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R'))
		return NULL;
	if (demangle(name, &out) && out.text.len)
		return buf_steal(&out.text);
	buf_done(&out.text);
	return NULL;
}
