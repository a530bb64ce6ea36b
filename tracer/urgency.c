/* urgency.c - hurry, but give way to the traced program where what it does can wait. */
/* SPDX-License-Identifier: MIT */
#include "tracer/urgency.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
	GIVE_WAY = 5, /* added to pptrace's own nice value: a third of another program's share */
	HURRY = -10,  /* nine times another program's share */
	NICE_MAX = 19,
	PRESSED = 2, /* the pressure that matters */
	MANY = 20000,
	FEW = 1000 /* of records that can wait */
};

#define CALM_NS 200000000u /* so long there must have been no pressure: traffic comes in bursts */

/* Each thread has its own value in Linux: setpriority(2), "C library/kernel differences". */
static void set_all(int value)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *d;

	if (!dir) {
		(void)setpriority(PRIO_PROCESS, 0, value);
		return;
	}
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			(void)setpriority(PRIO_PROCESS, (id_t)atoi(d->d_name), value);
	(void)closedir(dir);
}

static void set(struct urgency *u, int value)
{
	if (value > NICE_MAX)
		value = NICE_MAX;
	if (!u->able || value == u->value)
		return;
	set_all(value);
	u->value = value;
}

static void begin(struct urgency *u)
{
	u->known = true;
	u->own = u->value = getpriority(PRIO_PROCESS, 0);
	u->able = u->own <= HURRY || setpriority(PRIO_PROCESS, 0, HURRY) == 0;
	if (u->able)
		(void)setpriority(PRIO_PROCESS, 0, u->own);
}

void urgency_choose(struct urgency *u, unsigned pressure, size_t backlog, uint64_t now)
{
	if (!u->known)
		begin(u);
	if (pressure >= PRESSED)
		u->pressed_at = now;
	if (pressure >= PRESSED || backlog < FEW)
		set(u, u->own < HURRY ? u->own : HURRY);
	else if (backlog >= MANY && (!u->pressed_at || now - u->pressed_at >= CALM_NS))
		set(u, u->own + GIVE_WAY);
}

void urgency_end(struct urgency *u)
{
	if (u->known)
		set(u, u->own);
}
