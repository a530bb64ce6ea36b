/* iterate.c - walk the tasks of the machine inside the kernel. */
/* SPDX-License-Identifier: MIT */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/ebpf/kernel.h"
#include "tracer/ebpf/programs.h"

enum { ROW_MAX = 128 };

/* Inode of the first PID namespace, in which the iterator counts. */
#define FIRST_PID_NS 0xeffffffcu

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* Loads one iterator out of the object that holds all programs. */
static struct bpf_program *load(
	struct bpf_object *obj, const char *name, const struct kernel_types *types)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_program(prog, obj)(void)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), name));
	bpf_object__for_each_map(map, obj)(void) bpf_map__set_autocreate(map, false);
	return programs_load_some(obj, types) ? NULL : bpf_object__find_program_by_name(obj, name);
}

static int iterate(
	const char *name, size_t row, void (*each)(void *arg, const void *row), void *arg)
{
	size_t size;
	const void *bytes = ebpf_object(EBPF_PLAIN, &size);
	_cleanup_types_ struct kernel_types types = kernel_types(bytes, size);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = kernel_types_path(&types));
	struct bpf_object *obj =
		bytes && !programs_expect() ? bpf_object__open_mem(bytes, size, &opts) : NULL;
	struct bpf_program *prog = obj ? load(obj, name, &types) : NULL;
	struct bpf_link *link = prog ? bpf_program__attach_iter(prog, NULL) : NULL;
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	_Alignas(8) char bytes_of_row[ROW_MAX];

	/* The kernel never gives a part of a row. */
	while (fd >= 0 && read(fd, bytes_of_row, row) == (ssize_t)row)
		each(arg, bytes_of_row);
	if (fd >= 0)
		(void)close(fd);
	(void)bpf_link__destroy(link);
	bpf_object__close(obj);
	return fd >= 0 ? 0 : -EPERM;
}

int ebpf_iterate(const char *name, size_t row, void (*each)(void *arg, const void *row), void *arg)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	libbpf_print_fn_t before;
	struct stat st;
	int rc;

	if (row > ROW_MAX || stat("/proc/self/ns/pid", &st) != 0 || st.st_ino != FIRST_PID_NS)
		return -EPERM;
	/* What libbpf prints is one setting for all threads. */
	(void)pthread_mutex_lock(&one);
	before = libbpf_set_print(silent);
	rc = iterate(name, row, each, arg);
	(void)libbpf_set_print(before);
	(void)pthread_mutex_unlock(&one);
	return rc;
}
