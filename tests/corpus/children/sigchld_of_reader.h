/* sigchld_of_reader.h - a parent waits for SIGCHLD in a signalfd; its child reads from a pipe, and how goes on is said by who includes it. */
/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

void child(const int pipe[2]);

int main(void)
{
	struct pollfd ended = {.events = POLLIN};
	int ends[2];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ended.fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (pipe(ends) < 0)
		return 1;
	if (!fork()) {
		child(ends);
		_exit(0);
	}
	poll(&ended, 1, -1);
	return wait(NULL) < 0;
}
