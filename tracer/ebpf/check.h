/* check.h - why eBPF programs cannot be loaded, in words. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_CHECK_H
#define TRACER_EBPF_CHECK_H

#include <stddef.h>

struct buf;

/*
 * Tries with the smallest program and map whether the kernel lets this process
 * trace. Returns 0; or a negative errno with one sentence in why that names
 * what is missing and what would give it.
 */
int ebpf_check(struct buf *why);

/*
 * Says whether pptrace may open n more files: 0, -EMFILE or -ENFILE. Asked beforehand because
 * libbpf answers with other errors, by how far it got.
 */
int ebpf_check_files(size_t n);

/* From now on libbpf is silent, and its first warning is remembered for ebpf_check_words. */
void ebpf_check_listen(void);

/* Remembers a warning in the same way. */
void ebpf_check_heard(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Adds the sentence for an error of loading, attaching or mapping: what was the cause, as far as that is known. */
void ebpf_check_words(struct buf *why, int error);

#endif
