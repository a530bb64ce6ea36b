/* actors.h - small programs for the tests of the eBPF source to trace. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TRACER_EBPF_ACTORS_H
#define TESTS_UNIT_TRACER_EBPF_ACTORS_H

/* The test program executes itself with "--act NAME" and then does what the actor of that name does. */
#define ACTOR_OPTION "--act"

#endif
