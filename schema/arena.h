/* arena.h - the shared memory into which the preload library writes and from which the tracer reads. */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_ARENA_H
#define SCHEMA_ARENA_H

#include <stdint.h>

#include "schema/record.h"

/*
 * One file, made by the tracer, mapped whole by every traced process:
 *
 *	arena_head | arena_ring * n_rings | arena_chunk * n_chunks | chunks
 *
 * The first three parts have their space from the start. The space of a chunk is allocated by the tracer, which
 * stays a little ahead of those that write, or by whoever takes it first (MADV_POPULATE_WRITE reports a full file
 * system, where a store would end the program with SIGBUS).
 *
 * A ring belongs to one thread, its only writer. It is an endless row of
 * slots, numbered from 0; slot n lies in the ring's chunk number
 * n / ARENA_CHUNK_SLOTS, and the chunks of a ring are chained by next. The
 * writer makes sure of the chunk, reserves slots by adding to head with one
 * instruction, which a signal handler cannot split, fills them, and commits
 * each by storing its last word, which carries the chunk's generation: a word
 * of an earlier use never looks committed. The reader gives a chunk back when
 * it has read all of it.
 *
 * A slot:
 *	word 0	when it happened, in the arena's clock
 *	word 1	address (48 bits) | kind << 48 | aux << 56
 *	word 2	site (48 bits) | tag << 48
 * kind is enum arena_slot << 4 | enum lock_kind; aux see below; tag is the
 * generation (15 bits, never 0) | ARENA_TAG_HEAD for the first slot of a record.
 *
 * ARENA_RAW carries any record of events.def: word 1 is payload bytes (16
 * bits) | rec kind << 16 | lock kind unused; the slots after it have no
 * ARENA_TAG_HEAD and carry 22 bytes of payload each (word 0, word 1, 48 bits
 * of word 2): the record's fields without its head, zeros at the end left off.
 * Times in fields are in the arena's clock too. With ARENA_AUX_TASK two 32-bit
 * numbers, pid and tid, come first and stand for those of the ring.
 *
 * ARENA_SERIES stands for equal holds of one lock by a thread that records nothing else meanwhile, three slots that the
 * thread changes as long as they are its ring's last record; series_busy of the ring is not 0 while it does:
 *	word 0	the first is taken	word 1	as of ARENA_ACQUIRE			word 2	as of ARENA_ACQUIRE
 *	word 0	how many | longest << 32	word 1	how long they were held in all	word 2	site of the release, 0: none so far
 *	word 0	the last is released	word 1	since when it is held now, 0: not	word 2	0
 * (times in the arena's clock; word 2 with the tag.) What is held when the next record comes is released by that
 * or a later one.
 *
 * The tracer holds a lock on the file (F_OFD_SETLK) that goes with it however it
 * ends: whoever finds the file unlocked knows that nobody will read the rings.
 *
 * Nothing here can be trusted by the reader: a program out of control may have written anything.
 */
#define ARENA_MAGIC 0x616e657261747070ull /* "pptarena" */
#define ARENA_VERSION 4u

enum {
	ARENA_CHUNK_SLOTS = 2048,
	ARENA_SLOT_WORDS = 3,
	ARENA_CHUNK_BYTES = ARENA_CHUNK_SLOTS * ARENA_SLOT_WORDS * 8, /* 12 pages */
	ARENA_PAYLOAD = 22,
	ARENA_SERIES_SLOTS = 3,
	ARENA_RECORD_SLOTS = 40 /* no record needs more */
};

/* Holds that are added up are shorter, by the counter and by CLOCK_MONOTONIC: by the reader, or by their thread (ARENA_SERIES). */
#define ARENA_SHORT_TSC (1ull << 15)
#define ARENA_SHORT_NS 10000ull

#define ARENA_ADDR_MASK 0xffffffffffffull
#define ARENA_TAG_HEAD 0x8000u

enum arena_slot {
	ARENA_ACQUIRE = 1,  /* got it at once */
	ARENA_ACQUIRED = 2, /* got it after the ring's last ARENA_REQUEST */
	ARENA_REQUEST = 3,  /* is about to wait for it */
	ARENA_RELEASE = 4,  /* unlocked */
	ARENA_BUSY = 5,     /* a try gave EBUSY */
	ARENA_POST = 6,     /* semaphore: posted; aux is unused */
	ARENA_TAKE = 7,     /* semaphore: taken at once; aux: 1 by trywait */
	ARENA_RAW = 8,
	ARENA_REFUSED = 9, /* an unlock failed; aux: the error */
	ARENA_SERIES = 10  /* took and released it several times */
};

/* aux of the lock slots: bits 0-2 type, 3 shared mode, 4 try, 5 timed, 6 robust, 7 pi. */
#define ARENA_AUX_TYPE 7u
#define ARENA_AUX_SHARED 8u
#define ARENA_AUX_TRY 16u
#define ARENA_AUX_TIMED 32u
#define ARENA_AUX_ROBUST 64u
#define ARENA_AUX_PI 128u

/* Packs a lock type (enum lock_type) into aux. */
static inline unsigned arena_aux(unsigned type)
{
	return (type & ARENA_AUX_TYPE) | (type & (LOCK_ROBUST | LOCK_PI)) << 2;
}

