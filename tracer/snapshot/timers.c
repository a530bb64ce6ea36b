/* timers.c - interval timers of other processes that are armed. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/ebpf/ebpf.h"

enum { MAX_ARMED = 65536 };

/* Inode of the first PID namespace, in which the iterator counts. */
#define FIRST_PID_NS 0xeffffffcu

/* Returns 1 if some interval timer is armed, 0 if none is, -EPERM if the list may not be read. */
static int any_armed(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/timer_list", "re");
	char line[512];
	bool has_lines = false;

	while (f && fgets(line, sizeof line, f)) {
		has_lines = true;
		if (strstr(line, "it_real_fn"))
			return 1;
	}
	return has_lines ? 0 : -EPERM;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* Loads the iterator alone out of the object that holds all programs. */
static struct bpf_program *load(struct bpf_object *obj)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_program(prog, obj)(void)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), "look_timers"));
	bpf_object__for_each_map(map, obj)(void) bpf_map__set_autocreate(map, false);
	return bpf_object__load(obj) ? NULL : bpf_object__find_program_by_name(obj, "look_timers");
}

static int read_all(int fd, struct timer_armed **ret)
{
	struct {
		uint64_t pid, expires, interval;
	} found;
	struct timer_armed *list = NULL;
	size_t n = 0, cap = 0;

	while (read(fd, &found, sizeof found) == (ssize_t)sizeof found && n < MAX_ARMED) {
		ARRAY_GROW(list, n, cap);
		list[n++] = (struct timer_armed){.pid = (pid_t)found.pid,
			.expires = found.expires,
			.interval = found.interval};
	}
	*ret = list;
	return (int)n;
}

static int iterate(struct timer_armed **ret)
{
	size_t size;
	const void *bytes = ebpf_object(EBPF_PLAIN, &size);
	struct bpf_object *obj = bytes ? bpf_object__open_mem(bytes, size, NULL) : NULL;
	struct bpf_program *prog = obj ? load(obj) : NULL;
	struct bpf_link *link = prog ? bpf_program__attach_iter(prog, NULL) : NULL;
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	int rc = -EPERM;

	if (fd >= 0) {
		rc = read_all(fd, ret);
		(void)close(fd);
	}
	(void)bpf_link__destroy(link);
	bpf_object__close(obj);
	return rc;
}

int timers_armed(struct timer_armed **ret)
{
	libbpf_print_fn_t before;
	struct stat st;
	int rc = any_armed();

	if (rc <= 0) {
		if (rc == 0)
			*ret = NULL;
		return rc;
	}
	if (stat("/proc/self/ns/pid", &st) != 0 || st.st_ino != FIRST_PID_NS)
		return -EPERM;
	before = libbpf_set_print(silent);
	rc = iterate(ret);
	(void)libbpf_set_print(before);
	return rc;
}
