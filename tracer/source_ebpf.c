/* source_ebpf.c - the kernel's tracepoints as a source of records. */
/* SPDX-License-Identifier: MIT */
#include "tracer/source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/ebpf_calls.h"
#include "tracer/ebpf_check.h"
#include "tracer/ebpf_locks.h"
#include "tracer/ebpf_object.h"
#include "tracer/ebpf_ring.h"

#include "pptrace.skel.h"

#define RING_BYTES (32u << 20)
#define RING_BYTES_MIN (64u << 10)
#define RING_BYTES_MAX (512u << 20)
#define SAMPLE_NS 7000000u /* no multiple of the scheduler's ticks */
#define INITIAL_PID_NAMESPACE 0xeffffffcu

/* PIDFD_THREAD: the descriptor stands for one thread (from 6.9 on; its value is that of O_EXCL). */
#define THREAD_PIDFD ((unsigned)O_EXCL)

struct ebpf {
	struct pptrace_bpf *skel;
	struct ebpf_ring *ring;
	size_t ring_bytes;
	struct ebpf_locks *locks; /* --locks=uprobe */
	struct bpf_link **samplers;
	int n_samplers;
};

/* Which of the programs that depend on the kernel's age are tried. */
struct variant {
	bool fast;    /* reading through any pointer (6.2) */
	bool session; /* uprobes that see call and return (6.13) */
};

static int ebpf_available(struct buf *why)
{
	return ebpf_check(why);
}

/* What libbpf says of a failure: the name of the program or map is in the first warning. */
static char first_warning[200];

static int listen(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN && !first_warning[0]) {
		(void)vsnprintf(first_warning, sizeof first_warning, fmt, ap);
		first_warning[strcspn(first_warning, "\n")] = 0;
	}
	return 0;
}

/* Who will have reported the locks of a program: said in each EXEC. */
static enum lock_source lock_source(enum locks_mode mode)
{
	switch (mode) {
	case LOCKS_MODE_OFF:
		return LOCKS_OFF;
	case LOCKS_MODE_UPROBE:
		return LOCKS_UPROBE;
	case LOCKS_MODE_SHIM:
		return LOCKS_SHIM;
	case LOCKS_MODE_AUTO:
	case LOCKS_MODE_FUTEX:
		break;
	}
	return LOCKS_FUTEX;
}

static void config_fill(struct pptrace_bpf *skel, const struct source_config *config, size_t ring)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	skel->rodata->config.data_bytes = config->data_bytes;
	skel->rodata->config.sched = config->sched;
	skel->rodata->config.sample_ns = SAMPLE_NS;
	skel->rodata->config.lock_source = lock_source(config->locks);
	skel->rodata->config.realtime_offset = (uint64_t)(real.tv_sec - mono.tv_sec) * 1000000000u +
					       (uint64_t)(real.tv_nsec - mono.tv_nsec);
	skel->rodata->config.wake_bytes = ring / 4;
	ebpf_calls_fill(skel->rodata->calls);
	ebpf_calls_fill_compat(skel->rodata->compat_calls);
}

/* A program that is reached by a tail call: its place in one of the three arrays. */
struct handler {
	const char *array;
	unsigned slot;
	const char *program;
};

static const struct handler handlers[] = {
	{"enter_handlers", HANDLE_ENDS, "enter_ends"},
	{"enter_handlers", HANDLE_RANGE, "enter_range"},
	{"enter_handlers", HANDLE_FILE_LOCK, "enter_file_lock"},
	{"enter_handlers", HANDLE_COMPAT, "enter_compat"},
	{"exit_handlers", HANDLE_COMPAT, "exit_compat"},
	{"exit_handlers", HANDLE_IO, "exit_io"},
	{"exit_handlers", HANDLE_DATA, "exit_data"},
	{"exit_handlers", HANDLE_MSG, "exit_msg"},
	{"exit_handlers", HANDLE_MMSG, "exit_mmsg"},
	{"exit_handlers", HANDLE_SPLICE, "exit_splice"},
	{"exit_handlers", HANDLE_ENDS, "exit_ends"},
	{"exit_handlers", HANDLE_EXEC, "exit_exec"},
	{"exit_handlers", HANDLE_FILE_LOCK, "exit_file_lock"},
	{"exit_handlers", HANDLE_WAITPID, "exit_waitpid"},
	{"exit_handlers", HANDLE_TIMER, "exit_timer"},
	{"exit_handlers", HANDLE_MMAP, "exit_mmap"},
	{"wait_handlers", WAIT_HANDLE_POLL, "wait_poll"},
	{"wait_handlers", WAIT_HANDLE_SELECT, "wait_select"},
	{"wait_handlers", WAIT_HANDLE_EPOLL, "wait_epoll"},
	{"wait_handlers", WAIT_HANDLE_OPEN, "wait_open"},
	{"wait_handlers", WAIT_HANDLE_CHILD, "wait_child"},
};

