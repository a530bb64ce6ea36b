/* exit.h - the end of a thread. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_EXIT_H
#define PROBES_SHIM_CALLS_EXIT_H

/* Records that the calling thread ends; a cleanup handler. */
void exit_thread(void *unused);

#endif
