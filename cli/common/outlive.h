/* outlive.h - the command ends as it would have, though pptrace has no memory left. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_OUTLIVE_H
#define CLI_COMMON_OUTLIVE_H

struct target;
struct tracer;

/*
 * From now on, running out of memory ends the recording but not pptrace, which waits for the command, passes SIGTERM
 * and SIGHUP on to it and then exits with its status. Both are borrowed until outlive_end.
 */
void outlive_begin(struct tracer *t, struct target *target);
void outlive_end(void);

#endif