/* Before the load: tells libbpf that they have no hook of their own. */
static void handlers_declare(struct bpf_object *obj)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		bpf_program__set_autoattach(
			bpf_object__find_program_by_name(obj, handlers[i].program), false);
}

/* After the load: puts them where the tail calls look. */
static int handlers_install(struct bpf_object *obj)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		const struct handler *h = &handlers[i];
		int map = bpf_object__find_map_fd_by_name(obj, h->array);
		int prog = bpf_program__fd(bpf_object__find_program_by_name(obj, h->program));

		if (bpf_map_update_elem(map, &h->slot, &prog, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* The initial PID namespace has a well-known inode; only elsewhere must our depth be found out. */
static bool in_initial_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == INITIAL_PID_NAMESPACE;
}

/* A program that runs once, in this process, and leaves the depth of its PID namespace in own_level. */
static int own_level_find(struct pptrace_bpf *skel)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (!bpf_program__autoload(skel->progs.find_level))
		return 0;
	return bpf_prog_test_run_opts(bpf_program__fd(skel->progs.find_level), &opts) ? -errno : 0;
}

/* Before 6.9 no descriptor stands for a thread: a program looks at all threads for it. */
static bool kernel_has_thread_pidfd(void)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)syscall(SYS_gettid), THREAD_PIDFD);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Chooses the programs of a variant. */
static void variant_set(struct pptrace_bpf *skel, bool uprobes, struct variant v)
{
	struct bpf_program *calls[] = {skel->progs.on_lock_call, skel->progs.on_lock_return};

	bpf_program__set_autoload(skel->progs.on_sys_exit, !v.fast);
	bpf_program__set_autoload(skel->progs.on_sys_exit_fast, v.fast);
	bpf_program__set_autoload(skel->progs.find_level, !in_initial_pid_namespace());
	bpf_program__set_autoattach(skel->progs.find_level, false);
	bpf_program__set_autoattach(skel->progs.on_sample, false);
	bpf_program__set_autoload(skel->progs.set_slot, !kernel_has_thread_pidfd());
	bpf_program__set_autoattach(skel->progs.set_slot, false);
	bpf_program__set_autoload(skel->progs.on_lock_session, uprobes && v.session);
	bpf_program__set_autoattach(skel->progs.on_lock_session, false);
	bpf_program__set_expected_attach_type(
		skel->progs.on_lock_session, (enum bpf_attach_type)ATTACH_UPROBE_SESSION);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		bpf_program__set_autoload(calls[i], uprobes && !v.session);
		bpf_program__set_autoattach(calls[i], false);
		bpf_program__set_expected_attach_type(
			calls[i], (enum bpf_attach_type)ATTACH_UPROBE_MULTI);
	}
}

/* Opens and loads the programs of a variant. */
static int load(struct ebpf *e, const struct source_config *config, struct variant v)
{
	struct pptrace_bpf *skel = pptrace_bpf__open();
	int rc;

	if (!skel)
		return -errno;
	e->skel = skel;
	config_fill(skel, config, e->ring_bytes);
	bpf_map__set_max_entries(skel->maps.ring, (unsigned)e->ring_bytes);
	handlers_declare(skel->obj);
	/* Only for a look at processes that nobody records: tracer/timers.c. */
	bpf_program__set_autoload(skel->progs.look_timers, false);
	variant_set(skel, config->locks == LOCKS_MODE_UPROBE, v);
	rc = pptrace_bpf__load(skel);
	if (rc) {
		pptrace_bpf__destroy(skel);
		e->skel = NULL;
	}
	return rc;
}

/* Tries the variants from the newest kernel's to the oldest one's. */
static int load_any(struct ebpf *e, const struct source_config *config)
{
	static const struct variant variants[] = {{true, true}, {true, false}, {false, false}};
	int rc = -EINVAL;

	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		if (variants[i].fast && !variants[i].session && config->locks != LOCKS_MODE_UPROBE)
			continue;
		first_warning[0] = 0;
		rc = load(e, config, variants[i]);
		if (!rc || rc == -EPERM)
			break;
	}
	return rc;
}

/*
 * From 6.11 on a probed return is a system call, which a seccomp filter that
 * does not know it answers with death; 6.14 let it pass and the fix went into
 * 6.12.16 and 6.13.4.
 */
