/* waits.h - waits whose other side the kernel keeps: userfaultfds, io_urings, leases of files, FIFOs that were removed. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: waits.c, alone.
 */
#ifndef TRACER_SNAPSHOT_KERNEL_WAITS_H
#define TRACER_SNAPSHOT_KERNEL_WAITS_H

#include "tracer/snapshot/snap.h"

/* Says whether a thread in no system call waits for a page that a userfaultfd is to supply; in wait.peer: who holds that, 0: not known. */
bool fault_wait(const struct snap_process *p, struct snap_thread *t);

/* Of a thread in io_uring_enter: in words, which operations its ring waits with. */
void uring_wait(const struct snap_process *p, struct snap_thread *t);

/* Of a thread that opens a file: in words, whether somebody has a lease on it that he is to give up. */
void file_wait_open(const struct snap_process *p, struct snap_thread *t);

/* Says whether a thread that opens a file waits for the other side of a FIFO, as the kernel tells. */
bool file_opens_fifo(const struct snap_process *p, const struct snap_thread *t);

#endif
