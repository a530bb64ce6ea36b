/* site.c - the caller's place where a wait is made inside libstdc++. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"

#include <link.h>
#include <string.h>
#include <unwind.h>

/*
 * std::condition_variable::wait, std::thread and their like are functions of
 * libstdc++: the return address tells nothing about the program. A C++ program
 * has libgcc's unwinder loaded. From glibc 2.35 on that finds its tables
 * without a lock (_dl_find_object); with an older one the place stays as it is.
 */
struct span {
	uint64_t start, end;
};

typedef _Unwind_Reason_Code unwind_backtrace(_Unwind_Trace_Fn visit, void *arg);
typedef _Unwind_Ptr unwind_ip(struct _Unwind_Context *context);

static struct span library; /* libstdc++'s code; end 1: there is none */
static unwind_backtrace *backtrace_;
static unwind_ip *get_ip;

/* The code of an image, from its own program headers, which lie at its begin. */
static struct span code_of(const struct link_map *map)
{
	const ElfW(Ehdr) *e = (const ElfW(Ehdr) *)map->l_addr;
	const ElfW(Phdr) *p = (const ElfW(Phdr) *)(map->l_addr + e->e_phoff);

	for (unsigned i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && p[i].p_flags & PF_X)
			return (struct span){map->l_addr + p[i].p_vaddr,
				map->l_addr + p[i].p_vaddr + p[i].p_memsz};
	return (struct span){0, 1};
}

static void find_library(void)
{
	void *find = NULL, *trace = NULL, *ip = NULL;
	struct span s = {0, 1};

	for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next)
		if (strstr(map->l_name, "/libstdc++.so"))
			s = code_of(map);
	if (!shim_resolve(&find, "_dl_find_object", NULL) ||
		!shim_resolve(&trace, "_Unwind_Backtrace", NULL) ||
		!shim_resolve(&ip, "_Unwind_GetIP", NULL))
		s = (struct span){0, 1};
	backtrace_ = (unwind_backtrace *)trace;
	get_ip = (unwind_ip *)ip;
	library.start = s.start;
	__atomic_store_n(&library.end, s.end, __ATOMIC_RELEASE);
}

static bool in_library(uint64_t addr)
{
	return addr >= library.start && addr < library.end;
}

struct walk {
	bool inside; /* has come to the library's frames */
	unsigned depth;
	uint64_t found;
};

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *arg)
{
	struct walk *w = arg;
	uint64_t ip = get_ip(context);

	if (in_library(ip))
		w->inside = true;
	else if (w->inside)
		w->found = ip;
	return w->found || ++w->depth > 16 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

uint64_t site_outside(uint64_t site)
{
	struct ring_local *t = &ring_local;
	struct walk w = {0};
	uint64_t epoch;

	if (!__atomic_load_n(&library.end, __ATOMIC_ACQUIRE))
		find_library();
	if (!in_library(site))
		return site;
	/* The unwinder locks, too. */
	epoch = t->epoch;
	t->quiet = true;
	t->epoch = NO_EPOCH;
	backtrace_(visit, &w);
	t->epoch = epoch;
	t->quiet = false;
	return w.found ? w.found : site;
}
