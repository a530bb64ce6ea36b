/* options.h - what the environment asks of the preload library. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_OPTIONS_H
#define PROBES_SHIM_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the environment asked for when the program began. */
struct shim_options {
	bool ready;
	bool stacks;    /* of each acquisition the callers are asked for */
	bool sandboxed; /* system calls may be filtered: no file is opened any more */
	uint32_t data_bytes;
	char arena[PATH_MAX]; /* empty: record nothing */
	/* One behind the other, so that who asks for them between fork and exec finds them in one page. */
	const char *library; /* this library as LD_PRELOAD names it; empty: it does not */
	const char *given;   /* as arena, kept when recording has been given up */
	const char *plain;   /* the file beside it (schema/plain.h); empty: there is none */
	size_t library_len, given_len;
	char text[3 * PATH_MAX];
};
extern struct shim_options shim_options;

/* Reads the environment, once. No system call. */
void shim_options_read(void);

#endif
