/* check.c - why eBPF programs cannot be loaded, in words. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/check.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define BTF_FILE "/sys/kernel/btf/vmlinux"

/* What libbpf opens beside the one program or map that it is asked for: it tries features first. */
enum { CHECK_FILES = 4 };

/* What libbpf says of a failure: the name of the program or map is in the first warning. */
static char first_warning[200];

__attribute__((format(printf, 1, 0))) static void hear(const char *fmt, va_list ap)
{
	if (first_warning[0])
		return;
	(void)vsnprintf(first_warning, sizeof first_warning, fmt, ap);
	first_warning[strcspn(first_warning, "\n")] = 0;
}

__attribute__((format(printf, 2, 0))) static int listen(
	enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN)
		hear(fmt, ap);
	return 0;
}

void ebpf_check_heard(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hear(fmt, ap);
	va_end(ap);
}

void ebpf_check_listen(void)
{
	first_warning[0] = 0;
	libbpf_set_print(listen);
}

/* A program that returns at once, of a type that takes the same rights as ours. */
static int try_program(void)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(
		BPF_PROG_TYPE_RAW_TRACEPOINT, "pptrace_try", "GPL", insns, ARRAY_SIZE(insns), NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static const char *release(struct utsname *u)
{
	return uname(u) == 0 ? u->release : "of unknown version";
}

/* Before 5.11 maps count as locked memory, and too much of it is answered with EPERM. */
static bool locked_memory_is_short(struct rlimit *ret)
{
	unsigned major, minor;
	struct utsname u;

	return uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 11)) && getrlimit(RLIMIT_MEMLOCK, ret) == 0 &&
	       ret->rlim_cur != RLIM_INFINITY && try_program() == 0;
}

static void not_permitted(struct buf *why)
{
	struct rlimit limit;

	if (locked_memory_is_short(&limit)) {
		buf_addf(why,
			"this kernel counts the maps of eBPF programs as locked memory, of which "
			"pptrace may have only %llu KiB (ulimit -l)",
			(unsigned long long)limit.rlim_cur / 1024);
		return;
	}
	buf_adds(why, "the kernel refuses eBPF programs to this user: run pptrace as root, or "
		      "give it the capabilities CAP_BPF and CAP_PERFMON");
	if (geteuid() == 0)
		buf_adds(why, " (this root lacks them: a container or a locked-down kernel)");
}

static void too_many_files(struct buf *why)
{
	struct rlimit limit = {0, 0};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	buf_addf(why, "pptrace may have only %llu files open at once (ulimit -n)",
		(unsigned long long)limit.rlim_cur);
}

static void not_accepted(struct buf *why, int error)
{
	struct utsname u;

	buf_addf(why, "this kernel (%s) rejects pptrace's eBPF programs: %s", release(&u),
		strerror(-error));
	if (first_warning[0])
		buf_addf(why, " (%s)", first_warning);
}

void ebpf_check_words(struct buf *why, int error)
{
	switch (error) {
	case -EPERM:
		not_permitted(why);
		break;
	case -EMFILE:
		too_many_files(why);
		break;
	case -ENFILE:
		buf_adds(why, "this machine cannot open more files (sysctl fs.file-max)");
		break;
	case -ENOMEM:
		buf_adds(why, "there is not enough memory for the eBPF maps");
		break;
	case -ENOSYS:
		buf_adds(why, "there is no system call bpf here: the kernel was built without it, "
			      "or a filter hides it");
		break;
	default:
		not_accepted(why, error);
	}
}

static int try_ring(void)
{
	int fd = bpf_map_create(
		BPF_MAP_TYPE_RINGBUF, "pptrace_try", 0, 0, (unsigned)sysconf(_SC_PAGESIZE), NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int ebpf_check_files(size_t n)
{
	struct rlimit limit;
	DIR *d = opendir("/proc/self/fd");
	size_t used = 0;

	if (!d)
		return errno == EMFILE || errno == ENFILE ? -errno : 0;
	while (readdir(d))
		used++;
	(void)closedir(d);
	/* Counted too: the two dots and the directory itself. */
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && used - 3 + n > limit.rlim_cur ? -EMFILE : 0;
}

int ebpf_check(struct buf *why)
{
	int rc;

	ebpf_check_listen();
	if (access(BTF_FILE, R_OK)) {
		if (errno == ENOENT)
			buf_adds(why, "this kernel does not describe its types (" BTF_FILE
				      " is missing: CONFIG_DEBUG_INFO_BTF)");
		else
			buf_addf(why, BTF_FILE " cannot be read: %s", strerror(errno));
		return -ENOTSUP;
	}
	rc = ebpf_check_files(CHECK_FILES);
	if (!rc)
		rc = try_program();
	if (!rc)
		rc = try_ring();
	if (rc)
		ebpf_check_words(why, rc);
	return rc;
}
