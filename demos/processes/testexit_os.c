/* testexit_os.c - end with _exit: exit handlers do not run. */
/* SPDX-License-Identifier: MIT */
#include "../demo.h"

static void handler(void)
{
	fprintf(stderr, "exit handler ran\n");
}

int main(void)
{
	atexit(handler);
	printf("Bye os world\n");
	fflush(stdout); /* _exit would lose what stdio still has */
	_exit(99);
}
