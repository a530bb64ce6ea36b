/* job_never.c - a master and its worker read from each other, and nothing makes one of them begin. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: deadlock
 * source: the twin of job_at_hup.c
 */
#include "job.h"

int main(void)
{
	return serve(SIG_DFL);
}