static bool returns_are_risky(void)
{
	unsigned major, minor, patch = 0;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%u.%u.%u", &major, &minor, &patch) < 2 || major != 6)
		return false;
	return minor == 11 || (minor == 12 && patch < 16) || (minor == 13 && patch < 4);
}

/*
 * The program may be static and hold the functions itself; else our own C library is most likely
 * its too. These probes must be there before it runs; other files get theirs when they are mapped.
 */
static int locks_start(struct ebpf *e, const struct source_config *config, struct buf *why)
{
	struct pptrace_bpf *skel = e->skel;
	char path[256];
	int rc;

	if (returns_are_risky()) {
		buf_adds(why, "on this kernel (6.11 to 6.13) a uprobe on a return kills programs "
			      "under seccomp: use --locks=shim or --locks=futex");
		return -ENOTSUP;
	}
	e->locks = ebpf_locks_new(bpf_program__fd(skel->progs.on_lock_session),
		bpf_program__fd(skel->progs.on_lock_call),
		bpf_program__fd(skel->progs.on_lock_return));
	if (config->program)
		(void)ebpf_locks_attach(e->locks, config->program, false);
	if (ebpf_locks_own_libc(path, sizeof path))
		return 0;
	rc = ebpf_locks_attach(e->locks, path, false);
	if (rc == -EINVAL)
		rc = -ENOTSUP;
	if (rc == -ENOTSUP)
		buf_adds(why,
			"this kernel is too old for uprobes on many functions at once (6.6 is "
			"needed): use --locks=shim or --locks=futex");
	else if (rc)
		buf_addf(why, "the kernel refuses uprobes on the lock functions of %s: %s", path,
			strerror(-rc));
	return rc;
}

/*
 * A clock on every processor interrupts whoever runs there; only traced threads
 * make records. A kernel that refuses it costs the samples and nothing else.
 */
static void samplers_start(struct ebpf *e)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof attr,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = SAMPLE_NS,
		.exclude_idle = 1,
	};
	int cpus = libbpf_num_possible_cpus();

	if (cpus <= 0)
		return;
	e->samplers = xcalloc((size_t)cpus, sizeof *e->samplers);
	for (int cpu = 0; cpu < cpus; cpu++) {
		int fd =
			(int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		struct bpf_link *link;

		if (fd < 0)
			continue;
		link = bpf_program__attach_perf_event(e->skel->progs.on_sample, fd);
		if (link)
			e->samplers[e->n_samplers++] = link;
		else
			close(fd);
	}
}

static void samplers_stop(struct ebpf *e)
{
	for (int i = 0; i < e->n_samplers; i++)
		bpf_link__destroy(e->samplers[i]);
	free(e->samplers);
}

static int start(struct ebpf *e, const struct source_config *config, struct buf *why)
{
	int rc = load_any(e, config);

	if (!rc)
		rc = own_level_find(e->skel);
	if (!rc)
		rc = handlers_install(e->skel->obj);
	if (!rc)
		rc = ebpf_ring_new(bpf_map__fd(e->skel->maps.ring), e->ring_bytes, &e->ring);
	if (!rc)
		rc = pptrace_bpf__attach(e->skel);
	if (!rc)
		samplers_start(e);
	if (!rc && config->locks == LOCKS_MODE_UPROBE)
		rc = locks_start(e, config, why);
	return rc;
}

/* The ring must be a power of two and whole pages. */
static size_t ring_size(size_t wanted)
{
	size_t size = RING_BYTES_MIN;

	while (size < wanted && size < RING_BYTES_MAX)
		size *= 2;
	return size;
}

static void ebpf_detach(struct source *s)
{
	struct ebpf *e = s->state;

	if (!e)
		return;
	ebpf_locks_free(e->locks);
	samplers_stop(e);
	ebpf_ring_free(e->ring);
	pptrace_bpf__destroy(e->skel);
	free(e);
	s->state = NULL;
}

const void *ebpf_object(size_t *ret_size)
{
	return pptrace_bpf__elf_bytes(ret_size);
}

static int ebpf_attach(struct source *s, const struct source_config *config, struct buf *why)
{
	struct ebpf *e = xcalloc(1, sizeof *e);
	int rc;

	libbpf_set_print(listen);
	s->state = e;
	e->ring_bytes = ring_size(config->ring_bytes ? config->ring_bytes : RING_BYTES);
	rc = start(e, config, why);
	if (rc) {
		if (!why->len) {
			ebpf_check_words(why, rc);
			if (rc != -EPERM && first_warning[0])
				buf_addf(why, " (%s)", first_warning);
		}
		ebpf_detach(s);
	}
	return rc;
}

