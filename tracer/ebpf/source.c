/* source.c - the kernel's tracepoints as a source of records. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/probe_config.h"
#include "schema/record.h"
#include "tracer/ebpf/check.h"
#include "tracer/ebpf/locks.h"
#include "tracer/ebpf/ring.h"
#include "tracer/ebpf/load.h"
#include "tracer/ebpf/slots.h"
#include "tracer/source.h"

#include "pptrace.skel.h"

#define SWEEP_EVERY_NS 100000000u

#define RING_BYTES_MIN (64u << 10)
#define RING_BYTES_MAX (512u << 20)

/* Without --ring: so much for each processor, at least and at most so much for all, and no more than a share of the memory. */
#define RING_OF_CPU (8u << 20)
#define RING_DEFAULT_MIN (64u << 20)
#define RING_DEFAULT_MAX (256u << 20)
#define RING_MEMORY_SHARE 32

struct ebpf {
	struct pptrace_bpf *skel;
	struct ebpf_ring *near, *far;
	struct ebpf_room room;
	struct ebpf_locks *locks; /* --locks=uprobe */
	struct bpf_link **samplers;
	int n_samplers;
	int spare;              /* a descriptor that is given up for the one that adopting takes */
	struct bpf_link *sweep; /* of sweep_folds, or NULL */
	uint64_t swept;         /* when it last ran */
};

static int ebpf_available(struct buf *why)
{
	return ebpf_check(why);
}

/*
 * From 6.11 on a probed return is a system call, for which a seccomp filter that does not know it kills the
 * program; 6.14 let it pass and the fix went into 6.12.16 and 6.13.4.
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
		.sample_period = EBPF_SAMPLE_NS,
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

/*
 * Programs at one tracepoint run in the order in which they were attached: the
 * record EXEC, with which a process loses its old mappings, comes before those
 * of the new image.
 */
static int attach_all(struct pptrace_bpf *skel)
{
	skel->links.on_exec = bpf_program__attach(skel->progs.on_exec);
	return skel->links.on_exec ? pptrace_bpf__attach(skel) : -errno;
}

static void spare_give_up(struct ebpf *e)
{
	if (e->spare >= 0)
		(void)close(steal_fd(&e->spare));
}

/*
 * What adopting the command will need is tried on ourselves while there is still
 * another way; nothing is attached yet.
 */
static int prove_adopting(struct ebpf *e)
{
	int rc = ebpf_slot_adopt(e->skel, getpid());

	if (!rc)
		rc = ebpf_slot_drop(e->skel, getpid());
	e->spare = rc ? -1 : fcntl(bpf_map__fd(e->skel->maps.near), F_DUPFD_CLOEXEC, 0);
	return rc ? rc : e->spare < 0 ? -errno : 0;
}

static int start(struct ebpf *e, const struct source_config *config, struct buf *why)
{
	int rc = ebpf_load(config, e->room, &e->skel, why);

	if (rc)
		return rc;
	ebpf_check_listen();
	rc = prove_adopting(e);
	if (rc == -ENOSYS || rc == -EINVAL)
		buf_addf(why, "pptrace cannot tell its eBPF programs which process to trace: %s",
			strerror(-rc));
	else if (rc)
		ebpf_check_words(why, rc);
	if (rc)
		return rc;
	rc = ebpf_ring_new(bpf_map__fd(e->skel->maps.near), e->room.near, &e->near);
	if (!rc)
		rc = ebpf_ring_new(bpf_map__fd(e->skel->maps.far), e->room.far, &e->far);
	if (!rc)
		rc = attach_all(e->skel);
	if (!rc)
		samplers_start(e);
	if (!rc && bpf_program__autoload(e->skel->progs.sweep_folds))
		e->sweep = bpf_program__attach_iter(e->skel->progs.sweep_folds, NULL);
	if (e->sweep)
		e->skel->bss->fold_calls = !config->keep_all;
	if (!rc && config->locks == LOCKS_MODE_UPROBE)
		rc = locks_start(e, config, why);
	if (rc && !why->len)
		ebpf_check_words(why, rc);
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

/* The kernel's memory for it counts to our control group. */
static size_t default_bytes(uint64_t memory)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t size = RING_BYTES_MIN, want = (uint64_t)(cpus > 0 ? cpus : 1) * RING_OF_CPU;

	if (want < RING_DEFAULT_MIN)
		want = RING_DEFAULT_MIN;
	if (want > RING_DEFAULT_MAX)
		want = RING_DEFAULT_MAX;
	while (size < want && (!memory || size * 2 <= memory / RING_MEMORY_SHARE))
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
	(void)bpf_link__destroy(e->sweep);
	ebpf_ring_free(e->near);
	ebpf_ring_free(e->far);
	pptrace_bpf__destroy(e->skel);
	spare_give_up(e);
	free(e);
	s->state = NULL;
}

