/* guard.c - the recording survives a truncated ring file. */
/* SPDX-License-Identifier: MIT */
/*
 * Any program of the same user can shorten the file that all of them map, and
 * whoever then touches what lay behind its end gets SIGBUS. In pptrace the
 * place becomes a page of zeros, which the reader takes for what it is: a ring
 * that contradicts itself. Sealing the file would prevent it, but only a file
 * without a name can be sealed, and programs find this one by its name.
 */
#include "tracer/shim/private.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

static struct {
	uintptr_t begin, end;
	long page;
	volatile sig_atomic_t hits;
	struct sigaction before;
} guard;

static void on_bus_error(int signo, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(uintptr_t)(guard.page - 1);

	(void)context;
	if (info->si_code > 0 && at >= guard.begin && at < guard.end &&
		mmap((void *)at, (size_t)guard.page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
		guard.hits = 1;
		return;
	}
	/* Not ours: it happens again, for the handler that was there before. */
	(void)sigaction(signo, &guard.before, NULL);
	if (info->si_code <= 0)
		(void)raise(signo);
}

void shim_guard_begin(const void *base, uint64_t bytes)
{
	struct sigaction act = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

	guard.begin = (uintptr_t)base;
	guard.end = guard.begin + bytes;
	guard.page = sysconf(_SC_PAGESIZE);
	guard.hits = 0;
	(void)sigaction(SIGBUS, &act, &guard.before);
}

bool shim_guard_hit(void)
{
	return guard.hits != 0;
}

void shim_guard_end(void)
{
	if (guard.end)
		(void)sigaction(SIGBUS, &guard.before, NULL);
	guard.begin = guard.end = 0;
}
