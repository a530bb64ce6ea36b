/* last_look.h - say who waits for whom in a recording that is ended early. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_LAST_LOOK_H
#define CLI_COMMON_LAST_LOOK_H

#include <stdbool.h>
#include <stdint.h>

struct tracer;

/*
 * Writes to stderr the sets that were reported while the recording lasted and still stand, and what each thread waits for
 * and for whom: as of the time at (CLOCK_MONOTONIC), or now if that is 0. Nothing if -q was given. all: also sets at rest.
 */
void last_look(struct tracer *t, uint64_t at, bool all);

#endif
