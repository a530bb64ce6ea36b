/* age.c - since when a thread sleeps. */
/* SPDX-License-Identifier: MIT */
/*
 * The scheduler notes when it last accounted a thread's running time, on a clock of its own, one for each
 * processor. What it says of pptrace, which runs now, shows how far back that is. On most machines these clocks
 * agree; on some virtual ones they are seconds apart, and then the processor on which the thread ran last decides
 * which one is meant.
 */
#include "base/clock.h"
#include "tracer/snapshot/private.h"

#include <sched.h>
#include <unistd.h>

#include "base/mem.h"

enum {
	STAT_PROCESSOR = 39 /* field of /proc/PID/task/TID/stat */
};

#define SKEW_MS 20.0

/* "name   :   value" of /proc/PID/sched; -1 if it is not there. */
double age_value(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	p = p ? strchr(p, ':') : NULL;
	return p ? strtod(p + 1, NULL) : -1;
}

static double mono_ms(void)
{
	return (double)clock_now() / 1e6;
}

/* How far CLOCK_MONOTONIC is ahead of the scheduler's clock here, in ms; AGE_UNKNOWN if that is not known. */
static double offset_here(void)
{
	char text[8192];
	double own = proc_read("/proc/self/sched", text, sizeof text) > 0
			     ? age_value(text, "se.exec_start")
			     : -1;

	return own < 0 ? AGE_UNKNOWN : mono_ms() - own;
}

void age_calibrate(struct snapshot *s)
{
	cpu_set_t before, one;
	double least = 0, most = 0;
	unsigned n = 0;

	s->age_offset = offset_here();
	if (s->age_offset == AGE_UNKNOWN || sched_getaffinity(0, sizeof before, &before) != 0)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && n < SNAP_MAX_CPUS; cpu++) {
		if (!CPU_ISSET(cpu, &before))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof one, &one) != 0)
			continue;
		s->cpu_offset[n] = offset_here();
		s->cpu_number[n] = cpu;
		least = n == 0 || s->cpu_offset[n] < least ? s->cpu_offset[n] : least;
		most = n == 0 || s->cpu_offset[n] > most ? s->cpu_offset[n] : most;
		n++;
	}
	(void)sched_setaffinity(0, sizeof before, &before);
	s->n_cpus = n;
	s->is_skewed = most - least > SKEW_MS;
}

/* The offset of the clock that a thread's time was taken from. */
static double offset_of(const struct snapshot *s, pid_t pid, pid_t tid)
{
	char path[64], text[2048];
	unsigned cpu;

	if (!s->is_skewed)
		return s->age_offset;
	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	if (proc_read(path, text, sizeof text) <= 0)
		return AGE_UNKNOWN;
	cpu = (unsigned)proc_stat_field(text, STAT_PROCESSOR);
	for (unsigned i = 0; i < s->n_cpus; i++)
		if (s->cpu_number[i] == (int)cpu)
			return s->cpu_offset[i];
	return AGE_UNKNOWN;
}

uint64_t age_since(const struct snapshot *s, pid_t pid, pid_t tid, const char *sched)
{
	double start = age_value(sched, "se.exec_start"), offset = offset_of(s, pid, tid);
	double now = mono_ms();

	if (start < 0 || offset == AGE_UNKNOWN || start + offset <= 0)
		return 0;
	/* The accounting of a running pptrace is as old as a tick: no wait began after now. */
	return (uint64_t)((start + offset < now ? start + offset : now) * 1e6);
}
