/* start.c - the start of a program. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"

#include "probes/shim/options.h"
#include "probes/shim/calls/report.h"
#include "probes/shim/calls/stdio.h"

/*
 * Other constructors may run, and lock, before this one: whoever comes first
 * reads the options, for environ is set before any of them.
 */
__attribute__((constructor(101))) static void start(void)
{
	if (!shim_options.ready)
		shim_options_read();
	if (!shim_all)
		return;
	/* Nobody reads any more: the program is to run as if this library were not there. */
	if (!shim_active() && !shim_options.arena[0]) {
		shim_all = false;
		return;
	}
	report_start();
	stdio_watch();
}
