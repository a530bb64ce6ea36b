/* refuse.c - runs a command in which some system calls fail: refuse CALL[:ARGUMENT=VALUE]...=ERRNO... -- COMMAND. */
/* SPDX-License-Identifier: MIT */
/* "refuse bpf:0=5=EMFILE -- cmd": bpf(2) with argument 0 equal to 5 fails with EMFILE; "mmap:1=67112960=ENOMEM". */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct word {
	const char *name;
	unsigned value;
};

static const struct word calls[] = {
	{"bpf", SYS_bpf},
	{"clone3", SYS_clone3},
	{"epoll_create1", SYS_epoll_create1},
	{"eventfd2", SYS_eventfd2},
	{"madvise", SYS_madvise},
	{"mmap", SYS_mmap},
	{"perf_event_open", SYS_perf_event_open},
	{"pidfd_open", SYS_pidfd_open},
	{NULL, 0},
};

static const struct word errors[] = {
	{"E2BIG", E2BIG},
	{"EACCES", EACCES},
	{"EINVAL", EINVAL},
	{"EMFILE", EMFILE},
	{"ENOMEM", ENOMEM},
	{"ENOSYS", ENOSYS},
	{"EPERM", EPERM},
	{NULL, 0},
};

static unsigned find(const struct word *list, const char *name, size_t len)
{
	for (; list->name; list++)
		if (strlen(list->name) == len && !memcmp(list->name, name, len))
			return list->value;
	fprintf(stderr, "refuse: what is %.*s?\n", (int)len, name);
	exit(2);
}

/* A load of the call's number, or of one half of an argument. */
static struct sock_filter load(size_t offset)
{
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset);
}

enum { CONDITIONS = 3 };

/* Adds the instructions for one rule; those that do not match go on behind it. */
static size_t rule(struct sock_filter *at, const char *text)
{
	size_t len = strcspn(text, ":="), n = 0;
	unsigned arg[CONDITIONS], value[CONDITIONS], count = 0;
	const char *error = strrchr(text, '='), *p = text + len;
	int used;

	if (!error)
		exit(2);
	for (; *p == ':'; p += used, count++)
		if (count == CONDITIONS ||
			sscanf(p, ":%u=%u%n", &arg[count], &value[count], &used) != 2)
			exit(2);
	at[n++] = load(offsetof(struct seccomp_data, nr));
	at[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, find(calls, text, len), 0,
		(unsigned char)(2 * count + 1));
	for (unsigned i = 0; i < count; i++) {
		at[n++] = load(offsetof(struct seccomp_data, args) + arg[i] * 8ul);
		at[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value[i], 0,
			(unsigned char)(2 * (count - i - 1) + 1));
	}
	at[n++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | find(errors, error + 1, strlen(error + 1)));
	return n;
}

int main(int argc, char **argv)
{
	struct sock_filter code[512];
	struct sock_fprog program = {.filter = code};
	size_t n = 0;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") && n < 500; i++)
		n += rule(code + n, argv[i]);
	if (i + 1 >= argc)
		return 2;
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("refuse");
		return 2;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
