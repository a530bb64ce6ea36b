/* try.h - what the files that try something have in common: words, and the list of one for that of the other. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_DOCTOR_TRY_H
#define TRACER_DOCTOR_TRY_H

#include "tracer/doctor/capability.h"

/* Adds "WHAT: the error's words" to why. Returns rc, a negative errno. */
int try_failed(struct buf *why, const char *what, int rc);

/* Adds to remedy how to get the permission, if that is what the error rc asks for. */
void try_advise(struct buf *remedy, int rc);

/*
 * Returns what pptrace wants of eBPF, *ret_n in number, in the order in which they build on each other:
 * try_ebpf.c, or without_ebpf.c in a pptrace that was built with EBPF=0.
 */
const struct capability *try_ebpf_list(size_t *ret_n);

#endif
