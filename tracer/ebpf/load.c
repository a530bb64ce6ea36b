/* load.c - the eBPF programs: chosen for this kernel, configured, loaded. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "schema/probe_config.h"
#include "schema/record.h"
#include "tracer/ebpf/calls.h"
#include "tracer/ebpf/check.h"
#include "tracer/ebpf/locks.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/ebpf/kernel.h"
#include "tracer/ebpf/programs.h"
#include "tracer/source.h"

#include "pptrace.skel.h"

/* What libbpf and the recording itself open meanwhile. */
enum { FILES_SPARE = 16 };

#define INITIAL_PID_NAMESPACE 0xeffffffcu

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

static void config_fill(
	struct pptrace_bpf *skel, const struct source_config *config, struct ebpf_room room)
{
	uint64_t real = clock_ns(CLOCK_REALTIME);

	skel->rodata->config.data_bytes = config->data_bytes;
	skel->rodata->config.sched = config->sched;
	skel->rodata->config.sample_ns = EBPF_SAMPLE_NS;
	skel->rodata->config.lock_source = lock_source(config->locks);
	skel->rodata->config.realtime_offset = real - clock_now();
	skel->rodata->config.wake_bytes = room.near / 4;
	skel->rodata->config.near_bytes = room.near - room.near / 8;
	skel->rodata->config.far_bytes = room.far - room.far / 8;
	ebpf_calls_fill(skel->rodata->calls);
	ebpf_calls_fill_compat(skel->rodata->compat_calls);
}

enum place { ENTER, ENDS, EXIT, WAIT, PLACES };

/* What is reached by a tail call, and where. */
static const struct {
	unsigned slot;
	enum place place;
	const char *program;
} handlers[] = {
#define HANDLER(place, program) {HANDLE_##program, place, #program},
#include "schema/calls.def"
};

/* The program that has all handlers of a place in the newest edition (probes/ebpf/calls.h). */
static struct bpf_program *of_place(const struct pptrace_bpf *skel, enum place place)
{
	switch (place) {
	case ENTER:
		return skel->progs.enter_any;
	case ENDS:
		return skel->progs.ends_any;
	case EXIT:
		return skel->progs.exit_any;
	case WAIT:
	case PLACES:
		break;
	}
	return skel->progs.wait_any;
}

static void handler_declare(struct bpf_program *program, bool wanted)
{
	bpf_program__set_autoload(program, wanted);
	bpf_program__set_autoattach(program, false);
}

/* Before the load: tells libbpf which are wanted, and that they have no hook of their own. */
static void handlers_declare(const struct pptrace_bpf *skel, enum ebpf_edition edition)
{
	bool one_for_all = edition == EBPF_CASTS;

	for (int place = 0; place < PLACES; place++)
		handler_declare(of_place(skel, (enum place)place), one_for_all);
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		handler_declare(bpf_object__find_program_by_name(skel->obj, handlers[i].program),
			!one_for_all);
}

/* After the load: puts them where the tail calls look. */
static int handlers_install(const struct pptrace_bpf *skel)
{
	const int maps[PLACES] = {[ENTER] = bpf_map__fd(skel->maps.enter_handlers),
		[ENDS] = bpf_map__fd(skel->maps.exit_handlers),
		[EXIT] = bpf_map__fd(skel->maps.exit_handlers),
		[WAIT] = bpf_map__fd(skel->maps.wait_handlers)};

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(skel->obj, handlers[i].program);
		int fd;

		if (!bpf_program__autoload(program))
			program = of_place(skel, handlers[i].place);
		fd = bpf_program__fd(program);
		if (bpf_map_update_elem(maps[handlers[i].place], &handlers[i].slot, &fd, BPF_ANY))
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
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)syscall(SYS_gettid), EBPF_THREAD_PIDFD);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Programs that not every recording has as a probe, and whether this one does. */
static void optional_set(struct pptrace_bpf *skel, struct ebpf_variant v)
{
	bool old = v.edition == EBPF_OLD;
	const struct {
		struct bpf_program *program;
		bool wanted;
		int attach_type; /* 0: as in its section */
	} optional[] = {
		{skel->progs.find_level, !in_initial_pid_namespace(), 0},
		{skel->progs.set_slot, old || !kernel_has_thread_pidfd(), 0},
		/* Only for a look at processes that nobody records: tracer/snapshot/timers.c. */
		{skel->progs.look_timers, false, 0},
		{skel->progs.look_registers, false, 0},
		{skel->progs.sweep_folds, v.edition == EBPF_CASTS, 0},
		{skel->progs.on_sample, true, 0},
		{skel->progs.on_lock_session, v.uprobes && v.session, ATTACH_UPROBE_SESSION},
		{skel->progs.on_lock_call, v.uprobes && !v.session, ATTACH_UPROBE_MULTI},
		{skel->progs.on_lock_return, v.uprobes && !v.session, ATTACH_UPROBE_MULTI},
	};

	for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
		bpf_program__set_autoload(optional[i].program, optional[i].wanted);
		bpf_program__set_autoattach(optional[i].program, false);
		if (optional[i].attach_type)
			bpf_program__set_expected_attach_type(
				optional[i].program, (enum bpf_attach_type)optional[i].attach_type);
	}
	bpf_program__set_autoload(skel->progs.on_free, old);
	bpf_program__set_autoload(skel->progs.on_exec_modules, v.edition != EBPF_CASTS);
	bpf_map__set_autocreate(skel->maps.lock_calls, v.uprobes);
	bpf_map__set_autocreate(skel->maps.shared_seen, v.uprobes);
	bpf_map__set_autocreate(skel->maps.folds, v.edition == EBPF_CASTS);
}

