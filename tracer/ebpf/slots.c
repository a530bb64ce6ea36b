/* slots.c - give tasks their slots, by which they are traced. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/slots.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "schema/probe_config.h"
#include "tracer/ebpf/load.h"

#include "pptrace.skel.h"

/* Gives a task its slot; options are those of pidfd_open. */
static int slot_set(struct pptrace_bpf *skel, const struct slot *slot, unsigned options)
{
	int fd = (int)syscall(SYS_pidfd_open, slot->tid, options);
	int rc;

	if (fd < 0)
		return -errno;
	rc = bpf_map_update_elem(bpf_map__fd(skel->maps.slots), &fd, slot, BPF_NOEXIST) ? -errno
											: 0;
	close(fd);
	return rc;
}

/* Its slice begins now if the task is running; else the switch to it, which then comes first, says when. */
static struct slot slot_new(pid_t pid, pid_t tid, unsigned flags)
{
	return (struct slot){.pid = (unsigned)pid,
		.tid = (unsigned)tid,
		.flags = flags,
		.nr = -1,
		.last_nr = -1,
		.restart_nr = -1,
		.slice_ts = clock_now()};
}

/* Else they are in a table by the address of the task, which only a program can know. */
static bool slots_are_storage(struct pptrace_bpf *skel)
{
	return bpf_map__type(skel->maps.slots) == BPF_MAP_TYPE_TASK_STORAGE;
}

int ebpf_iterator_run(struct bpf_link *link)
{
	_cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(link));
	char byte;

	if (fd < 0)
		return -errno;
	while (read(fd, &byte, 1) > 0)
		;
	return 0;
}

/* Lets a program look at all threads for the one that the slot is for. */
static int slot_set_by_iterator(struct pptrace_bpf *skel, const struct slot *slot)
{
	struct bpf_link *link = bpf_program__attach_iter(skel->progs.set_slot, NULL);
	int rc;

	if (!link)
		return -errno;
	skel->bss->follow_slot = *slot;
	skel->bss->follow_done = 0;
	rc = ebpf_iterator_run(link);
	bpf_link__destroy(link);
	return rc ? rc : skel->bss->follow_done ? 0 : -ESRCH;
}

int ebpf_slot_adopt(struct pptrace_bpf *skel, pid_t pid)
{
	struct slot slot = slot_new(pid, pid, SLOT_INIT | SLOT_FRESH);

	return slots_are_storage(skel) ? slot_set(skel, &slot, 0)
				       : slot_set_by_iterator(skel, &slot);
}

static int table_drop(int map, pid_t pid)
{
	uint64_t key = 0;
	struct slot slot;

	for (void *at = NULL; bpf_map_get_next_key(map, at, &key) == 0; at = &key)
		if (bpf_map_lookup_elem(map, &key, &slot) == 0 && slot.tid == (unsigned)pid)
			return bpf_map_delete_elem(map, &key) ? -errno : 0;
	return -ESRCH;
}

int ebpf_slot_drop(struct pptrace_bpf *skel, pid_t pid)
{
	int map = bpf_map__fd(skel->maps.slots), fd, rc;

	if (!slots_are_storage(skel))
		return table_drop(map, pid);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	rc = bpf_map_delete_elem(map, &fd) ? -errno : 0;
	close(fd);
	return rc;
}

/* The call that a thread sleeps in is over only some time after we began: its end is to be understood. */
static void slot_call(struct pptrace_bpf *skel, struct slot *slot)
{
	_cleanup_free_ char *path = xasprintf("/proc/%u/task/%u/syscall", slot->pid, slot->tid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int nr;

	if (!f || fscanf(f, "%d", &nr) != 1 || nr < 0 || nr >= CALLS_MAX)
		return;
	slot->nr = nr;
	slot->call = skel->rodata->calls[nr].call;
	slot->enter_ts = clock_now();
	/* It is asleep: the end of that wait is worth a record, which the next switch to it sends. */
	slot->flags |= SLOT_WAITING;
}

int ebpf_slot_follow(struct pptrace_bpf *skel, pid_t pid, pid_t tid)
{
	struct slot slot = slot_new(pid, tid, SLOT_INIT);
	int rc;

	slot_call(skel, &slot);
	if (!slots_are_storage(skel))
		return slot_set_by_iterator(skel, &slot);
	rc = slot_set(skel, &slot, pid == tid ? 0 : EBPF_THREAD_PIDFD);
	return rc == -EINVAL && pid != tid ? slot_set_by_iterator(skel, &slot) : rc;
}

bool ebpf_slot_has(struct pptrace_bpf *skel, int pidfd, pid_t pid)
{
	struct slot slot;

	return bpf_map_lookup_elem(bpf_map__fd(skel->maps.slots), &pidfd, &slot) == 0 &&
	       slot.pid == (unsigned)pid;
}
