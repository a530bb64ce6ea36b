/* kernel.c - what the running kernel says of its types. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
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

/* What programs that cast need, beside the types of relocations, and where its number goes. */
static const struct {
	struct type_wanted type;
	size_t offset; /* in struct kernel_types */
} for_casts[] = {
#define CAST_TO(member, type)                                                                      \
	{                                                                                          \
		{.name = type, .kind = BTF_KIND_STRUCT},                                           \
			offsetof(struct kernel_types, casts.member)                                \
	}
	CAST_TO(task, "task_struct"),
	CAST_TO(word, "rb_node"),
	CAST_TO(file, "file"),
	CAST_TO(sock, "sock"),
	CAST_TO(epitem, "epitem"),
	{{.name = "bpf_rdonly_cast", .kind = BTF_KIND_FUNC},
		offsetof(struct kernel_types, cast_call)},
};

/* One walk through all types finds these and those. */
static void cut_make(struct kernel_types *k, const void *object, size_t size)
{
	_cleanup_free_ struct type_wanted *wanted = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t n = 0;
	int rc = roots_find(object, size, &wanted, &n);

	wanted = xreallocarray(wanted, n + ARRAY_SIZE(for_casts), sizeof *wanted);
	for (size_t i = 0; i < ARRAY_SIZE(for_casts); i++) {
		wanted[n + i] = for_casts[i].type;
		wanted[n + i].len = (uint32_t)strlen(for_casts[i].type.name);
	}
	types_find(&k->types, wanted, n + ARRAY_SIZE(for_casts));
	for (size_t i = 0; i < ARRAY_SIZE(for_casts); i++)
		*(uint32_t *)((char *)k + for_casts[i].offset) = wanted[n + i].ids[0];
	if (!rc && !cut_types(&k->types, wanted, n, &b))
		cut_write(k, &b);
}

/*
 * Puts the kernel's function where the programs cast, in a copy of them. Where there is none, they stay as they
 * are, and the kernel refuses them.
 */
static void casts_put(struct kernel_types *k, const void *object, size_t size)
{
	static const struct bpf_insn call = {.code = BPF_JMP | BPF_CALL, .imm = PROBE_CAST_CALL};
	struct bpf_insn insn = {.code = BPF_JMP | BPF_CALL,
		.src_reg = BPF_PSEUDO_KFUNC_CALL,
		.imm = (int)k->cast_call};
	char *at;

	if (!k->cast_call || !memmem(object, size, &call, sizeof call))
		return;
	k->object = xmalloc(size);
	memcpy(k->object, object, size);
	for (at = k->object; (at = memmem(at, size - (size_t)(at - k->object), &call, sizeof call));
		at += sizeof insn)
		memcpy(at, &insn, sizeof insn);
}

struct kernel_types kernel_types(const void *object, size_t size)
{
	struct kernel_types k = KERNEL_TYPES_NONE;

	if (!bytes_open(&k) && !types_index(&k.types, k.bytes, k.len))
		cut_make(&k, object, size);
	casts_put(&k, object, size);
	return k;
}

void kernel_types_done(struct kernel_types *k)
{
	types_done(&k->types);
	free(k->object);
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
