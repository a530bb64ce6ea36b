/* probe.h - what every eBPF program uses: maps, slots, records, numbers. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * What runs in the kernel. To be read in this order: the folder kernel (its structures; editions), core.bpf.c (ring, slots),
 * process.bpf.c (tasks) with exec.bpf.c, title.bpf.c and follow.bpf.c, syscall.bpf.c and syscall32.bpf.c (every call),
 * file.bpf.c (what a descriptor is), ends.bpf.c (who has which end of a pipe), fold.bpf.c (calls that share a record), io.bpf.c and msg.bpf.c (bytes), wait.bpf.c
 * and poll.bpf.c (threads that block), signal.bpf.c, sample.bpf.c, module.bpf.c; look.bpf.c is for snapshots. The folder
 * locks probes functions of the C library.
 */
#ifndef PROBES_EBPF_PROBE_H
#define PROBES_EBPF_PROBE_H

#include "probes/ebpf/kernel/edition.h"

#include <bpf/bpf_tracing.h>

#include "schema/record.h"

/* The maps and variables live in core.bpf.c; the other objects name them and are linked with it. */
struct ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
};

struct lost_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REC_KIND_END);
	__type(key, u32);
	__type(value, u64);
};

/* Number of a task in a nested namespace -> number in ours. */
struct nested_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct nested_key);
	__type(value, u32);
};

/* Status of each process that has ended, for wait calls that do not ask for it. */
struct ended_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
};

/*
 * Records go into the near ring, which is so small that the processor's caches hold it: to fill a record in
 * memory that they do not hold takes longer than all the rest. What finds no room there goes into the far one.
 */
extern struct ring_map near SEC(".maps");
extern struct ring_map far SEC(".maps");
extern struct lost_map lost SEC(".maps");
extern struct nested_map nested SEC(".maps");
extern struct ended_map ended SEC(".maps");
extern unsigned int own_level;

/*
 * Always 0, which the verifier does not know. Up to 6.6 it looks at the function
 * that bpf_loop calls once, with the values from before the loop: what is a known
 * 0 there makes it throw away the code for any other value. So the state of a
 * walk that begins with 0 begins with this.
 */
extern unsigned long long zero;

#define WAKE_WINDOW 8192

#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

#define PF_EXITING 4u

#define CLONE_VM 0x100ull
#define CLONE_VFORK 0x4000ull
#define CLONE_THREAD 0x10000ull

/* Notes what the program that follows is to do; in older editions there is one for each handler. */
static __always_inline void slot_handler(struct slot *slot, u32 handler)
{
#ifdef EDITION_CASTS
	slot->handler = handler;
#endif
}

static __always_inline void lost_count(u32 kind)
{
	u64 *n = bpf_map_lookup_elem(&lost, &kind);

	if (n)
		*n += 1;
}

/*
 * Births and ends have the last part of each ring for themselves: without them it would not
 * be known who there is, and who still waits. WAIT_END is one of them: it comes only where the begin
 * was recorded, so that it cannot be many.
 */
static __always_inline bool is_vital(u32 kind)
{
	switch (kind) {
	case REC_FORK:
	case REC_EXEC:
	case REC_EXIT:
	case REC_REAP:
	case REC_END_OPEN:
	case REC_END_CLOSE:
	case REC_WAIT_END:
		return true;
	}
	return false;
}

static __always_inline void *emit_far(u32 kind, u32 size)
{
	if (is_vital(kind) || bpf_ringbuf_query(&far, BPF_RB_AVAIL_DATA) < config.far_bytes)
		return bpf_ringbuf_reserve(&far, size, 0);
	return NULL;
}

/*
 * The time is taken after the place in the ring: a record whose place comes
 * later than the tracer's look at the ring cannot carry an earlier time, and
 * that is what lets the tracer say up to when it has seen everything.
 */
