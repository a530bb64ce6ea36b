/* golang.h - what the files that read the runtime of Go share. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: golang.c (goroutines), layout.c (the runtime's structures), frame.c (stacks), poll.c (descriptors
 * that goroutines wait for), asks.c (programs that ask themselves), lock.c (what a goroutine waits for), owner.c (who has a mutex), code.c (what a function has locked), closure.c (functions that unlock it), stackmap.c (which words of a stack count), heap.c (objects), reach.c (who could wake it).
 */
#ifndef TRACER_RUNTIME_GOLANG_GOLANG_H
#define TRACER_RUNTIME_GOLANG_GOLANG_H

#include "base/hash.h"
#include "tracer/runtime/memory.h"
#include "tracer/runtime/runtime.h"
#include "tracer/runtime/tasks.h"

/* Not there in this release. */
#define GOLANG_NONE UINT64_MAX

/* Offsets of members in bytes, as the program's own debugging information says. */
struct golang_layout {
	uint64_t g_stack, g_m, g_sched, g_status, g_id, g_reason, g_waiting;
	uint64_t buf_sp, buf_pc, buf_bp;
	uint64_t m_procid, m_curg, m_next;
	uint64_t sudog_g, sudog_elem, sudog_channel, sudog_link, sudog_prev, sudog_next;
	uint64_t root_treap;
	uint64_t g_start;      /* where the function of a go statement begins */
	uint64_t channel_type; /* of what is sent */
	uint64_t p_timer_count, p_timers,
		timers_len; /* how many timers a P has: up to 1.22; from 1.23 on */
	/* timer_status: up to 1.22; timers_heap and timer_state: from 1.23 on. */
	uint64_t timers_heap, timer_arg, timer_status, timer_state;
	uint64_t heap_spans, span_start, span_pages, span_size, span_state, span_class;
	uint64_t g_defer, g_panic;
	uint64_t module_pctab, module_pclntable, module_ftab, module_text, module_gofunc,
		module_next, module_data_mask, module_bss_mask;
	uint64_t func_args, func_npcdata, func_nfuncdata;
	uint64_t poll_fd, poll_reader, poll_writer, poll_read_deadline, poll_write_deadline;
};

enum {
	GOLANG_GOROUTINES = 20000, /* of one process; of more nothing is said */
	GOLANG_PLACES = 20000,     /* that are looked up */
	GOLANG_REASONS = 64,
	GOLANG_FRAMES = 32,
	GOLANG_CALLS = 6,
	/* sync.RWMutex: the count of readers, behind a mutex and two semaphores */
	GOLANG_READERS = 16,
};

/* Functions that lock or unlock the object whose address they get, where they are not inlined. */
struct golang_call {
	const char *name;
	unsigned word; /* of the object, by which it is known who has it */
	int change;
};

/* Of runtime2.go: what g.atomicstatus says. */
enum golang_status { GO_RUNNABLE = 1, GO_RUNNING, GO_SYSCALL, GO_WAITING, GO_DEAD = 6 };

/* How a goroutine waits for a descriptor: not at all; for bytes, or room for them; for something that may be under way. */
enum golang_polls { GOLANG_POLLS_NONE, GOLANG_READS, GOLANG_WRITES, GOLANG_POLLS };

/* A function that was called, and where its frame lies: what it has on the stack is between low and high. */
struct golang_frame {
	uint64_t pc, low, high;
};

struct goroutine {
	uint64_t addr, id, m, pc, sp, bp, stack_low, stack_high;
	uint32_t status;         /* without the bit of the garbage collector */
	uint8_t reason;          /* index of its wait reason, while it waits */
	bool is_system;          /* of the runtime */
	bool is_torn;            /* it has moved while it was read */
	const struct task *task; /* the thread that it has now, or NULL */
	pid_t tid;               /* as which it is told */
	uint64_t channel;        /* that it waits for, the first of several; 0: none */
	uint64_t sema;           /* address of the semaphore that it waits for, 0: none */
	uint64_t sudog;  /* by which it stands in the queue of that semaphore, or of a condition */
	uint64_t object; /* of package sync, that it waits for, 0: none */
	uint64_t wanted; /* the word that somebody has set who has that object: see lock.c */
	uint64_t tried;  /* the word that it has tried to set itself */
	uint32_t owner;  /* 1 + index of the goroutine that seems to have it, 0: not known */
	bool is_lost;    /* nobody who may go on has what it waits for */
	enum golang_polls polls;
	int fd;        /* for which it polls */
	uint64_t desc; /* the runtime.pollDesc of that */
	/* The socket at the other side of the connection, of the same machine, where nothing is under way; 0: not known. */
	uint32_t peer;
	bool accepts; /* it waits for connections */
	int asks;     /* the descriptor through which it asks its own program */
	/* 1 + index of the goroutine that is to answer what it asks, 0: not known. */
	uint32_t answerer;
	bool has_deadline; /* and not for longer than until then */
	struct golang_frame frames[GOLANG_FRAMES];
	size_t n_frames;
};

