/* programs.c - load the eBPF programs, several at a time. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "schema/probe_config.h"
#include "tracer/ebpf/check.h"
#include "tracer/ebpf/kernel.h"
#include "tracer/ebpf/types.h"

#include "pptrace.skel.h"

enum { THREADS_MAX = 4 };

/* A program that waits to be loaded. */
struct job {
	const struct bpf_program *place;
	struct bpf_insn *insns;
	size_t n;
	enum bpf_prog_type type;
	struct bpf_prog_load_opts opts;
	int fd; /* of the loaded program, or -1 */
	int error;
};

struct jobs {
	struct job *all;
	size_t n, cap;
	size_t next;
	bool failed;
};

/* What libbpf loads now in this thread: a look from outside loads iterators in one of its own. */
static _Thread_local struct jobs *preparing;

/* libbpf has the program ready: takes it out, and leaves one that returns at once. */
static int take_out(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long type)
{
	static struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct jobs *jobs = preparing;
	struct job *j;

	if (!jobs)
		return -EINVAL;
	ARRAY_GROW(jobs->all, jobs->n, jobs->cap);
	j = &jobs->all[jobs->n++];
	*j = (struct job){.place = prog, .type = (enum bpf_prog_type)type, .fd = -1};
	j->n = bpf_program__insn_cnt(prog);
	j->insns = xreallocarray(NULL, j->n, sizeof *j->insns);
	memcpy(j->insns, bpf_program__insns(prog), j->n * sizeof *j->insns);
	/* Those of another libbpf may be longer or shorter than they are known here. */
	memcpy(&j->opts, opts, opts->sz < sizeof j->opts ? opts->sz : sizeof j->opts);
	j->opts.sz = sizeof j->opts;
	j->opts.log_level = 0;
	opts->expected_attach_type = (enum bpf_attach_type)0;
	opts->prog_btf_fd = 0;
	opts->func_info = opts->line_info = NULL;
	opts->func_info_cnt = opts->line_info_cnt = 0;
	return bpf_program__set_insns(prog, nothing, ARRAY_SIZE(nothing));
}

static int attach(const struct bpf_program *prog, long type, struct bpf_link **ret)
{
	(void)type;
	*ret = bpf_program__attach_trace(prog);
	return *ret ? 0 : -errno;
}

/* What registering the kinds of programs returned; libbpf keeps them for all threads. */
static int registered;

static void register_kinds(void)
{
	static const struct {
		const char *section;
		enum bpf_prog_type type;
		enum bpf_attach_type attach_type;
	} kinds[] = {
		{"tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP},
		{"perf_event", BPF_PROG_TYPE_PERF_EVENT, (enum bpf_attach_type)0},
		{"uprobe", BPF_PROG_TYPE_KPROBE, (enum bpf_attach_type)0},
		{"iter/task", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER},
	};

	for (size_t i = 0; registered >= 0 && i < ARRAY_SIZE(kinds); i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = kinds[i].type,
			.prog_prepare_load_fn = take_out);

		if (kinds[i].attach_type == BPF_TRACE_RAW_TP)
			opts.prog_attach_fn = attach;
		/* What it takes the empty programs for: a kind for which it needs no types of the kernel. */
		registered = libbpf_register_prog_handler(
			kinds[i].section, BPF_PROG_TYPE_SOCKET_FILTER, kinds[i].attach_type, &opts);
	}
}

int programs_expect(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int rc = pthread_once(&once, register_kinds);

	return rc ? -rc : registered < 0 ? registered : 0;
}

/* What a program attaches to by name: the tracepoint of "tp_btf/NAME", what "iter/NAME" goes through. */
static const char *target_name(const struct job *j)
{
	return strchr(bpf_program__section_name(j->place), '/') + 1;
}

/* What a program attaches to, of the kernel: the type of a tracepoint, the function of an iterator. */
static struct type_wanted target(const struct job *j)
{
	struct type_wanted t = {.kind = BTF_KIND_FUNC};

	if (j->type != BPF_PROG_TYPE_TRACING)
		return t;
	if (j->opts.expected_attach_type == BPF_TRACE_ITER) {
		t.name = xasprintf("bpf_iter_%s", target_name(j));
	} else {
		t.kind = BTF_KIND_TYPEDEF;
		t.name = xasprintf("btf_trace_%s", target_name(j));
	}
	t.len = (uint32_t)strlen(t.name);
	return t;
}

/* Finds the kernel's numbers of what the programs attach to. */
static void targets_find(struct jobs *jobs, const struct kernel_types *types)
{
	_cleanup_free_ struct type_wanted *wanted = xcalloc(jobs->n + 1, sizeof *wanted);
	size_t n = 0;

	for (size_t i = 0; i < jobs->n; i++) {
		wanted[n] = target(&jobs->all[i]);
		n += wanted[n].name != NULL;
	}
	types_find(&types->types, wanted, n);
	n = 0;
	for (size_t i = 0; i < jobs->n; i++) {
		struct job *j = &jobs->all[i];
		int id;

		if (j->type != BPF_PROG_TYPE_TRACING)
			continue;
		/* libbpf reads all types for each. */
		id = wanted[n].ids[0] ? (int)wanted[n].ids[0]
				      : libbpf_find_vmlinux_btf_id(
						target_name(j), j->opts.expected_attach_type);
		if (id > 0)
			j->opts.attach_btf_id = (uint32_t)id;
		free((void *)(uintptr_t)wanted[n].name);
		n++;
	}
}

