/* stdio.h - the reads and writes that stdio makes for its streams. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_CALLS_STDIO_H
#define PROBES_SHIM_CALLS_STDIO_H

#include <stdio.h>

/* Sees the reads and writes that stdio makes for its streams; of one with a table of its own (popen) too. */
void stdio_watch(void);
void stdio_watch_stream(FILE *f);

#endif
