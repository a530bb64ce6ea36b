/* testexit_sys.c - end with exit: exit handlers run. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

static void handler(void)
{
	fprintf(stderr, "exit handler ran\n");
}

int main(void)
{
	atexit(handler);
	printf("Bye sys world\n");
	exit(42);
}
