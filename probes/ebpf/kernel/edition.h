/* edition.h - what newer kernels do for a program, and how older ones are made to do it. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_EDITION_H
#define PROBES_EBPF_EDITION_H

/*
 * Every program is compiled more than once, from the same source. The newest edition
 * also calls bpf_rdonly_cast (EDITION_CASTS; 6.2). The plain one needs bpf_loop and
 * bpf_find_vma, which came last (5.17). The old one (EDITION_OLD; 5.10) knows no
 * function that is handed to a helper, no task storage, no typed pointer to the
 * current task, and no memory handed to a function that is verified on its own.
 * The tracer loads the first of them that the kernel takes.
 */
#include "probes/ebpf/kernel/kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "schema/probe_config.h"

/*
 * Members of the kernel's structures, through any pointer or address: GET(p, a, b) is p->a->b, and
 * 0 where that cannot be read. TYPED(type, number, p) says what p points to; number is that of the type in struct probe_casts.
 */
#ifdef EDITION_CASTS
/* Without a helper, which is ten times as fast. The number comes when the program is loaded. */
static void *(*const rdonly_cast)(const void *obj, u32 type) = (void *)PROBE_CAST_CALL;
#define TYPED(type, number, p) ((type *)rdonly_cast((const void *)(p), config.casts.number))
#define GET_1(p, a) ((p)->a)
#define GET_2(p, a, b) ((p)->a->b)
#define GET_N(p, a, b, n, ...) n
#define GET(p, ...) GET_N(p, __VA_ARGS__, GET_2, GET_1)(p, __VA_ARGS__)
/* Any type that begins with a number as long as a pointer: what lies there is a number to the verifier. */
#define WORD_AT(address) (TYPED(struct rb_node, word, address)->__rb_parent_color)
#else
#define TYPED(type, number, p) ((type *)(p))
#define GET BPF_CORE_READ
#define WORD_AT(address)                                                                           \
	({                                                                                         \
		u64 word_ = 0;                                                                     \
		bpf_probe_read_kernel(&word_, sizeof word_, (void *)(address));                    \
		word_;                                                                             \
	})
#endif

/* The address that a member of the structure at an address holds. */
#define ADDRESS_IN(address, type, member)                                                          \
	WORD_AT((u64)(address) + bpf_core_field_offset(type, member))

extern const volatile struct probe_config config;

#ifdef EDITION_OLD

/* Verified where it is called. */
#define GLOBAL __hidden

/* Threads that can be traced at one time. */
#define SLOTS_MAX 16384

struct slots_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SLOTS_MAX);
	__type(key, u64);
	__type(value, struct slot);
};

#define task_current() ((struct task_struct *)bpf_get_current_task())

/* A member of a task that may be the current one. */
#define TASK_FIELD(task, field) BPF_CORE_READ(task, field)
#define REG_FIELD(regs, field) BPF_CORE_READ(regs, field)

#define STEPS(newer, older) (older)

/*
 * Without bpf_loop the verifier goes through every round of a loop. A function of its own, with numbers alone for
 * arguments, it looks at only once; so a step is made such a function, and what a walk remembers lies in a map.
 * Nothing else runs on the processor meanwhile.
 */
#define WALK_STATE(type, name, place)                                                              \
	_Static_assert(sizeof(type) <= SCRATCH_BYTES, "the state has no room there");              \
	type *name = scratch(place)
#define WALK_STEP(step, place)                                                                     \
	__noinline int step##_alone(u32 index)                                                     \
	{                                                                                          \
		void *state = scratch(place);                                                      \
                                                                                                   \
		return !state || step(index, state);                                               \
	}
#define WALK(steps, step, state)                                                                   \
	do {                                                                                       \
		_Pragma("clang loop unroll(disable)") for (u32 i_ = 0; i_ < (steps); i_++)         \
		{                                                                                  \
			if (step##_alone(i_))                                                      \
				break;                                                             \
		}                                                                                  \
	} while (0)

#define WALK_STATE_APART WALK_STATE
#define WALK_STEP_APART WALK_STEP
#define WALK_APART WALK

#else

#define GLOBAL

struct slots_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct slot);
};

#define task_current() bpf_get_current_task_btf()
#define TASK_FIELD(task, field) ((task)->field)
#define REG_FIELD(regs, field) ((regs)->field)

/* How many steps a walk takes at most. */
#define STEPS(newer, older) (newer)

/*
 * A walk: its state, defined as a pointer (NULL: there is none), its step as a function
 * for all editions, and the walk itself, which calls step with the numbers from 0 on until it
 * returns other than 0.
 */
#define WALK_STATE(type, name, place) type name##_here, *name = &name##_here
#define WALK_STEP(step, place)
#define WALK(steps, step, state) bpf_loop(steps, step, state, 0)

/*
 * The same for a large state. What a walk may have left on the stack the verifier must compare, byte by byte,
 * with every state it has seen, and kernels up to 6.12 give up where many steps may have written it. So the
 * state lies in the map here too; it is no argument, since bpf_loop passes on pointers to the stack alone.
 */
#define WALK_STATE_APART(type, name, place)                                                        \
	_Static_assert(sizeof(type) <= SCRATCH_BYTES, "the state has no room there");              \
	type *name = scratch(place)
