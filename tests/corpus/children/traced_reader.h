/* traced_reader.h - a process traces its child with ptrace and waits for its end; how the child goes on is said by who includes it. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

void child(const int pipe[2]);

int main(void)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		return 1;
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		child(ends);
		_exit(0);
	}
	/* Neither call asks for the status. */
	waitpid(pid, NULL, 0);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	waitpid(pid, NULL, 0);
	return (int)write(ends[1], "", 1) - 1;
}
