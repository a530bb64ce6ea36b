/* insns.c - how many instructions the verifier of this kernel goes through for each program of each edition. */
/* SPDX-License-Identifier: MIT */
/*
 * Prints "EDITION PROGRAM INSNS" for few bytes of each call and for many, with "refused: why" for a number where the program
 * is not taken; with the name of an edition and of a program, the verifier's log of it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "schema/probe_config.h"
#include "tracer/ebpf/kernel.h"
#include "tracer/ebpf/load.h"
#include "tracer/target/limits.h"
#include "tracer/source.h"

#include "pptrace.skel.h"

enum { LOG_BYTES = 16 << 20, LOG_STATS = 4, LOG_ALL = 1 };

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* The last line of a log that is not about the processing. */
static const char *reason(char *log)
{
	static char text[256];
	char *end = strstr(log, "\nprocessed "), *line;

	if (end)
		*end = 0;
	line = strrchr(log, '\n');
	(void)snprintf(text, sizeof text, "%s", line ? line + 1 : log);
	return text;
}

static struct bpf_program *only(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog, *found = NULL;

	bpf_object__for_each_program(prog, obj)
	{
		bool is_it = !strcmp(bpf_program__name(prog), name);

		if (is_it && bpf_program__autoload(prog))
			found = prog;
		bpf_program__set_autoload(prog, is_it && bpf_program__autoload(prog));
	}
	return found;
}

/* Loads one program alone, that records so many bytes of each call: what has no use then is not verified. */
static void measure_with(
	unsigned data_bytes, enum ebpf_edition edition, const char *name, char *log, bool show)
{
	const struct source_config config = {
		.locks = LOCKS_MODE_FUTEX, .data_bytes = data_bytes, .sched = true};
	struct ebpf_variant v = {edition, false, false};
	_cleanup_types_ struct kernel_types types = KERNEL_TYPES_NONE;
	struct pptrace_bpf *skel = ebpf_open(&config, ebpf_room_of(1 << 16), v, &types);
	struct bpf_program *prog = skel ? only(skel->obj, name) : NULL;
	const char *processed;
	int rc;

	if (!prog) {
		pptrace_bpf__destroy(skel);
		return;
	}
	*log = 0;
	(void)bpf_program__set_log_buf(prog, log, LOG_BYTES);
	(void)bpf_program__set_log_level(prog, show ? LOG_ALL : LOG_STATS);
	rc = pptrace_bpf__load(skel);
	if (show)
		(void)fputs(log, stdout);
	processed = strstr(log, "processed ");
	if (rc == 0 && processed)
		(void)printf("%s %s %ld\n", ebpf_edition_name(edition), name,
			strtol(processed + 10, NULL, 10));
	else
		(void)printf("%s %s refused: %s: %s (%.40s)\n", ebpf_edition_name(edition), name,
			strerror(-rc), processed ? reason(log) : log, processed ? processed : "");
	(void)fflush(stdout);
	pptrace_bpf__destroy(skel);
}

/* As by default, and with all that can be wanted. */
static void measure(enum ebpf_edition edition, const char *name, char *log, bool show)
{
	measure_with(32, edition, name, log, show);
	measure_with(1 << 20, edition, name, log, show);
}

static void measure_all(enum ebpf_edition edition, char *log)
{
	static const struct source_config config = {.locks = LOCKS_MODE_FUTEX};
	struct ebpf_variant v = {edition, false, false};
	_cleanup_types_ struct kernel_types types = KERNEL_TYPES_NONE;
	struct pptrace_bpf *skel = ebpf_open(&config, ebpf_room_of(1 << 16), v, &types);
	struct bpf_program *prog;

	if (!skel)
		return;
	bpf_object__for_each_program(prog, skel->obj)
		measure(edition, bpf_program__name(prog), log, false);
	pptrace_bpf__destroy(skel);
}

int main(int argc, char **argv)
{
	char *log = xmalloc(LOG_BYTES);

	limits_raise();
	libbpf_set_print(quiet);
	for (int e = 0; e < EBPF_EDITIONS; e++) {
		if (argc > 1 && strcmp(argv[1], ebpf_edition_name((enum ebpf_edition)e)))
			continue;
		if (argc > 2)
			measure((enum ebpf_edition)e, argv[2], log, true);
		else
			measure_all((enum ebpf_edition)e, log);
	}
	free(log);
	return 0;
}
