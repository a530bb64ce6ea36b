/* pipe1.c - messages without a separator in a pipe: some are read together. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.1 --count 12 */
#include "../demo.h"

#include <sched.h>
#include <sys/wait.h>

/* Endless unless count is given. */
static void child(int out, double delay, long count)
{
	int zzz = 0;

	for (long n = 0; !count || n < count; n++) {
		char message[16];
		int len;

		demo_sleep(zzz * delay);
		len = snprintf(message, sizeof message, "Spam %03d", zzz);
		if (write(out, message, (size_t)len) != len)
			demo_die("write");
		zzz = (zzz + 1) % 5;
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	double delay = 1;
	long count = 0, left;
	int ends[2];
	struct demo_option options[] = {
		{"--delay", "sleep 0 to 4 times this many seconds before each message (1)",
			.seconds = &delay},
		{"--count", "how many messages (endless)", .number = &count},
		{0},
	};
	pid_t pid;

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	if (pipe(ends) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0)
		child(ends[1], delay, count);
	/*
	 * A reader in no hurry: it does not take the processor from the writer the
	 * moment that a message is there. So 004 and 000, written without a pause
	 * between them, are read as one.
	 */
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
	/*
	 * The write end stays open here too, so that end of file never comes:
	 * only counting tells when it is over. pipe2 does it right.
	 */
	left = count * (long)strlen("Spam 000");
	do {
		char text[33];
		ssize_t len = read(ends[0], text, sizeof text - 1);

		if (len <= 0)
			demo_die("read");
		text[len] = '\0';
		printf("Parent %d got \"%s\" at %f\n", getpid(), text, demo_time());
		left -= len;
	} while (!count || left > 0);
	waitpid(pid, NULL, 0);
	return 0;
}