static int by_length(const void *a, const void *b)
{
	const struct job *j = a, *k = b;

	return j->n < k->n ? 1 : j->n > k->n ? -1 : 0;
}

/* Loads what no other thread has taken. */
static void *work(void *arg)
{
	struct jobs *jobs = arg;

	while (!__atomic_load_n(&jobs->failed, __ATOMIC_RELAXED)) {
		size_t i = __atomic_fetch_add(&jobs->next, 1, __ATOMIC_RELAXED);
		struct job *j;

		if (i >= jobs->n)
			break;
		j = &jobs->all[i];
		j->fd = bpf_prog_load(j->type, bpf_program__name(j->place), PROBE_LICENSE, j->insns,
			j->n, &j->opts);
		if (j->fd >= 0)
			continue;
		j->error = errno;
		__atomic_store_n(&jobs->failed, true, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Where no thread can be had the others do more. */
static void work_together(struct jobs *jobs)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX - 1];
	int n = 0;

	while (n < THREADS_MAX - 1 && n + 1 < cpus && (size_t)n + 1 < jobs->n &&
		!thread_start(&threads[n], work, jobs))
		n++;
	(void)work(jobs);
	while (n > 0)
		(void)pthread_join(threads[--n], NULL);
}

/* Puts a descriptor in the place of another, and closes it. */
static int take_place(int *fd, int place)
{
	if (dup3(*fd, place, O_CLOEXEC) < 0)
		return -errno;
	(void)close(steal_fd(fd));
	return 0;
}

static int load_all(struct jobs *jobs)
{
	/* The longest first, so that no thread is left alone with one. */
	qsort(jobs->all, jobs->n, sizeof *jobs->all, by_length);
	work_together(jobs);
	for (size_t i = 0; i < jobs->n; i++) {
		struct job *j = &jobs->all[i];
		int rc;

		if (j->error) {
			ebpf_check_heard("prog '%s': BPF program load failed: %s",
				bpf_program__name(j->place), strerror(j->error));
			return -j->error;
		}
		if (j->fd < 0)
			continue;
		rc = take_place(&j->fd, bpf_program__fd(j->place));
		if (rc)
			return rc;
	}
	return 0;
}

static void jobs_done(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++) {
		free(jobs->all[i].insns);
		if (jobs->all[i].fd >= 0)
			(void)close(jobs->all[i].fd);
	}
	free(jobs->all);
}

struct programs_rings {
	struct ebpf_room room;
	pthread_t thread;
	bool has_thread;
	int near, far; /* -1: not made */
	int error;
};

static int ring_make(struct programs_rings *r, const char *name, size_t bytes)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, name, 0, 0, (unsigned)bytes, NULL);

	if (fd < 0)
		r->error = errno;
	return fd;
}

static void *rings_make(void *arg)
{
	struct programs_rings *r = arg;

	r->near = ring_make(r, "near", r->room.near);
	r->far = ring_make(r, "far", r->room.far);
	return NULL;
}

struct programs_rings *programs_rings_begin(struct ebpf_room room)
{
	struct programs_rings *r = xcalloc(1, sizeof *r);

	r->room = room;
	r->near = r->far = -1;
	r->has_thread = thread_start(&r->thread, rings_make, r) == 0;
	if (!r->has_thread)
		(void)rings_make(r);
	return r;
}

static void rings_wait(struct programs_rings *r)
{
	if (r->has_thread)
		(void)pthread_join(r->thread, NULL);
	r->has_thread = false;
}

void programs_rings_free(struct programs_rings *r)
{
	if (!r)
		return;
	rings_wait(r);
	if (r->near >= 0)
		(void)close(r->near);
	if (r->far >= 0)
		(void)close(r->far);
	free(r);
}

void programs_rings_cleanup(struct programs_rings **r)
{
	programs_rings_free(*r);
}

/* The rings stay for the next edition, if this one is not taken. */
static int rings_place(struct programs_rings *r, const struct pptrace_bpf *skel)
{
	rings_wait(r);
	if (r->near < 0 || r->far < 0) {
		ebpf_check_heard("map '%s': failed to create: %s", r->near < 0 ? "near" : "far",
			strerror(r->error));
		return -r->error;
	}
	if (dup3(r->near, bpf_map__fd(skel->maps.near), O_CLOEXEC) < 0 ||
		dup3(r->far, bpf_map__fd(skel->maps.far), O_CLOEXEC) < 0)
		return -errno;
	return 0;
}

int programs_load(
	struct pptrace_bpf *skel, const struct kernel_types *types, struct programs_rings *rings)
{
	unsigned page = (unsigned)sysconf(_SC_PAGESIZE);
	struct jobs jobs = {0};
	int rc;

	/* The smallest in their places, until they are there. */
	bpf_map__set_max_entries(skel->maps.near, page);
	bpf_map__set_max_entries(skel->maps.far, page);
	preparing = &jobs;
	rc = pptrace_bpf__load(skel);
	preparing = NULL;
	if (!rc) {
		targets_find(&jobs, types);
		rc = rings_place(rings, skel);
	}
	if (!rc)
		rc = load_all(&jobs);
	jobs_done(&jobs);
	return rc;
}

int programs_load_some(struct bpf_object *obj, const struct kernel_types *types)
{
	struct jobs jobs = {0};
	int rc;

	preparing = &jobs;
	rc = bpf_object__load(obj);
	preparing = NULL;
	if (!rc) {
		targets_find(&jobs, types);
		rc = load_all(&jobs);
	}
	jobs_done(&jobs);
	return rc;
}
