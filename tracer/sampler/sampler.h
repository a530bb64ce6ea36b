/* sampler.h - processes that are looked at again and again: a source of records where eBPF is not permitted. */
/* SPDX-License-Identifier: MIT */
/* To be read in this order: sampler.c, the only file. */
#ifndef TRACER_SAMPLER_SAMPLER_H
#define TRACER_SAMPLER_SAMPLER_H

#include "tracer/source.h"

/*
 * Looks at the processes that it is told to follow, and at the children that they make, so often, and hands on what
 * has changed: for recordings where eBPF is not permitted.
 */
#define SAMPLER_EVERY_NS 50000000u
struct source *source_sampler(void);

#endif
