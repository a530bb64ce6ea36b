/* mpi.h - the library that stands in front of an MPI library: what its files share. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: abi.c (which MPI it is, and what its handles and constants look like), record.c (records, through
 * the preload library), comm.c (communicators, and their ranks in MPI_COMM_WORLD), request.c (calls that do not wait),
 * life.c, message.c, wait.c, collective.c (the wrappers, which call PMPI_...), fortran.c (calls from Fortran reach them).
 *
 * It is loaded beside the preload library into what is started as a rank of an MPI job. There is one for all MPI
 * libraries: handles are passed on as they come, be they numbers (MPICH and those that have its ABI) or pointers (Open MPI), which
 * the calling conventions of 64-bit Linux pass alike; what they mean is in abi.c alone. No mpi.h is needed to build it.
 */
#ifndef PROBES_MPI_MPI_H
#define PROBES_MPI_MPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/record.h"

/* MPI_Comm, MPI_Request, MPI_Datatype...: a number of 32 bits, or a pointer. */
typedef uintptr_t handle;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* A function that the program calls. */
#define MPI_WRAPPER __attribute__((visibility("default"))) int

/* Where the function that is running was called, and the place of the call in the program. Only in the wrapper itself. */
#define RETURNS_TO ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define PLACE (unlikely(fortran_site) ? fortran_site : RETURNS_TO)

enum { MPI_OK = 0, MPI_FAILED = 16 /* MPI_ERR_OTHER: there is no MPI library behind this one */ };

/* ---- Programs in Fortran (fortran.c) ---- */

/* Where the thread has called the library for Fortran from, which calls the wrappers; 0: it is not in there. */
extern __thread uint64_t fortran_site;

/* Finds out where that library is; before, it is looked for when it is asked for. */
void fortran_find(void);

/* ---- Functions of the MPI library (abi.c) ---- */

/* Returns the function behind a wrapper, kept in *cache; NULL: there is none. */
void *abi_resolve(void **cache, const char *name);

/* Calls PMPI_name with these parameters. */
#define PMPI(name, types, ...)                                                                     \
	__extension__({                                                                            \
		static void *cache_;                                                               \
		int(*real_) types =                                                                \
			(int(*) types)(cache_ ? cache_ : abi_resolve(&cache_, "PMPI_" name));      \
		real_ ? real_(__VA_ARGS__) : MPI_FAILED;                                           \
	})

/* What differs between the ABIs. */
struct abi {
	bool known;
	bool pointers; /* handles are pointers, else numbers of 32 bits */
	handle world, self, comm_null, request_null;
	int any_source, proc_null, undefined;
	uintptr_t status_ignore; /* for one, and for several */
	size_t status_bytes, source_at, tag_at;
};

/* Returns it; known false before MPI_Init has returned. */
const struct abi *abi(void);

/* Finds out which MPI library is there. */
void abi_find(void);

/* Returns the significant part of a handle: all of a pointer, the low 32 bits of a number (the rest is undefined). */
handle abi_handle(handle h);

/* Returns request i of an array, and status i. */
handle abi_request(const void *requests, int i);
void *abi_status(void *statuses, int i);

/* Return what a status says. */
int abi_source(const void *status);
int abi_tag(const void *status);

/* ---- Records (record.c) ---- */

/* What a call waits for: a message from or to a rank, or the other members' part in a collective call. */
struct need {
	unsigned role; /* enum mpi_role */
	unsigned op;   /* of the call that began it */
	uint64_t comm; /* key of the communicator */
	int64_t peer;  /* rank in MPI_COMM_WORLD, or MPI_ANY */
	int64_t tag;   /* or MPI_ANY: any tag, or none */
	int64_t seq;   /* collective: position of the call on the communicator, from 1 */
};

/* A call of the program that may wait. */
struct call {
	unsigned op;      /* enum mpi_op */
	struct need need; /* the only one, or what record_need has not recorded */
	bool any;         /* one of the needs is enough (MPI_Waitany) */
	uint64_t site;    /* address to which it returns: PLACE of the wrapper */
};

/* These record through the preload library, copy what they are given, keep errno and cannot fail; without that library nothing happens. */

/* The process is a rank of a job of size ranks; ends: it has called MPI_Finalize. */
void record_rank(int rank, int size, bool ends, const char *job);

/* A communicator; ranks: of its size members, in MPI_COMM_WORLD, NULL: not known. */
void record_comm(uint64_t comm, int size, const int *ranks, const char *name);

/* One of several needs of the call that record_begin records next. */
void record_need(const struct need *n);

/* Before and after the call of the MPI library; result: what that returned. */
void record_begin(const struct call *c);
void record_end(const struct call *c, int result);

/* A message: event is MPI_SENT, MPI_RECEIVED or MPI_POSTED (a receive); peer is the other rank. */
void record_message(unsigned event, uint64_t comm, int64_t peer, int64_t tag, uint64_t site);

/* The rank enters collective call number seq of a communicator. */
void record_entered(uint64_t comm, unsigned op, int64_t seq, uint64_t site);

/* ---- Communicators (comm.c) ---- */

struct comm;

/* Returns what is known of a communicator, which is made if it is new; NULL: it is none, or one between two groups. */
struct comm *comm_of(handle h);

/* MPI_COMM_WORLD and MPI_COMM_SELF. */
void comm_begin(int rank, int size, const char *job);

/* All members of parent have made a new communicator; h may be none: this rank is not in it. */
void comm_made(struct comm *parent, handle h);
void comm_gone(handle h);
void comm_named(handle h, const char *name);

/* Returns its number, 0: not known. */
uint64_t comm_key(const struct comm *c);

/* Returns the rank in MPI_COMM_WORLD of a rank: MPI_ANY for MPI_ANY_SOURCE; false: it is nobody (MPI_PROC_NULL). */
bool comm_rank(const struct comm *c, int rank, int64_t *ret);

/* Says whether this process is that rank of it. */
bool comm_is_me(const struct comm *c, int rank);

/* Counts a collective call: returns its number among those of the communicator, from 1 on. */
int64_t comm_enter(struct comm *c);

/* ---- Requests (request.c) ---- */

enum { REQUEST_PERSISTENT = 1, REQUEST_ACTIVE = 2, REQUEST_CANCELLED = 4 };

struct request {
	handle handle; /* 0: the place is free */
	struct need need;
	uint64_t site;
	unsigned flags;
	struct comm *of; /* through which ranks are read */
};

void request_add(const struct request *r);
/* Copies what is known of a request; false: nothing. */
bool request_get(handle h, struct request *ret);
void request_flag(handle h, unsigned set, unsigned clear);
void request_remove(handle h);

#endif