/* What aux says, as the fields of records do: enum lock_type, lock_mode, lock_attempt. */
static inline unsigned arena_type(unsigned aux)
{
	return (aux & ARENA_AUX_TYPE) | (aux & (ARENA_AUX_ROBUST | ARENA_AUX_PI)) >> 2;
}

static inline enum lock_mode arena_mode(unsigned aux)
{
	return aux & ARENA_AUX_SHARED ? LOCK_MODE_S : LOCK_MODE_X;
}

static inline enum lock_attempt arena_attempt(unsigned aux)
{
	if (aux & ARENA_AUX_TRY)
		return LOCK_TRY;
	return aux & ARENA_AUX_TIMED ? LOCK_TIMED : LOCK_PLAIN;
}

_Static_assert(LOCK_ROBUST << 2 == ARENA_AUX_ROBUST && LOCK_PI << 2 == ARENA_AUX_PI, "bits of aux");

/* aux of ARENA_RAW */
#define ARENA_AUX_TASK 1u

/*
 * Kinds of ARENA_RAW that are the shim's own, beside those of events.def:
 * which thread a pthread_t means. The fields target of SYNC_BEGIN and SYNC_END
 * carry the pthread_t, and the source puts the tid in its place.
 */
#define ARENA_KIND_NOTHING 239u /* room that was not needed after all */
#define ARENA_KIND_HANDLE 240u
struct arena_handle {
	uint64_t handle;
	uint64_t tid;
};

enum arena_clock { ARENA_CLOCK_MONOTONIC = 0, ARENA_CLOCK_TSC = 1 };

/* How the name of an arena ends whose processes record everything, not locks alone. */
#define ARENA_ALL ".all"

/* How the name goes on after "arena" if stacks of acquisitions are asked for: a program must know that before it maps the file. */
#define ARENA_STACKS ".stacks"

#define ARENA_FLAG_DROP 1u   /* never wait for room */
#define ARENA_FLAG_SINGLY 2u /* each hold is recorded by itself: no ARENA_SERIES */

struct arena_head {
	uint64_t magic;
	uint32_t version;
	uint32_t flags;
	uint64_t bytes; /* of the file */
	uint32_t n_rings;
	uint32_t n_chunks;
	uint64_t rings_at; /* offsets in the file */
	uint64_t chunks_at;
	uint64_t data_at;
	uint32_t clock; /* enum arena_clock */
	uint32_t data_bytes;
	uint64_t pidns;    /* inode of the tracer's PID namespace */
	uint64_t proc_dev; /* device of the /proc that shows its numbers, 0: not known */
	uint8_t pad0[64 - 16];

	/* Written by the tracer while it works. */
	uint64_t heartbeat; /* when the tracer last took records, CLOCK_MONOTONIC */
	uint32_t closed;    /* 1: nobody reads any more */
	uint8_t pad1[64 - 12];

	/* Written by the processes. */
	uint32_t ring_hint;
	uint32_t chunk_hint; /* also by the tracer, when it gives one back */
	uint64_t no_ring;    /* records lost because no ring or no chunk was available */
	uint64_t
		taken; /* rings that became LIVE so far: counted after that, and before the first record */
	uint8_t pad2[64 - 24];
};

enum arena_ring_state { ARENA_RING_FREE = 0, ARENA_RING_LIVE = 1 };

/* first and next are numbers of chunks plus 1; 0: none yet. */
struct arena_ring {
	uint64_t owner; /* pid << 32 | tid as their own namespace numbers them, 0: free */
	uint64_t image; /* differs between the programs that a process executes */
	uint64_t pidns; /* inode of the PID namespace, 0: not known */
	uint32_t state; /* enum arena_ring_state: LIVE once the rest is set */
	uint32_t first;
	uint64_t dropped; /* records that found no room */
	uint64_t born;    /* in the arena's clock */
	uint64_t parent;  /* process */
	uint64_t
		outer; /* as owner, in the tracer's PID namespace, where that is another and could be read; 0 */

	uint64_t head;          /* slots reserved so far */
	uint64_t dropped_vital; /* births and ends that found no room (arena_is_vital) */
	uint64_t series_busy;   /* 1: the thread is changing its series */
	uint8_t pad1[64 - 24];
};

/*
 * Births and ends. Where there is no room for anything else, the rest of the ring's last chunk is theirs:
 * without them it would not be known who there is.
 */
static inline int arena_is_vital(unsigned kind)
{
	switch (kind) {
	case REC_FORK:
	case REC_EXEC:
	case REC_EXIT:
	case REC_EXITING:
	case REC_REAP:
	case REC_END_OPEN:
	case REC_END_CLOSE:
		return 1;
	}
	return 0;
}

struct arena_chunk {
	uint32_t owner; /* number of the ring plus 1, 0: free */
	uint32_t next;
	uint32_t gen;   /* 1 to 0x7fff, set by the tracer */
	uint32_t space; /* 1: its memory is allocated in the file */
};

_Static_assert(sizeof(struct arena_head) == 256, "layout of arena_head");
_Static_assert(sizeof(struct arena_ring) == 128, "layout of arena_ring");
_Static_assert(sizeof(struct arena_chunk) == 16, "layout of arena_chunk");

#endif