#define WALK_STEP_APART(step, place)                                                               \
	static __noinline long step##_apart(u32 index, void *unused __attribute__((unused)))       \
	{                                                                                          \
		void *state = scratch(place);                                                      \
                                                                                                   \
		return !state || step(index, state);                                               \
	}
#define WALK_APART(steps, step, state) bpf_loop(steps, step##_apart, NULL, 0)

#endif

#define SCRATCH_BYTES 256

/* Where a walk keeps its state: any of the old edition, and those apart. */
enum scratch_place {
	SCRATCH_ENDS,
	SCRATCH_ARGV,
	SCRATCH_IGNORED,
	SCRATCH_ARGS,
	SCRATCH_DATA,
	SCRATCH_SCM,
	SCRATCH_MMSG,
	SCRATCH_POLL,
	SCRATCH_PATH,
	SCRATCH_END
};

struct scratch_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_END);
	__type(key, u32);
	__type(value, char[SCRATCH_BYTES]);
};

extern struct scratch_map scratch_states SEC(".maps");

static __always_inline void *scratch(u32 place)
{
	return bpf_map_lookup_elem(&scratch_states, &place);
}

extern struct slots_map slots SEC(".maps");
/* What a new slot is made of. */
extern const volatile struct slot slot_blank;

#ifdef EDITION_OLD

/* The key of a task is its address. The verifier lets no pointer be a key, so it goes through memory. */
static __always_inline u64 slot_key(struct task_struct *task)
{
	u64 key = 0;

	bpf_probe_read_kernel(&key, sizeof key, &task);
	return key;
}

/* Returns the slot of a traced thread, or NULL. */
static __always_inline struct slot *slot_get(struct task_struct *task)
{
	u64 key = slot_key(task);

	return bpf_map_lookup_elem(&slots, &key);
}

static __always_inline struct slot *slot_find(struct task_struct *task)
{
	return slot_get(task);
}

/* Returns the slot of a task, which is made if there is none; NULL: there is no room. */
static __always_inline struct slot *slot_make(struct task_struct *task)
{
	u64 key = slot_key(task);

	bpf_map_update_elem(&slots, &key, (const void *)&slot_blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&slots, &key);
}

/* The registers that user code had when a task came into the kernel: at the end of its stack. */
#define KERNEL_STACK_SIZE 16384
static __always_inline struct pt_regs *task_regs(struct task_struct *task)
{
	return (void *)BPF_CORE_READ(task, stack) + KERNEL_STACK_SIZE -
	       bpf_core_type_size(struct pt_regs);
}

static __always_inline u32 task_state(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	return BPF_CORE_READ((struct task_struct___old *)task, state);
}

/* The tree of a process's mappings, which kernels had until 6.1. */
#define VMA_DEPTH 24
static __noinline __attribute__((unused)) u64 vma_search(u64 task, u64 addr)
{
	struct mm_struct *mm = BPF_CORE_READ((struct task_struct *)task, mm);
	struct rb_node *node;

	if (!bpf_core_field_exists(mm->mm_rb))
		return 0;
	node = BPF_CORE_READ(mm, mm_rb.rb_node);
	_Pragma("clang loop unroll(disable)") for (u32 i = 0; i < VMA_DEPTH; i++)
	{
		struct vm_area_struct *vma;

		if (!node)
			return 0;
		vma = (void *)node - bpf_core_field_offset(struct vm_area_struct, vm_rb);
		if (addr < BPF_CORE_READ(vma, vm_start))
			node = BPF_CORE_READ(node, rb_left);
		else if (addr >= BPF_CORE_READ(vma, vm_end))
			node = BPF_CORE_READ(node, rb_right);
		else
			return (u64)vma;
	}
	return 0;
}

/* Calls the function with the mapping that holds an address, if there is one. */
#define VMA_FIND(task, addr, function, arg)                                                        \
	do {                                                                                       \
		u64 vma_ = vma_search(slot_key(task), addr);                                       \
		if (vma_)                                                                          \
			function(task, (struct vm_area_struct *)vma_, arg);                        \
	} while (0)

#else

static __always_inline struct slot *slot_get(struct task_struct *task)
{
	return bpf_task_storage_get(&slots, task, NULL, 0);
}

/*
 * The same where every system call of the machine passes: most tasks have no
 * storage of any kind, and for them this costs one load. The verifier takes a
 * millisecond for it where it is typed (it looks the field's type up by name), so not everywhere.
 */
static __always_inline struct slot *slot_find(struct task_struct *task)
{
#ifdef EDITION_CASTS
	return ADDRESS_IN(task, struct task_struct, bpf_storage) ? slot_get(task) : NULL;
#else
	return task->bpf_storage ? slot_get(task) : NULL;
#endif
}

static __always_inline struct slot *slot_make(struct task_struct *task)
{
	return bpf_task_storage_get(&slots, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static __always_inline struct pt_regs *task_regs(struct task_struct *task)
{
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

static __always_inline u32 task_state(struct task_struct *task)
{
	return task->__state;
}

#define VMA_FIND(task, addr, function, arg) bpf_find_vma(task, addr, function, arg, 0)

#endif

#endif
