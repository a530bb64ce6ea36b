/* scratch.h - a file that another part of this process reads, and that is gone when it ends. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_SCRATCH_H
#define CLI_COMMON_SCRATCH_H

#include "base/banned.h"

#include <stdbool.h>

/*
 * Returns the path of a file NAME that does not exist yet, in a new folder of /tmp that only this user can enter; the
 * path stays valid until the process ends. File and folder are removed then, also where it is ended by SIGINT,
 * SIGQUIT, SIGTERM, SIGHUP or SIGPIPE. There is one for each process. Exits where the folder cannot be made.
 */
const char *scratch_file(const char *name);

/* Says whether that is the path of the file. */
bool scratch_is(const char *path);

#endif
