/* pipefifo.c - two unrelated programs meet in a named pipe. */
/* SPDX-License-Identifier: MIT */
/* Try: --both --delay 0.1 --count 6 */
#include "../demo.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Opening a FIFO waits until the other side opens it too. */
static void child(const char *path, double delay, long count)
{
	int zzz = 0, out = open(path, O_WRONLY);

	if (out < 0)
		demo_die(path);
	for (long n = 0; !count || n < count; n++) {
		char message[16];
		int len;

		demo_sleep(zzz * delay);
		len = snprintf(message, sizeof message, "Spam %03d\n", zzz);
		if (write(out, message, (size_t)len) != len)
			demo_die("write");
		zzz = (zzz + 1) % 5;
	}
	close(out);
}

static void parent(const char *path)
{
	char line[64];
	FILE *in = fopen(path, "r");

	if (!in)
		demo_die(path);
	while (fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = '\0';
		printf("Parent %d got \"%s\" at %f\n", getpid(), line, demo_time());
	}
	fclose(in);
}

int main(int argc, char **argv)
{
	const char *path = "/tmp/pipefifo";
	double delay = 1;
	long count = 0;
	bool is_child = false, both = false, is_ours;
	struct demo_option options[] = {
		{"-child", "write instead of reading", .flag = &is_child},
		{"--both", "start the writer as well", .flag = &both},
		{"--path", "the named pipe (/tmp/pipefifo)", .text = &path},
		{"--delay", "sleep 0 to 4 times this many seconds before each message (1)",
			.seconds = &delay},
		{"--count", "how many messages to write (endless)", .number = &count},
		{0},
	};

	demo_options(argc, argv, "", options);
	setlinebuf(stdout);
	is_ours = mkfifo(path, 0600) == 0;
	if (!is_ours && errno != EEXIST)
		demo_die(path);
	if (both && fork() == 0) {
		child(path, delay, count);
		_exit(0);
	}
	if (is_child)
		child(path, delay, count);
	else
		parent(path);
	if (is_ours)
		unlink(path);
	if (both)
		wait(NULL);
	return 0;
}
