/* job_at_hup.c - a master and its worker rest, each reading from the other, until SIGHUP makes the master give out a job. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * all: stuck
 * source: daemons that rotate their logs or load their files again (logrotate's postrotate scripts)
 */
#include "job.h"

int main(void)
{
	return serve(give_job);
}
