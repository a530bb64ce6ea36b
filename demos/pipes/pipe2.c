/* pipe2.c - messages of one line each in a pipe, and unused ends closed. */
/* SPDX-License-Identifier: MIT */
/* Try: --delay 0.1 --count 12 */
#include "../demo.h"

#include <sys/wait.h>

/* Endless unless count is given. */
static void child(int out, double delay, long count)
{
	int zzz = 0;

	for (long n = 0; !count || n < count; n++) {
		char message[16];
		int len;

		demo_sleep(zzz * delay);
		len = snprintf(message, sizeof message, "Spam %03d\n", zzz);
		if (write(out, message, (size_t)len) != len)
			demo_die("write");
		zzz = (zzz + 1) % 5;
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	double delay = 1;
	long count = 0;
	char line[64];
	int ends[2];
	struct demo_option options[] = {
		{"--delay", "sleep 0 to 4 times this many seconds before each message (1)",
			.seconds = &delay},
		{"--count", "how many messages (endless)", .number = &count},
		{0},
	};
	FILE *in;
	pid_t pid;

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	if (pipe(ends) < 0)
		demo_die("pipe");
	pid = fork();
	if (pid < 0)
		demo_die("fork");
	if (pid == 0) {
		close(ends[0]);
		child(ends[1], delay, count);
	}
	close(ends[1]); /* or the loop below would never see end of file */
	in = fdopen(ends[0], "r");
	if (!in)
		demo_die("fdopen");
	while (fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = '\0';
		printf("Parent %d got \"%s\" at %f\n", getpid(), line, demo_time());
	}
	fclose(in);
	waitpid(pid, NULL, 0);
	return 0;
}
