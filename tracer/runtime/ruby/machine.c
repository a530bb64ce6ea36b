/* machine.c - which release of Ruby a process runs, and where its virtual machine is. */
/* SPDX-License-Identifier: MIT */
/*
 * Up to 3.2 the interpreter exports ruby_current_vm_ptr. From then on the variable has no name that a stripped library
 * keeps: it is one of the words of the library's own data, and the only one that points to a machine whose first thread
 * points back to it. Where the members lie differs between releases: layout.def has what tools/ruby_layout.sh read from
 * the source of each. A build of another kind shows by threads that do not point back.
 */
#include "tracer/runtime/ruby/ruby.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/core/core.h"
#include "tracer/symbols/symbols.h"

static const struct ruby_layout layouts[] = {
#define LAYOUT(major, minor, ...) {major, minor, __VA_ARGS__},
#include "tracer/runtime/ruby/layout.def"
#undef LAYOUT
};

enum { MAX_DATA = 4 << 20, SEARCH_READS = 4000000 };

static bool is_ruby_file(void *arg, const char *path)
{
	const char *exe = arg, *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return !strcmp(path, exe) || strstr(base, "ruby") != NULL;
}

/* The address of what the interpreter exports under a name, or 0. */
static uint64_t exported(const struct runtime_process *p, const char *name)
{
	char exe[4096];
	uint64_t at;

	return runtime_exe(p, exe, sizeof exe) && symbols_named(p->symbols, p->key, p->pid, name,
							  is_ruby_file, exe, &at, NULL)
		       ? at
		       : 0;
}

bool ruby_is_there(const struct runtime_process *p)
{
	return exported(p, "ruby_api_version") != 0;
}

/* Says whether a machine lies there: the first thread of its first ractor belongs to it. */
static bool is_machine(struct ruby *r, uint64_t vm)
{
	const struct ruby_layout *l = r->layout;
	uint64_t node = vm < 4096 || vm % 8 ? 0 : ruby_pointer(r, vm, l->vm_ractors);
	uint64_t ractor = node - (uint64_t)l->ractor_node;
	uint64_t thread = node ? ruby_pointer(r, ractor, l->ractor_threads) : 0;

	return thread && ruby_pointer(r, thread - (uint64_t)l->thread_node, l->thread_vm) == vm;
}

static bool points_to_machine(struct ruby *r, uint64_t at)
{
	return is_machine(r, ruby_pointer(r, at, 0));
}

typedef bool search_is(struct ruby *r, uint64_t at);

/* Looks at each word of a mapping. */
static uint64_t search(struct ruby *r, uint64_t low, uint64_t high, search_is *is)
{
	for (uint64_t at = low; at < high && at - low < MAX_DATA; at += 8)
		if (is(r, at))
			return at;
	return 0;
}

/* A core does not say where the zeroed part ends. */
static uint64_t search_core(struct ruby *r, const struct core_process *p, search_is *is)
{
	enum { ZEROED = 256 << 10 };
	uint64_t found = 0;

	for (size_t i = 0; i < p->n_maps && !found; i++) {
		const struct core_map *m = &p->maps[i];
		const char *base = strrchr(m->path, '/');

		if (m->is_code || !base || !strstr(base, "ruby"))
			continue;
		r->data_low = m->start;
		r->data_high = m->end + ZEROED;
		found = search(r, m->start, r->data_high, is);
	}
	return found;
}

/* Looks at the writable data of the interpreter, and at what follows it without a name, its zeroed part. */
static uint64_t search_data(struct ruby *r, search_is *is)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/maps", (int)r->memory.pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[4400];
	uint64_t end = 0, found = 0;

	while (f && !found && fgets(line, sizeof line, f)) {
		uint64_t low, high;
		char mode[8];
		int name = 0;
		const char *base;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %n", &low, &high, mode,
			    &name) != 3 ||
			!name)
			continue;
		base = strrchr(line + name, '/');
		if (base ? !strstr(base, "ruby") : low != end || line[name])
			continue;
		end = high;
		if (mode[1] != 'w')
			continue;
		r->data_low = low;
		r->data_high = high;
		found = search(r, low, high, is);
	}
	return found;
}

uint64_t ruby_search(struct ruby *r, bool (*is)(struct ruby *r, uint64_t at))
{
	uint64_t low = r->data_low, high = r->data_high, found;
	size_t budget = r->memory.budget;

	/* A core does not say what is data: of all of a library's words one may be looked for. */
	r->memory.budget = SEARCH_READS;
	found = r->process->core ? search_core(r, core_process(r->process->core), is)
				 : search_data(r, is);
	r->memory.budget = budget;

	/* Where the machine was found says more of the library. */
	r->data_low = low;
	r->data_high = high;
	return found;
}

static const struct ruby_layout *find_layout(int major, int minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].major == major && layouts[i].minor == minor)
			return &layouts[i];
	return NULL;
}

#define ADVICE " (rbspy shows where its threads are)"

int ruby_find(struct ruby *r, const struct runtime_process *p, struct buf *why)
{
	uint64_t at = exported(p, "ruby_api_version"), vm;
	int version[3] = {0};

	if (!at)
		return -ENOENT;
	if (!memory_cached(&r->memory, at, version, sizeof version)) {
		buf_adds(why, "the version of its Ruby could not be determined" ADVICE);
		return -ENOTSUP;
	}
	r->layout = find_layout(version[0], version[1]);
	if (!r->layout) {
		buf_addf(why, "pptrace does not know the memory layout of Ruby %d.%d" ADVICE,
			version[0], version[1]);
		return -ENOTSUP;
	}
	vm = exported(p, "ruby_current_vm_ptr");
	if (vm)
		r->vm = ruby_pointer(r, vm, 0);
	else
		r->vm = ruby_pointer(r,
			p->core ? search_core(r, core_process(p->core), points_to_machine)
				: search_data(r, points_to_machine),
			0);
	if (!is_machine(r, r->vm)) {
		buf_adds(why, "it runs a build of Ruby that pptrace does not know" ADVICE);
		return -ENOTSUP;
	}
	return 0;
}

/* What is ignored, has Ruby's own handler, or ends the program at once is no object. */
enum hooks ruby_traps(struct ruby *r)
{
	enum { SIGNALS = 65 }; /* that of 0 runs when the program ends */
	uint64_t commands[SIGNALS];

	if (!memory_cached(
		    &r->memory, r->vm + (uint64_t)r->layout->vm_traps, commands, sizeof commands))
		return HOOKS_UNKNOWN;
	for (size_t i = 0; i < SIGNALS; i++)
		if (commands[i] >= 4096)
			return HOOKS_SOME;
	return HOOKS_NONE;
}

uint64_t ruby_object_class(struct ruby *r)
{
	return ruby_pointer(r, exported(r->process, "rb_cObject"), 0);
}
