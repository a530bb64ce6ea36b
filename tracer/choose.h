/* choose.h - which sources record a command, and what they cannot see. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_CHOOSE_H
#define TRACER_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "tracer/source.h"

struct buf;
struct tracer_config;

/* The best set of sources that works here. */
struct choice {
	struct source *sources[2];
	size_t n;
	enum locks_mode locks; /* never AUTO */
	bool shim_only;
	const char *backend; /* as trace.backend names it */
	char *shim_path;     /* the library, or NULL */
};

/*
 * Chooses for --backend and --locks. Returns 0; -EINVAL if the two contradict
 * each other; -EPERM or another negative errno if nothing works, with a
 * sentence in why. notes gets a sentence for every wish of "auto" that could
 * not be met.
 */
int choose_sources(
	const struct tracer_config *config, struct choice *ret, struct buf *notes, struct buf *why);
void choice_done(struct choice *c);

/*
 * The library's rings cannot be made, for the reason in why. True if it was only
 * "auto" that wanted them beside the kernel's probes: it is done without then;
 * the reason goes into notes.
 */
bool choice_drop_shim(
	struct choice *c, const struct tracer_config *config, struct buf *why, struct buf *notes);

/* Adds what such a recording cannot contain, one sentence a line. */
void choice_blind_spots(const struct choice *c, struct buf *lines);

#endif
