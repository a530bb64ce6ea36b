/* leak_daemon_pauses.c - a daemon that waits for nothing but its death has inherited the pipe to whose end its starter reads. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: pipe-end-leak stuck
 * source: python/cpython#75337 (subprocess.run with capture_output never returns when a daemon inherits stdout)
 */
#include "daemon.h"

int main(void)
{
	return read_to_end(SIG_DFL);
}
