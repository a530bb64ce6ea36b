/* prompt.h - a parent polls the terminal of its child for a prompt; the child waits for an answer without having asked. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_TERMINALS_PROMPT_H
#define TESTS_CORPUS_TERMINALS_PROMPT_H

#include <poll.h>
#include <signal.h>

#include "tests/corpus/terminals/terminal.h"

static int master;

static inline void answer(int signo)
{
	(void)signo;
	(void)!write(master, "answer\n", 7);
}

/* on_usr1: the parent's handler, or SIG_DFL. */
static inline int wait_for_prompt(void (*on_usr1)(int signo))
{
	char text[64];
	struct pollfd set;
	pid_t child = fork_at_terminal(&master);

	if (child == 0) {
		(void)!read(STDIN_FILENO, text, sizeof text);
		_exit(0);
	}
	signal(SIGUSR1, on_usr1);
	set = (struct pollfd){.fd = master, .events = POLLIN};
	while (poll(&set, 1, -1) == 1 && read(master, text, sizeof text) > 0)
		;
	return waitpid(child, NULL, 0) < 0;
}

#endif
