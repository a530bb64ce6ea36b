/* timerfd_read.c - the program reads from a timerfd whose time was rounded to 0, which disarms it. */
/* SPDX-License-Identifier: MIT */
/*
 * expect: stuck
 * source: timerfd_settime(2): an it_value of 0 disarms the timer
 */
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

int main(void)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t n;

	timerfd_settime(timer, 0, &(struct itimerspec){.it_value = {0, 0}}, NULL);
	return read(timer, &n, sizeof n) < 0;
}