/* Says whether a writer waits until those that read now have done so. */
static inline bool golang_awaits_readers(const struct goroutine *g)
{
	return g->wanted && g->wanted == g->object + GOLANG_READERS;
}

struct golang {
	struct memory memory;
	const struct runtime_process *process;
	struct golang_layout layout;
	char exe[4096];
	uint64_t allgs, allm, allp, semtable, reasons_at, heap, module;
	uint64_t calls[GOLANG_CALLS]; /* the functions of golang_calls */
	char reasons[GOLANG_REASONS][40];
	char root
		[160]; /* where the standard library's sources lie: "/usr/lib/go-1.19/src/"; empty: not known */
	struct hash places; /* struct golang_place by pc, owned */
	size_t n_places;
	struct hash called; /* by address: go where a function begins, else its places */
	struct hash
		changing; /* by where a function begins: go if it may change a lock, else this hash itself */
	struct hash maps; /* struct golang_map by pc, owned */
	size_t n_maps;
	struct goroutine *list;
	size_t n;
	uint32_t lost;      /* 1 + index of the first goroutine that is lost, 0: none is */
	bool has_spans;     /* how the heap is divided is known */
	bool has_poll;      /* how descriptors are waited for is known */
	bool has_maps;      /* which words of its stacks count is known */
	bool has_signals;   /* os/signal sends those that arrive to channels of the program */
	bool has_timers;    /* some timer is set, that may send to a channel or call a function */
	unsigned scans;     /* of code, that are left */
	bool is_unsearched; /* there were too few for who has what is waited for */
};

/* Which words of a function's frame count at a call: addresses of bit vectors, and how many bits they have. */
struct golang_map {
	uint64_t locals, args, objects;
	uint32_t n_locals, n_args;
	uint64_t n_objects;
	bool is_known, has_args;
};

enum { GOLANG_INLINED = 8 };

/* What a return address stands for, looked up once. */
struct golang_place {
	size_t n;
	struct {
		const char *function, *file;
		int line;
		bool is_library;
	} list[GOLANG_INLINED]; /* innermost inlined function first */
	const char *
		compiled; /* the function that was compiled, whatever was inlined; NULL: not known */
	uint64_t start;   /* of that one; 0: not known */
};

/* ---- layout.c ---- */

extern const struct golang_call golang_calls[GOLANG_CALLS];

/* Says whether the program was built by Go: it has a section .go.buildinfo. */
bool golang_is_there(const struct runtime_process *p);

/*
 * Finds the runtime's variables and the layout of its structures. Returns 0;
 * -ENOENT if it is not Go; -ENOTSUP with one sentence in why.
 */
int golang_open(struct golang *go, const struct runtime_process *p, struct buf *why);

/* Returns the address of a symbol of the program, or 0. */
uint64_t golang_symbol(struct golang *go, const char *name);

/* ---- frame.c ---- */

/* What sync.Once calls has been called by this function, which has its mutex; and the one that waits for a mutex. */
#define GOLANG_ONCE "sync.(*Once).doSlow"
#define GOLANG_LOCK_SLOW "sync.(*Mutex).lockSlow"

/* Says whether a function has this name, or one that ends so: from 1.24 on internal/sync has what sync had. */
bool golang_is_named(const char *function, const char *wanted);

/* Says whether a frame belongs to a function of this name. */
bool golang_is_frame_of(struct golang *go, const struct golang_frame *f, const char *function);

/* Fills the frames of a goroutine that does not run. */
void golang_frames(struct golang *go, struct goroutine *g);

/* Returns what a return address stands for; it belongs to go. */
const struct golang_place *golang_place(struct golang *go, uint64_t pc);

/* Says whether a function begins at an address. */
bool golang_is_function(struct golang *go, uint64_t addr);

/* Shows frames to people: those of inlined functions too. Returns how many. */
size_t golang_show_frames(
	struct golang *go, const struct goroutine *g, struct runtime_frame *ret, size_t max);

