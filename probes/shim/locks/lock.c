/* lock.c - the rare ends of lock calls. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/locks/lock.h"

#include <signal.h>
#include <string.h>

#include "probes/shim/sys.h"

__attribute__((cold)) void lock_result(
	const volatile void *addr, unsigned kind, unsigned aux, int rc, uint64_t site, uint64_t ts)
{
	struct rec_LOCK_ACQUIRE r;

	memset(&r, 0, sizeof r);
	r.head.ts = ts;
	r.addr = ADDR(addr);
	r.kind = kind;
	r.type = arena_type(aux);
	r.mode = arena_mode(aux);
	r.attempt = arena_attempt(aux);
	r.result = (uint64_t)rc;
	r.site = site;
	RECORD(LOCK_ACQUIRE, &r);
}

void lock_wait_begin(const volatile void *addr, unsigned reason, bool timed, uint64_t site)
{
	struct rec_WAIT_BEGIN r;

	memset(&r, 0, sizeof r);
	r.syscall = SYS_futex;
	r.reason = reason;
	r.arg0 = ADDR(addr);
	r.timed = timed;
	r.state = 1;
	r.ip = site;
	sys4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &r.sigmask, 8);
	RECORD(WAIT_BEGIN, &r);
}

void lock_wait_end(void)
{
	struct rec_WAIT_END r;

	memset(&r, 0, sizeof r);
	RECORD(WAIT_END, &r);
}
