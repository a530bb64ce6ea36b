/* actors.h - small programs for the tests of the eBPF source to trace. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TRACER_EBPF_ACTORS_H
#define TESTS_UNIT_TRACER_EBPF_ACTORS_H

#include <stdbool.h>

/* The test program executes itself with "--act NAME" and then does what the actor of that name does. */
#define ACTOR_OPTION "--act"

/* Says whether a process may make system calls as a 32-bit program does, which the actor "compat" needs. */
bool actor_may_call32(void);

#endif
