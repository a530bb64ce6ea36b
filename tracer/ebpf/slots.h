/* slots.h - give tasks their slots, by which they are traced. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_SLOTS_H
#define TRACER_EBPF_SLOTS_H

#include <stdbool.h>
#include <sys/types.h>

struct bpf_link;
struct pptrace_bpf;

/* Lets an attached iterator that prints nothing go through all tasks once. Returns 0 or -errno. */
int ebpf_iterator_run(struct bpf_link *link);

/* Traces a task that has not run yet. Returns 0 or -errno. */
int ebpf_slot_adopt(struct pptrace_bpf *skel, pid_t pid);

/* No longer traces a task: undoes ebpf_slot_adopt. Returns 0 or -errno. */
int ebpf_slot_drop(struct pptrace_bpf *skel, pid_t pid);

/* Traces a thread that exists, from the call on that it is in. Returns 0 or -errno. */
int ebpf_slot_follow(struct pptrace_bpf *skel, pid_t pid, pid_t tid);

/* Says whether a process is traced: the kernel finds the slot by the pidfd, whatever has been recorded. */
bool ebpf_slot_has(struct pptrace_bpf *skel, int pidfd, pid_t pid);

#endif