static __always_inline void *emit_begin(u32 kind, u32 size, u32 pid, u32 tid)
{
	struct rec_head *head = NULL;

	if (is_vital(kind) || bpf_ringbuf_query(&near, BPF_RB_AVAIL_DATA) < config.near_bytes)
		head = bpf_ringbuf_reserve(&near, size, 0);
	if (!head)
		head = emit_far(kind, size);
	if (!head) {
		lost_count(kind);
		return NULL;
	}
	head->kind = kind;
	head->size = size;
	head->flags = 0;
	head->ts = bpf_ktime_get_ns();
	head->pid = pid;
	head->tid = tid;
	return head;
}

/*
 * The tracer reads by itself now and then. It is woken only when much has accumulated, by those records that pass
 * the mark; a wake-up for each one above it would be an interrupt each, when it hurts most.
 */
static __always_inline void emit_end(void *rec)
{
	u64 over = bpf_ringbuf_query(&near, BPF_RB_AVAIL_DATA) - config.wake_bytes;
	bool wake = over < WAKE_WINDOW;

	bpf_ringbuf_submit(rec, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/*
 * A record of the traced thread that has the slot; NULL if there is no room,
 * which is counted. The test for NULL must follow at once: clang then makes one
 * test of two, and verifiers up to 6.1 do not see that a second one can never be true.
 */
#define EMIT_BEGIN(NAME, slot)                                                                     \
	((struct rec_##NAME *)emit_begin(                                                          \
		REC_##NAME, sizeof(struct rec_##NAME), (slot)->pid, (slot)->tid))
#define EMIT_END(rec) emit_end(rec)

/* Number of a struct pid in the PID namespace at a depth; 0: it is not visible there. */
static __always_inline u32 pid_number(struct pid *pid, u32 level)
{
	struct upid up = {};

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	bpf_probe_read_kernel(&up, sizeof up,
		(void *)pid + bpf_core_field_offset(struct pid, numbers) +
			(u64)(level & 31) * bpf_core_type_size(struct upid));
	return up.nr;
}

/*
 * Numbers of a task. The task travels in memory because functions that the
 * verifier looks at on their own take no pointers of the kernel.
 */
struct numbers {
	u64 task; /* in: address */
	u32 pid;  /* out: as the tracer's PID namespace knows them */
	u32 tid;
	u32 ns_pid; /* out, by numbers_nested: as the task's own namespace knows them */
	u32 ns_tid;
};
GLOBAL int numbers_find(struct numbers *n);

/* Finds the inner numbers of a new task and remembers them with ours, for wait calls return inner ones. */
GLOBAL int numbers_nested(struct numbers *n);

/* Number of a struct pid in its innermost namespace, which is *ret_ns. */
static __always_inline u32 pid_inner(struct pid *pid, u64 *ret_ns)
{
	u32 level = BPF_CORE_READ(pid, level);
	struct upid up = {};

	bpf_probe_read_kernel(&up, sizeof up,
		(void *)pid + bpf_core_field_offset(struct pid, numbers) +
			(u64)(level & 31) * bpf_core_type_size(struct upid));
	*ret_ns = (u64)up.ns;
	return up.nr;
}

/* The tracer's number for a number that a task uses in its own PID namespace; 0: not known. */
static __always_inline u32 number_ours(struct task_struct *task, u32 nr)
{
	struct nested_key key = {.nr = nr};
	u32 *ours;

	if (BPF_CORE_READ(task, thread_pid, level) <= own_level)
		return nr;
	pid_inner(BPF_CORE_READ(task, thread_pid), &key.ns);
	ours = bpf_map_lookup_elem(&nested, &key);
	return ours ? *ours : 0;
}

/* Device number as stat(2) shows it, from the kernel's own. */
static __always_inline u32 dev_encode(u32 dev)
{
	u32 major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

static __always_inline u64 name_word(const char *name)
{
	u64 word = 0;

	__builtin_memcpy(&word, name, 8);
	return word;
}

/*
 * What a task's process does on a signal. The kernel's elements are larger
 * than ours, and only a constant index would be relocated for that.
 */
static __always_inline struct k_sigaction *signal_action(struct task_struct *task, u32 signo)
{
	char *hand = (char *)BPF_CORE_READ(task, sighand);

	return (struct k_sigaction *)(hand + bpf_core_field_offset(struct sighand_struct, action) +
				      ((signo - 1) & 63) * bpf_core_type_size(struct k_sigaction));
}

#endif
