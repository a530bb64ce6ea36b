/* kernel.c - what the running kernel says of its types. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/probe_config.h"
#include "tracer/ebpf/cut.h"
#include "tracer/ebpf/roots.h"
#include "tracer/ebpf/types.h"

#define TYPES_FILE "/sys/kernel/btf/vmlinux"

/* Kernels have 5 MB of them; more than this is something else. */
enum { TYPES_BYTES_MAX = 256 << 20 };

/* Only newer kernels let the file be mapped; a read gives a page at most. */
static int bytes_read(struct kernel_types *k, int fd)
{
	size_t done = 0;

	k->bytes = xmalloc(k->len);
	while (done < k->len) {
		ssize_t n = read(fd, (char *)k->bytes + done, k->len - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done == k->len ? 0 : -EIO;
}

static int bytes_open(struct kernel_types *k)
{
	_cleanup_close_ int fd = open(TYPES_FILE, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) || st.st_size <= 0 || st.st_size > TYPES_BYTES_MAX)
		return -ENOTSUP;
	k->len = (size_t)st.st_size;
	p = mmap(NULL, k->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return bytes_read(k, fd);
	k->bytes = p;
	k->mapped = true;
	return 0;
}

/* libbpf takes a path alone, and there may be no /proc. */
static void cut_write(struct kernel_types *k, const struct buf *b)
{
	_cleanup_close_ int fd = memfd_create("types", MFD_CLOEXEC);

	if (fd < 0 || write(fd, b->data, b->len) != (ssize_t)b->len)
		return;
	(void)snprintf(k->cut_path, sizeof k->cut_path, "/proc/self/fd/%d", fd);
	if (!access(k->cut_path, R_OK))
		k->cut = steal_fd(&fd);
}

/* What programs that cast need, beside the types of relocations. */
static const struct type_wanted for_casts[] = {
	{.name = "task_struct", .kind = BTF_KIND_STRUCT},
	{.name = "file", .kind = BTF_KIND_STRUCT},
	{.name = "rb_root", .kind = BTF_KIND_STRUCT},
	{.name = "bpf_rdonly_cast", .kind = BTF_KIND_FUNC},
};

/* One walk through all types finds these and those. */
static void cut_make(struct kernel_types *k, const void *object, size_t size)
{
	_cleanup_free_ struct type_wanted *wanted = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n = 0;
	int rc = roots_find(object, size, &wanted, &n);
	struct type_wanted *casts;

	wanted = xreallocarray(wanted, n + ARRAY_SIZE(for_casts), sizeof *wanted);
	casts = wanted + n;
	memcpy(casts, for_casts, sizeof for_casts);
	for (size_t i = 0; i < ARRAY_SIZE(for_casts); i++)
		casts[i].len = (uint32_t)strlen(casts[i].name);
	types_find(&k->types, wanted, n + ARRAY_SIZE(for_casts));
	k->casts.task = casts[0].ids[0];
	k->casts.file = casts[1].ids[0];
	k->casts.pointer = casts[2].ids[0];
	k->cast_call = casts[3].ids[0];
	if (!rc && !cut_types(&k->types, wanted, n, &b))
		cut_write(k, &b);
}

struct kernel_types kernel_types(const void *object, size_t size)
{
	struct kernel_types k = KERNEL_TYPES_NONE;

	if (!bytes_open(&k) && !types_index(&k.types, k.bytes, k.len))
		cut_make(&k, object, size);
	return k;
}

void kernel_types_done(struct kernel_types *k)
{
	types_done(&k->types);
	if (k->mapped)
		munmap(k->bytes, k->len);
	else
		free(k->bytes);
	if (k->cut >= 0)
		(void)close(k->cut);
	*k = KERNEL_TYPES_NONE;
}

const char *kernel_types_path(const struct kernel_types *k)
{
	return k->cut >= 0 ? k->cut_path : NULL;
}