static int ebpf_attach(struct source *s, const struct source_config *config, struct buf *why)
{
	struct ebpf *e = xcalloc(1, sizeof *e);
	int rc;

	s->state = e;
	e->spare = -1;
	e->room = ebpf_room_of(
		config->ring_bytes ? ring_size(config->ring_bytes) : default_bytes(config->memory));
	rc = start(e, config, why);
	if (rc)
		ebpf_detach(s);
	return rc;
}

static int ebpf_adopt(struct source *s, pid_t pid)
{
	struct ebpf *e = s->state;

	spare_give_up(e);
	return ebpf_slot_adopt(e->skel, pid);
}

static int ebpf_follow(struct source *s, pid_t pid, pid_t tid)
{
	return ebpf_slot_follow(((struct ebpf *)s->state)->skel, pid, tid);
}

static bool ebpf_has(struct source *s, int pidfd, pid_t pid)
{
	return ebpf_slot_has(((struct ebpf *)s->state)->skel, pidfd, pid);
}

static int ebpf_environment(struct source *s, struct buf *env)
{
	(void)s;
	(void)env;
	return 0;
}

/*
 * Lets the kernel report what threads have counted (probes/ebpf/fold.h), if there is something. The records lie in
 * the rings afterwards.
 */
static void sweep(struct ebpf *e)
{
	if (!e->sweep || !e->skel->bss->folding)
		return;
	e->swept = clock_now();
	__atomic_store_n(&e->skel->bss->folding, 0, __ATOMIC_SEQ_CST);
	/* Next time, perhaps. */
	if (ebpf_iterator_run(e->sweep))
		e->skel->bss->folding = 1;
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

/* Of two records of a thread the later one may lie in the other ring: what is complete in both is. */
static uint64_t drain(struct ebpf *e, source_emit *emit, void *arg)
{
	uint64_t near = ebpf_ring_drain(e->near, emit, arg),
		 far = ebpf_ring_drain(e->far, emit, arg);

	return near < far ? near : far;
}

static int ebpf_poll(struct source *s, source_emit *emit, void *arg, uint64_t *ret_until)
{
	struct ebpf *e = s->state;
	struct passing passing = {e->locks, emit, arg};

	if (clock_now() - e->swept >= SWEEP_EVERY_NS)
		sweep(e);
	if (!e->locks) {
		*ret_until = drain(e, emit, arg);
		return 0;
	}
	*ret_until = drain(e, pass, &passing);
	ebpf_locks_tidy(e->locks);
	return 0;
}

static void ebpf_settle(struct source *s)
{
	sweep(s->state);
}

static unsigned ebpf_pressure(struct source *s)
{
	const struct ebpf *e = s->state;
	size_t unread = ebpf_ring_unread(e->near) + ebpf_ring_unread(e->far);

	return (unsigned)(unread * 100 / (e->room.near + e->room.far));
}

static int ebpf_wakeup_fd(struct source *s)
{
	struct ebpf *e = s->state;

	return bpf_map__fd(e->skel->maps.near);
}

/* The counters of all kinds, those of a kind for each processor: at once, or one by one where the kernel cannot (before 5.14). */
static void counts_read(int map, uint64_t *counts, size_t cpus)
{
	uint32_t kinds[REC_KIND_END], n = REC_KIND_END, at;

	if (!bpf_map_lookup_batch(map, NULL, &at, kinds, counts, &n, NULL) && n == REC_KIND_END)
		return;
	memset(counts, 0, REC_KIND_END * cpus * sizeof *counts);
	for (uint32_t kind = 0; kind < REC_KIND_END; kind++)
		(void)bpf_map_lookup_elem(map, &kind, counts + kind * cpus);
}

static void ebpf_losses(struct source *s, source_loss *loss, void *arg)
{
	struct ebpf *e = s->state;
	int possible = libbpf_num_possible_cpus();
	size_t cpus = possible > 0 ? (size_t)possible : 1;
	_cleanup_free_ uint64_t *counts = xcalloc(REC_KIND_END * cpus, sizeof *counts);

	counts_read(bpf_map__fd(e->skel->maps.lost), counts, cpus);
	for (unsigned kind = 0; kind < REC_KIND_END; kind++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < cpus; i++)
			sum += counts[kind * cpus + i];
		/* What cannot be mapped is lost if it stays so: nobody knows how much it is. */
		if (kind == 0 && (ebpf_ring_is_stuck(e->near) || ebpf_ring_is_stuck(e->far)))
			sum++;
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
		.has = ebpf_has,
		.environment = ebpf_environment,
		.poll = ebpf_poll,
		.settle = ebpf_settle,
		.pressure = ebpf_pressure,
		.wakeup_fd = ebpf_wakeup_fd,
		.losses = ebpf_losses,
		.detach = ebpf_detach,
	};

	return &source;
}
