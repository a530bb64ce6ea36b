/* check.h - why eBPF programs cannot be had, in words. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_CHECK_H
#define TRACER_EBPF_CHECK_H

struct buf;

/*
 * Tries with the smallest program and map whether the kernel lets this process
 * trace. Returns 0; or a negative errno with one sentence in why that names
 * what is missing and what would give it.
 */
int ebpf_check(struct buf *why);

/* Adds the sentence for an error of loading or attaching. */
void ebpf_check_words(struct buf *why, int error);

#endif
