/* timerfd_armed_by_ended.c - a process arms the timerfd that its parent reads, and ends long before the time has come. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: timerfd_create(2); a timer belongs to the open file description
 */
#include <stdint.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	struct itimerspec in_a_minute = {.it_value.tv_sec = 60};
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t n;

	if (timer < 0)
		return 1;
	if (fork() == 0)
		_exit(timerfd_settime(timer, 0, &in_a_minute, NULL) != 0);
	return wait(NULL) < 0 || read(timer, &n, sizeof n) < 0;
}
