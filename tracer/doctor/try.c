/* try.c - what the files that try something have in common. */
/* SPDX-License-Identifier: MIT */
#include "tracer/doctor/try.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"

int try_failed(struct buf *why, const char *what, int rc)
{
	buf_addf(why, "%s: %s", what, strerror(-rc));
	return rc;
}

void try_advise(struct buf *remedy, int rc)
{
	if (rc == -EPERM || rc == -EACCES)
		buf_adds(remedy, CAPABILITY_REMEDY);
}