/* Gives a task its slot; options are those of pidfd_open. */
static int slot_set(struct ebpf *e, const struct slot *slot, unsigned options)
{
	int fd = (int)syscall(SYS_pidfd_open, slot->tid, options);
	int rc;

	if (fd < 0)
		return -errno;
	rc = bpf_map_update_elem(bpf_map__fd(e->skel->maps.slots), &fd, slot, BPF_NOEXIST) ? -errno
											   : 0;
	close(fd);
	return rc;
}

static struct slot slot_new(pid_t pid, pid_t tid, unsigned flags)
{
	return (struct slot){.pid = (unsigned)pid,
		.tid = (unsigned)tid,
		.flags = flags,
		.nr = -1,
		.last_nr = -1,
		.restart_nr = -1};
}

static int ebpf_adopt(struct source *s, pid_t pid)
{
	struct slot slot = slot_new(pid, pid, SLOT_INIT | SLOT_FRESH);

	return slot_set(s->state, &slot, 0);
}

/* The call that a thread sleeps in is over only some time after we began: its end is to be understood. */
static void slot_call(struct ebpf *e, struct slot *slot)
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/task/%u/syscall", slot->pid, slot->tid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct timespec now;
	int nr;

	if (!f || fscanf(f, "%d", &nr) != 1 || nr < 0 || nr >= CALLS_MAX)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	slot->nr = nr;
	slot->call = e->skel->rodata->calls[nr].call;
	slot->enter_ts = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	/* It is asleep: the end of that wait is worth a record, which the next switch to it sends. */
	slot->flags |= SLOT_WAITING;
}

static int follow_by_iterator(struct ebpf *e, const struct slot *slot)
{
	struct bpf_link *link = bpf_program__attach_iter(e->skel->progs.set_slot, NULL);
	char byte;
	int fd;

	if (!link)
		return -errno;
	e->skel->bss->follow_slot = *slot;
	e->skel->bss->follow_done = 0;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd >= 0) {
		while (read(fd, &byte, 1) > 0)
			;
		close(fd);
	}
	bpf_link__destroy(link);
	return fd < 0 ? -EPERM : e->skel->bss->follow_done ? 0 : -ESRCH;
}

static int ebpf_follow(struct source *s, pid_t pid, pid_t tid)
{
	struct slot slot = slot_new(pid, tid, SLOT_INIT);
	int rc;

	slot_call(s->state, &slot);
	rc = slot_set(s->state, &slot, pid == tid ? 0 : THREAD_PIDFD);
	return rc == -EINVAL && pid != tid ? follow_by_iterator(s->state, &slot) : rc;
}

static int ebpf_environment(struct source *s, struct buf *env)
{
	(void)s;
	(void)env;
	return 0;
}

/* What passes is also looked at for files that want uprobes. */
struct passing {
	struct ebpf_locks *locks;
	source_emit *emit;
	void *arg;
};

static void pass(void *arg, const struct rec_head *rec)
{
	struct passing *p = arg;

	ebpf_locks_see(p->locks, rec);
	p->emit(p->arg, rec);
}

static int ebpf_poll(struct source *s, source_emit *emit, void *arg, uint64_t *ret_until)
{
	struct ebpf *e = s->state;
	struct passing passing = {e->locks, emit, arg};

	if (!e->locks) {
		*ret_until = ebpf_ring_drain(e->ring, emit, arg);
		return 0;
	}
	*ret_until = ebpf_ring_drain(e->ring, pass, &passing);
	ebpf_locks_tidy(e->locks);
	return 0;
}

static int ebpf_wakeup_fd(struct source *s)
{
	struct ebpf *e = s->state;

	return bpf_map__fd(e->skel->maps.ring);
}

static void ebpf_losses(struct source *s, source_loss *loss, void *arg)
{
	struct ebpf *e = s->state;
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *counts = xcalloc((size_t)(cpus > 0 ? cpus : 1), sizeof *counts);

	for (unsigned kind = 0; kind < REC_KIND_END; kind++) {
		uint64_t sum = 0;

		if (bpf_map_lookup_elem(bpf_map__fd(e->skel->maps.lost), &kind, counts))
			continue;
		for (int i = 0; i < cpus; i++)
			sum += counts[i];
		if (sum)
			loss(arg, s->name, kind, sum);
	}
}

struct source *source_ebpf(void)
{
	static struct source source = {
		.name = "ebpf",
		.available = ebpf_available,
		.attach = ebpf_attach,
		.adopt = ebpf_adopt,
		.follow = ebpf_follow,
		.environment = ebpf_environment,
		.poll = ebpf_poll,
		.wakeup_fd = ebpf_wakeup_fd,
		.losses = ebpf_losses,
		.detach = ebpf_detach,
	};

	return &source;
}
