/* ladder.c - run a workload while its system calls are recorded as far as one step of ladder.bpf.c goes. */
/* SPDX-License-Identifier: MIT */
/*
 * usage: ladder STEP COMMAND...
 *
 * Ends as the command does. STEP is one of those that `ladder` alone lists.
 */
#include "bench/ladder.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ladder.skel.h"

static const char *const names[STEP_END] = {
	[STEP_EMPTY_EXIT] = "empty-exit",
	[STEP_EMPTY] = "empty",
	[STEP_SLOT] = "slot",
	[STEP_TIME] = "time",
	[STEP_OBJECT] = "object",
	[STEP_RECORD] = "record",
	[STEP_DATA] = "data",
	[STEP_READ] = "read",
};

static _Noreturn void give_up(const char *what)
{
	perror(what);
	exit(125);
}

/* The ring as its reader sees it. */
struct ring {
	unsigned long *consumer;
	const unsigned long *producer;
	const char *data;
	size_t size;
};

static void ring_map(struct ring *r, int fd, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	r->size = size;
	r->consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	r->producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (r->consumer == MAP_FAILED || (const void *)r->producer == MAP_FAILED)
		give_up("mmap");
	r->data = (const char *)r->producer + page;
}

/* Gives back what was written; reads it first if that is wanted. */
static void ring_drain(struct ring *r, int copy)
{
	static struct ladder_record copies[4096];
	unsigned long end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE), at = *r->consumer;

	for (unsigned long n = 0; copy && at < end; n++, at += 8 + sizeof *copies) {
		const char *p = r->data + (at & (r->size - 1));

		if (__atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_ACQUIRE) >> 31)
			break;
		memcpy(&copies[n % 4096], p + 8, sizeof *copies);
	}
	__atomic_store_n(r->consumer, copy ? at : end, __ATOMIC_RELEASE);
}

static pid_t start(char **argv, int *ret_gate)
{
	int gate[2];
	char c;
	pid_t pid;

	if (pipe(gate) < 0)
		give_up("pipe");
	pid = fork();
	if (pid < 0)
		give_up("fork");
	if (pid == 0) {
		(void)close(gate[1]);
		(void)!read(gate[0], &c, 1);
		(void)close(gate[0]);
		(void)execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	(void)close(gate[0]);
	*ret_gate = gate[1];
	return pid;
}

static void mark_thread(struct ladder_bpf *bpf, pid_t pid)
{
	struct {
		long long nr;
		unsigned long long began;
	} blank = {-1, 0};
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0 ||
		bpf_map_update_elem(bpf_map__fd(bpf->maps.threads), &pidfd, &blank, BPF_ANY))
		give_up("task storage");
	(void)close(pidfd);
}

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	struct ladder_bpf *bpf;
	struct ring ring;
	unsigned s = 0;
	int gate, status;
	pid_t pid;

	while (argc > 2 && s < STEP_END && strcmp(argv[1], names[s]) != 0)
		s++;
	if (argc < 3 || s == STEP_END) {
		for (s = 0; s < STEP_END; s++)
			puts(names[s]);
		return 2;
	}
	bpf = ladder_bpf__open();
	if (!bpf)
		give_up("open");
	bpf->rodata->step = s;
	bpf_program__set_autoload(bpf->progs.on_sys_enter, s > STEP_EMPTY_EXIT);
	if (ladder_bpf__load(bpf) || ladder_bpf__attach(bpf))
		give_up("load");
	ring_map(&ring, bpf_map__fd(bpf->maps.ring), bpf_map__max_entries(bpf->maps.ring));
	pid = start(argv + 2, &gate);
	mark_thread(bpf, pid);
	(void)close(gate);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		ring_drain(&ring, s >= STEP_READ);
		(void)nanosleep(&pause, NULL);
	}
	ladder_bpf__destroy(bpf);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
