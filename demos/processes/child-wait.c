/* child-wait.c - say hello, then wait for Enter. */
/* SPDX-License-Identifier: MIT */
/* Try: 1 */
#include "../demo.h"

/* A wait for the terminal is not a deadlock: somebody may press the key at any time. */
int main(int argc, char **argv)
{
	setlinebuf(stdout);
	printf("Hello from child %d %s\n", getpid(), argc > 1 ? argv[1] : "");
	demo_next_line();
	return 0;
}