/* ---- poll.c ---- */

/* Finds the descriptors that goroutines wait for; is_quiet: nothing of the process runs, which what is under way may change. */
void golang_poll(struct golang *go, bool is_quiet);

/* Says what a goroutine waits for that polls. */
void golang_poll_wait(const struct goroutine *g, struct runtime_wait *ret);

/* ---- asks.c ---- */

/* Finds goroutines that wait for an answer which one is to give that wants what they have; for a moment when nothing runs. */
void golang_asks(struct golang *go);

/* ---- lock.c ---- */

/* Finds which goroutine waits for which semaphore, and who seems to have a mutex that is waited for. */
void golang_waits(struct golang *go);

/* Says what a goroutine waits for. */
void golang_wait(struct golang *go, const struct goroutine *g, struct runtime_wait *ret);

/* ---- code.c ---- */

/* Told for each change of a lock: the word of the object, and 1 if it was locked, -1 if it was unlocked. */
typedef void golang_change(void *arg, uint64_t word, int by);

/* Says whether the function that begins there may change any lock, so that it is worth while to go through its code. */
bool golang_may_change(struct golang *go, uint64_t start);

/*
 * Tells what the function of a frame has done to locks, as its instructions up to where it is now stand one behind the other.
 * tried: the word of what this very function waits for, 0: none; what stands behind
 * its last attempt to lock that does not count, for a compiler may put the slow way to the end.
 */
void golang_changes(struct golang *go, const struct golang_frame *f, uint64_t tried,
	golang_change *each, void *arg);

/* The same of what it is to do, behind where it is now. */
void golang_next_changes(
	struct golang *go, const struct golang_frame *f, golang_change *each, void *arg);

/* The same of all that a function does which is called by this function value. */
void golang_function_changes(
	struct golang *go, uint64_t function, uint64_t closure, golang_change *each, void *arg);

/* ---- owner.c ---- */

/* A word that somebody waits for, which is set by who has the object. */
struct golang_wanted {
	uint64_t word;
	uint32_t owner; /* 1 + index of the goroutine that seems to have it, 0: not known */
	bool is_shared; /* all who have it are waited for */
	size_t first,
		last; /* 1 + index of those who have done something to it, in the order of goroutines; 0: nobody has */
	size_t next; /* 1 + index of the next one in the same object of the heap, 0: there is none */
};

/* Finds who seems to have what goroutines want. */
void golang_owners(struct golang *go);

/* ---- closure.c ---- */

/* Takes the owner from each of these that a function unlocks which somebody else is to call. */
void golang_closures(struct golang *go, struct golang_wanted *list, size_t n);

/* ---- stackmap.c ---- */

/* Where the function ends that an address lies in, 0: not known. */
uint64_t golang_function_end(struct golang *go, uint64_t pc);

typedef void golang_word(void *arg, uint64_t word);

/* Calls mark for each word on the stack of a goroutine that counts; false: it is not known which do. */
bool golang_stack(struct golang *go, const struct goroutine *g, golang_word *mark, void *arg);

/* ---- heap.c ---- */

/* Pages of the heap that are cut into objects of one size. */
struct golang_span {
	uint64_t start, end, size;
	bool has_pointers;
};

/* All of them, by address. */
struct golang_heap {
	struct golang_span *spans;
	size_t n;
};

/* Reads them; false: they cannot be read. In either case golang_heap_done frees them. */
bool golang_heap_read(struct golang *go, struct golang_heap *ret);
void golang_heap_done(struct golang_heap *h);

/* Returns the span that an address lies in, or NULL; and where the object in it begins that the address lies in. */
const struct golang_span *golang_heap_span(const struct golang_heap *h, uint64_t addr);
uint64_t golang_heap_object(const struct golang_span *s, uint64_t addr);

/* ---- reach.c ---- */

/*
 * Finds the goroutines that nobody can wake: what they wait for can be reached from nobody who may go on. For a
 * moment when nothing runs.
 */
void golang_reach(struct golang *go);

/* Says whether a goroutine waits for what, at such a moment, might be seen to be reached from nobody. */
bool golang_has_candidates(const struct golang *go);

/* Reads numbers; 0 where they cannot be read or offset is GOLANG_NONE. */
uint64_t golang_u64(struct golang *go, uint64_t addr, uint64_t offset);
uint32_t golang_u32(struct golang *go, uint64_t addr, uint64_t offset);

#endif
