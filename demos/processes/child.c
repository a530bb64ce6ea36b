/* child.c - the program that other demos start. */
/* SPDX-License-Identifier: MIT */
/* Try: 1 */
#include "../demo.h"

int main(int argc, char **argv)
{
	printf("Hello from child %d %s\n", getpid(), argc > 1 ? argv[1] : "");
	return 0;
}
