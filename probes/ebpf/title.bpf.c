/* title.bpf.c - what a process called itself when it ended. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/calls.h"
#include "probes/ebpf/title.h"

/* exit_group */
HANDLER_ENTER(enter_exit)
{
	title_tell(task, slot);
	return 0;
}
