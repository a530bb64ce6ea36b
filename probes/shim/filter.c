/* filter.c - which system calls a filter of the program lets this library make. */
/* SPDX-License-Identifier: MIT */
/*
 * A seccomp filter may end the process for a call that the program itself never
 * makes. The filter is run here for each number, before the kernel gets it, on
 * what is known of a call: its number and the processor. What depends on more
 * may go either way.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "probes/shim/shim.h"
#include "probes/shim/filter.h"
#include "probes/shim/options.h"
#include "probes/shim/sys.h"
#include "probes/shim/task.h"

/* No such call exists: what becomes of it is what becomes of all that the filter does not name. */
enum { UNNAMED = SYS_NUMBERS - 1 };

/* More branches that cannot be decided, or more steps, are too many to follow. */
enum { BRANCHES_MAX = 64, STEPS_MAX = 8192 };

/* Where the run of a filter is. */
struct state {
	uint32_t at, a;
	bool known; /* a is */
};

struct run {
	const struct sock_filter *code;
	uint32_t len, nr;
	struct state open[BRANCHES_MAX];
	unsigned n_open;
};

static bool is_harmless(uint32_t action)
{
	action &= SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_ERRNO ||
	       action == SECCOMP_RET_LOG;
}

static void load(const struct run *r, struct state *s, const struct sock_filter *i)
{
	s->known = true;
	if (BPF_MODE(i->code) == BPF_IMM)
		s->a = i->k;
	else if (BPF_MODE(i->code) == BPF_ABS && i->k == offsetof(struct seccomp_data, nr))
		s->a = r->nr;
	else if (BPF_MODE(i->code) == BPF_ABS && i->k == offsetof(struct seccomp_data, arch))
		s->a = ARCH_AUDIT;
	else
		s->known = false;
}

static void compute(struct state *s, const struct sock_filter *i)
{
	if (BPF_OP(i->code) == BPF_AND && BPF_SRC(i->code) == BPF_K)
		s->a &= i->k;
	else
		s->known = false;
}

static bool holds(const struct state *s, const struct sock_filter *i)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return s->a == i->k;
	case BPF_JGT:
		return s->a > i->k;
	case BPF_JGE:
		return s->a >= i->k;
	default:
		return s->a & i->k;
	}
}

/* Goes on at the jump's target; false: there are too many places to go on at. */
static bool jump(struct run *r, struct state *s, const struct sock_filter *i)
{
	if (BPF_OP(i->code) == BPF_JA) {
		s->at += i->k;
		return true;
	}
	if (s->known && BPF_SRC(i->code) == BPF_K) {
		s->at += holds(s, i) ? i->jt : i->jf;
		return true;
	}
	if (r->n_open == BRANCHES_MAX)
		return false;
	r->open[r->n_open] = *s;
	r->open[r->n_open++].at += i->jf;
	s->at += i->jt;
	return true;
}

/* Says whether the filter surely lets a call happen or fail. */
static bool lets(const struct sock_fprog *prog, uint32_t nr)
{
	struct run r = {.code = prog->filter, .len = prog->len, .nr = nr, .n_open = 1};
	unsigned steps = 0;

	r.open[0] = (struct state){0, 0, false};
	while (r.n_open) {
		struct state s = r.open[--r.n_open];

		for (bool ended = false; !ended;) {
			const struct sock_filter *i = r.code + s.at++;

			if (s.at > r.len || ++steps > STEPS_MAX)
				return false;
			switch (BPF_CLASS(i->code)) {
			case BPF_LD:
				load(&r, &s, i);
				break;
			case BPF_ALU:
				compute(&s, i);
				break;
			case BPF_JMP:
				if (!jump(&r, &s, i))
					return false;
				break;
			case BPF_RET:
				if (BPF_RVAL(i->code) != BPF_K || !is_harmless(i->k))
					return false;
				ended = true;
				break;
			case BPF_MISC:
				s.known = s.known && BPF_MISCOP(i->code) != BPF_TXA;
				break;
			default:
				break;
			}
		}
	}
	return true;
}

/* A change of the signal mask that cannot be says whether 8 bytes are there to be read. */
static bool is_readable(const void *addr)
{
	const int no_way = 99;

	return sys4(SYS_rt_sigprocmask, no_way, addr, 0, 8) == -EINVAL;
}

static bool is_program(const struct sock_fprog *prog)
{
	return is_readable(prog) && is_readable(&prog->filter) && prog->len &&
	       prog->len <= BPF_MAXINSNS && is_readable(prog->filter) &&
	       is_readable(prog->filter + prog->len - 1);
}

/* Returns whether there is any. */
static bool forbid(const struct sock_fprog *prog)
{
	bool any = false;

	for (uint32_t nr = 0; nr < SYS_NUMBERS; nr++)
		if (!prog || !lets(prog, nr)) {
			sys_forbid(nr);
			any = true;
		}
	return any;
}

/* What the library has seen so far is all that it sees of this process, perhaps but for locks. */
static void end_everything(void)
{
	struct rec_FILTERED r;

	memset(&r, 0, sizeof r);
	for (unsigned nr = 0; nr < SYS_NUMBERS; nr++)
		r.forbidden += sys_forbids(nr);
	RECORD(FILTERED, &r);
	__atomic_store_n(&shim_all, false, __ATOMIC_RELAXED);
}

void filter_prepare(void)
{
	if (!shim_options.ready)
		shim_options_read();
	(void)thread_tid(pthread_self());
	if (shim_options.arena[0])
		(void)ring_room();
	shim_options.sandboxed = true;
}

void filter_comes(long mode, const void *arg)
{
	const struct sock_fprog *prog = arg;
	bool strict = mode == SECCOMP_MODE_STRICT;

	filter_prepare();
	/* The kernel will refuse anything else. */
	if (!strict && (mode != SECCOMP_MODE_FILTER || !is_program(prog)))
		return;
	if (!forbid(strict ? NULL : prog))
		return;
	/* First the record, which may need room. */
	if (strict || (shim_everything() && sys_forbids(UNNAMED)))
		end_everything();
	__atomic_store_n(&sys_filtered, true, __ATOMIC_RELEASE);
	/* The processor's counter is forbidden, too. */
	if (strict)
		shim_mute();
}
