/* limits.h - limits and signals that pptrace changes for itself and that the command must not inherit. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_TARGET_LIMITS_H
#define TRACER_TARGET_LIMITS_H

/*
 * What limits the command is not to end the recording: lets pptrace open as many files as it ever may
 * (RLIMIT_NOFILE), lock as much memory, as which kernels before 5.11 count the maps of eBPF programs
 * (RLIMIT_MEMLOCK; libbpf raises it too), write as much and run as long (RLIMIT_FSIZE, RLIMIT_CPU). What cannot
 * be raised stays as it is; a file that gets too large is an error of write(2), SIGXFSZ is ignored. To be
 * called before a thread is started: what glibc then does with a signal of its own is undone, too.
 */
void limits_raise(void);

/* In a child, before it executes: sets all that as it was. Async-signal-safe; does nothing if nothing was raised. */
void limits_restore(void);

/*
 * From now on the kernel, when memory runs out, ends pptrace before any program that it
 * traces (oom_score_adj: proc(5)). To be called once the command has been forked, who would inherit it.
 */
void limits_die_first(void);

#endif
