/* proc.h - what /proc says of a process. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdint.h>

/* A name as the kernel keeps it, with its end (TASK_COMM_LEN, include/linux/sched.h). */
enum { PROC_COMM = 16 };

/* The name of a process, empty if it is gone. */
void proc_comm(uint32_t pid, char comm[static PROC_COMM]);

#endif
