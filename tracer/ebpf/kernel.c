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

struct bytes {
	void *p;
	size_t len;
	bool mapped;
};

static void bytes_done(struct bytes *b)
{
	if (b->mapped)
		munmap(b->p, b->len);
	else
		free(b->p);
}

/* Only newer kernels let the file be mapped; a read gives a page at most. */
static int bytes_read(struct bytes *b, int fd)
{
	size_t done = 0;

	b->p = xmalloc(b->len);
	while (done < b->len) {
		ssize_t n = read(fd, (char *)b->p + done, b->len - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done == b->len ? 0 : -EIO;
}

static int bytes_open(struct bytes *b)
{
	_cleanup_close_ int fd = open(TYPES_FILE, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) || st.st_size <= 0 || st.st_size > TYPES_BYTES_MAX)
		return -ENOTSUP;
	b->len = (size_t)st.st_size;
	p = mmap(NULL, b->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return bytes_read(b, fd);
	b->p = p;
	b->mapped = true;
	return 0;
}

static int write_file(const struct buf *b)
{
	_cleanup_close_ int fd = memfd_create("types", MFD_CLOEXEC);

	if (fd < 0 || write(fd, b->data, b->len) != (ssize_t)b->len)
		return -1;
	return steal_fd(&fd);
}

/* One walk through all types finds those of relocations and those of casts. */
static int cut(
	const struct types *types, const void *object, size_t size, struct probe_casts *ret_casts)
{
	struct type_wanted casts[] = {
		{.name = "task_struct", .kind = BTF_KIND_STRUCT},
		{.name = "file", .kind = BTF_KIND_STRUCT},
		{.name = "rb_root", .kind = BTF_KIND_STRUCT},
	};
	_cleanup_free_ struct type_wanted *wanted = NULL;
	_cleanup_buf_ struct buf file = BUF_INIT;
	size_t n = 0;
	int rc = roots_find(object, size, &wanted, &n);

	wanted = xreallocarray(wanted, n + ARRAY_SIZE(casts), sizeof *wanted);
	for (size_t i = 0; i < ARRAY_SIZE(casts); i++) {
		casts[i].len = (uint32_t)strlen(casts[i].name);
		wanted[n + i] = casts[i];
	}
	types_find(types, wanted, n + ARRAY_SIZE(casts));
	if (ret_casts)
		*ret_casts = (struct probe_casts){
			.task = wanted[n].ids[0],
			.file = wanted[n + 1].ids[0],
			.pointer = wanted[n + 2].ids[0],
		};
	if (!rc)
		rc = cut_types(types, wanted, n, &file);
	return rc ? -1 : write_file(&file);
}

struct kernel_cut kernel_cut(const void *object, size_t size, struct probe_casts *ret_casts)
{
	struct kernel_cut ret = {.fd = -1};
	struct bytes bytes = {0};
	struct types types;

	if (!bytes_open(&bytes) && !types_index(&types, bytes.p, bytes.len)) {
		ret.fd = cut(&types, object, size, ret_casts);
		types_done(&types);
	}
	bytes_done(&bytes);
	if (ret.fd >= 0)
		(void)snprintf(ret.path, sizeof ret.path, "/proc/self/fd/%d", ret.fd);
	/* libbpf takes a path alone, and there may be no /proc. */
	if (ret.fd >= 0 && access(ret.path, R_OK))
		kernel_cut_done(&ret);
	return ret;
}

const char *kernel_cut_path(const struct kernel_cut *cut_)
{
	return cut_->fd >= 0 ? cut_->path : NULL;
}

void kernel_cut_done(struct kernel_cut *cut_)
{
	if (cut_->fd >= 0)
		(void)close(cut_->fd);
	cut_->fd = -1;
}
