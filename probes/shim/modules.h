/* modules.h - what the program consists of. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_SHIM_MODULES_H
#define PROBES_SHIM_MODULES_H

/* Records the executable mappings of this process. */
void modules_record(void);

#endif
