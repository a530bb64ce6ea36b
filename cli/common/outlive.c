/* outlive.c - the command ends as it would have, though pptrace has no memory left. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/outlive.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/common/loop.h"
#include "tracer/target/target.h"
#include "tracer/tracer.h"

enum { LOOK_EVERY_NS = 20000000 };

static struct tracer *recording;
static _Atomic(struct target *) running;

/* What pptrace is told to end by, the command is told; a terminal has told it already. */
static void pass_on_signals(const struct target *target)
{
	const struct timespec pause = {0, LOOK_EVERY_NS};
	sigset_t set;
	int signo;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	signo = sigtimedwait(&set, NULL, &pause);
	if (signo > 0)
		target_signal(target, signo);
}

/* Called in any thread, once; allocates nothing. The main thread may be the one that takes the status. */
static void outlive(void)
{
	struct target *target = atomic_load(&running);

	if (!target)
		return;
	if (!target_reap(target))
		tracer_let_go(recording);
	while (!target_reap(target))
		pass_on_signals(target);
	_exit(WIFSIGNALED(target->status) ? loop_die_of(WTERMSIG(target->status))
					  : WEXITSTATUS(target->status));
}

void outlive_begin(struct tracer *t, struct target *target)
{
	recording = t;
	atomic_store(&running, target);
	mem_set_last_act(outlive);
}

void outlive_end(void)
{
	mem_set_last_act(NULL);
	atomic_store(&running, NULL);
}
