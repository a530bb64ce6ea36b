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
	bool spares_plain;   /* programs that need no preload library get none (shim/plain.c) */
	bool sampled;        /* no event is seen: the processes are looked at again and again */
	const char *backend; /* as trace.backend names it */
	char *shim_path;     /* the library, or NULL */
	char *mpi_path; /* the library for ranks of MPI jobs, or NULL: it is not needed, or not there */
	char *no_ebpf; /* why the kernel's probes were given up, or NULL */
};

/*
 * Chooses for --backend and --locks. Returns 0; -EINVAL if the two contradict
 * each other; -EPERM or another negative errno if nothing works, with a
 * sentence in why. notes gets a sentence for everything that "auto" would have preferred and could not have.
 */
int choose_sources(
	const struct tracer_config *config, struct choice *ret, struct buf *notes, struct buf *why);
void choice_done(struct choice *c);

/*
 * A source of the choice could not be attached, for the reason in why: chooses again without it, if "auto" allows
 * that. Returns 0, the reason is then in notes; or a negative errno with the final sentence in why.
 */
int choice_fall_back(struct choice *c, const struct tracer_config *config,
	const struct source *failed, int error, struct buf *notes, struct buf *why);

/* Adds what such a recording cannot contain, one sentence a line. */
void choice_blind_spots(const struct choice *c, struct buf *lines);

#endif