/* The descriptors of all that will be loaded and attached: each map, each program and its link, clocks. */
static size_t files_needed(struct bpf_object *obj)
{
	int cpus = libbpf_num_possible_cpus();
	size_t n = FILES_SPARE + 2 * (cpus > 0 ? (size_t)cpus : 1);
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) n++;
	bpf_object__for_each_program(prog, obj) n += bpf_program__autoload(prog) ? 2 : 0;
	return n;
}

/* The skeleton is the same for all editions; the bytes are not. */
static struct pptrace_bpf *open_edition(enum ebpf_edition edition, struct kernel_types *ret_types)
{
	struct pptrace_bpf *skel = xcalloc(1, sizeof *skel);
	size_t size;
	const void *object = ebpf_object(edition, &size);
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	int rc = pptrace_bpf__create_skeleton(skel);

	*ret_types = kernel_types(object, size);
	opts.btf_custom_path = kernel_types_path(ret_types);
	if (!rc) {
		skel->skeleton->data =
			ret_types->object ? ret_types->object : (void *)(uintptr_t)object;
		skel->skeleton->data_sz = size;
		rc = bpf_object__open_skeleton(skel->skeleton, &opts);
	}
	if (!rc)
		return skel;
	kernel_types_done(ret_types);
	pptrace_bpf__destroy(skel);
	errno = -rc;
	return NULL;
}

struct pptrace_bpf *ebpf_open(const struct source_config *config, struct ebpf_room room,
	struct ebpf_variant v, struct kernel_types *ret_types)
{
	struct pptrace_bpf *skel = open_edition(v.edition, ret_types);

	if (!skel)
		return NULL;
	config_fill(skel, config, room);
	skel->rodata->config.casts = ret_types->casts;
	bpf_map__set_max_entries(skel->maps.near, (unsigned)room.near);
	bpf_map__set_max_entries(skel->maps.far, (unsigned)room.far);
	handlers_declare(skel, v.edition);
	optional_set(skel, v);
	return skel;
}

static int load(const struct source_config *config, struct ebpf_room room, struct ebpf_variant v,
	struct programs_rings *rings, struct pptrace_bpf **ret)
{
	_cleanup_types_ struct kernel_types types = KERNEL_TYPES_NONE;
	struct pptrace_bpf *skel = ebpf_open(config, room, v, &types);
	int rc;

	if (!skel)
		return -errno;
	rc = v.edition == EBPF_CASTS && !types.cast_call ? -ENOTSUP : 0;
	if (!rc)
		rc = ebpf_check_files(files_needed(skel->obj));
	if (!rc)
		rc = programs_load(skel, &types, rings);
	if (!rc)
		rc = own_level_find(skel);
	if (!rc)
		rc = handlers_install(skel);
	if (rc)
		pptrace_bpf__destroy(skel);
	else
		*ret = skel;
	return rc;
}

/* What no other variant would do without. */
static bool is_shortage(int error)
{
	return error == -EPERM || error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static enum ebpf_edition first_edition = EBPF_CASTS;

void ebpf_begin_with(enum ebpf_edition edition)
{
	first_edition = edition;
}

int ebpf_load(const struct source_config *config, struct ebpf_room room, struct pptrace_bpf **ret,
	struct buf *why)
{
	bool uprobes = config->locks == LOCKS_MODE_UPROBE;
	_cleanup_rings_ struct programs_rings *rings = programs_rings_begin(room);
	int rc = programs_expect();

	if (rc) {
		ebpf_check_words(why, rc);
		return rc;
	}
	for (int edition = (int)first_edition; edition < EBPF_EDITIONS; edition++)
		for (int session = uprobes; session >= 0; session--) {
			struct ebpf_variant v = {(enum ebpf_edition)edition, uprobes, session};

			ebpf_check_listen();
			rc = load(config, room, v, rings, ret);
			if (!rc)
				return 0;
			if (is_shortage(rc))
				break;
		}
	ebpf_check_words(why, rc);
	return rc;
}
