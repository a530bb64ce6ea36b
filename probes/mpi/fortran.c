/* fortran.c - programs in Fortran: their calls reach the wrappers too, with the place in the program. */
/* SPDX-License-Identifier: MIT */
/*
 * A program in Fortran calls mpi_send_ (or mpi_send_f08_ and the like, with the module mpi_f08) of a library that comes with the MPI library: it makes
 * C's parameters of Fortran's, and calls MPI_Send (MPICH) or PMPI_Send (Open MPI, and MPICH here and there). So that nothing of what it makes of
 * them need be known here:
 *
 * - PMPI_Send stands here too. It calls the wrapper if that library called it, else the MPI library.
 * - mpi_send_ stands here, remembers from where it was called, and calls the one of that library. Compilers that call it MPI_SEND or mpi_send
 *   do without: those names may be others' as well.
 *
 * Neither needs to know what the parameters are, only how many: all are numbers and pointers.
 */
#include "probes/mpi/mpi.h"

#include <link.h>
#include <string.h>

__thread uint64_t fortran_site;

/* ---- Who calls ---- */

/* What is mapped of the libraries for Fortran: there are two of them at most, one for the module mpi_f08. */
static struct {
	uintptr_t start, end;
} fortran[8];
static unsigned n_fortran;
static bool is_known;

static bool is_fortran(const char *path)
{
	static const char *const libraries[] = {
		"libmpi_mpifh", "libmpi_usempif08", "libmpichfort", "libmpifort"};

	for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
		if (strstr(path, libraries[i]))
			return true;
	return false;
}

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned *n = arg;

	(void)size;
	for (int i = 0; is_fortran(info->dlpi_name) && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) ||
			*n == sizeof fortran / sizeof *fortran)
			continue;
		fortran[*n].start = info->dlpi_addr + p->p_vaddr;
		fortran[(*n)++].end = info->dlpi_addr + p->p_vaddr + p->p_memsz;
	}
	return 0;
}

void fortran_find(void)
{
	unsigned n = 0;

	(void)dl_iterate_phdr(look_at, &n);
	n_fortran = n;
	__atomic_store_n(&is_known, true, __ATOMIC_RELEASE);
}

static bool is_from_fortran(uint64_t site)
{
	if (!__atomic_load_n(&is_known, __ATOMIC_ACQUIRE))
		fortran_find();
	for (unsigned i = 0; i < n_fortran; i++)
		if (site >= fortran[i].start && site < fortran[i].end)
			return true;
	return false;
}

/* ---- Parameters ---- */

#define W uintptr_t
#define TYPES0 void
#define TYPES1 W
#define TYPES2 TYPES1, W
#define TYPES3 TYPES2, W
#define TYPES4 TYPES3, W
#define TYPES5 TYPES4, W
#define TYPES6 TYPES5, W
#define TYPES7 TYPES6, W
#define TYPES8 TYPES7, W
#define TYPES9 TYPES8, W
#define TYPES10 TYPES9, W
#define TYPES11 TYPES10, W
#define TYPES12 TYPES11, W
#define TYPES13 TYPES12, W
#define DECLARE0 void
#define DECLARE1 W a
#define DECLARE2 DECLARE1, W b
#define DECLARE3 DECLARE2, W c
#define DECLARE4 DECLARE3, W d
#define DECLARE5 DECLARE4, W e
#define DECLARE6 DECLARE5, W f
#define DECLARE7 DECLARE6, W g
#define DECLARE8 DECLARE7, W h
#define DECLARE9 DECLARE8, W i
#define DECLARE10 DECLARE9, W j
#define DECLARE11 DECLARE10, W k
#define DECLARE12 DECLARE11, W l
#define DECLARE13 DECLARE12, W m
#define PASS0
#define PASS1 a
#define PASS2 PASS1, b
#define PASS3 PASS2, c
#define PASS4 PASS3, d
#define PASS5 PASS4, e
#define PASS6 PASS5, f
#define PASS7 PASS6, g
#define PASS8 PASS7, h
#define PASS9 PASS8, i
#define PASS10 PASS9, j
#define PASS11 PASS10, k
#define PASS12 PASS11, l
#define PASS13 PASS12, m

/* ---- Functions ---- */

#define REMEMBERS(name, n)                                                                         \
	__attribute__((visibility("default"))) void name(DECLARE##n);                              \
	__attribute__((visibility("default"))) void name(DECLARE##n)                               \
	{                                                                                          \
		static void *cache;                                                                \
		void (*real)(TYPES##n) =                                                           \
			(void (*)(TYPES##n))(cache ? cache : abi_resolve(&cache, #name));          \
		uint64_t outer = fortran_site;                                                     \
                                                                                                   \
		fortran_site = RETURNS_TO;                                                         \
		if (real)                                                                          \
			real(PASS##n);                                                             \
		fortran_site = outer;                                                              \
	}

/* Its name in C's and in small letters; how many parameters it has in C, and in Fortran, where a text has two. */
#define CALL(Name, name, in_c, in_fortran)                                                         \
	MPI_WRAPPER PMPI_##Name(DECLARE##in_c);                                                    \
	extern int MPI_##Name(TYPES##in_c);                                                        \
	MPI_WRAPPER PMPI_##Name(DECLARE##in_c)                                                     \
	{                                                                                          \
		uint64_t outer = fortran_site;                                                     \
		int rc;                                                                            \
                                                                                                   \
		if (!is_from_fortran(RETURNS_TO))                                                  \
			return PMPI(#Name, (TYPES##in_c), PASS##in_c);                             \
		fortran_site = PLACE;                                                              \
		rc = MPI_##Name(PASS##in_c);                                                       \
		fortran_site = outer;                                                              \
		return rc;                                                                         \
	}                                                                                          \
	REMEMBERS(mpi_##name##_, in_fortran)                                                       \
	REMEMBERS(mpi_##name##_f08_, in_fortran)                                                   \
	REMEMBERS(mpi_##name##_f08ts_, in_fortran)

/* Those that have a wrapper: tests/check compares. */
CALL(Allgather, allgather, 7, 8)
CALL(Allgatherv, allgatherv, 8, 9)
CALL(Allreduce, allreduce, 6, 7)
CALL(Alltoall, alltoall, 7, 8)
CALL(Alltoallv, alltoallv, 9, 10)
CALL(Alltoallw, alltoallw, 9, 10)
CALL(Barrier, barrier, 1, 2)
CALL(Bcast, bcast, 5, 6)
CALL(Bsend, bsend, 6, 7)
CALL(Bsend_init, bsend_init, 7, 8)
CALL(Cancel, cancel, 1, 2)
CALL(Cart_create, cart_create, 6, 7)
CALL(Comm_create, comm_create, 3, 4)
CALL(Comm_dup, comm_dup, 2, 3)
CALL(Comm_dup_with_info, comm_dup_with_info, 3, 4)
CALL(Comm_free, comm_free, 1, 2)
CALL(Comm_set_name, comm_set_name, 2, 4)
CALL(Comm_split, comm_split, 4, 5)
CALL(Comm_split_type, comm_split_type, 5, 6)
CALL(Exscan, exscan, 6, 7)
CALL(Finalize, finalize, 0, 1)
CALL(Gather, gather, 8, 9)
CALL(Gatherv, gatherv, 9, 10)
CALL(Iallgather, iallgather, 8, 9)
CALL(Iallreduce, iallreduce, 7, 8)
CALL(Ialltoall, ialltoall, 8, 9)
CALL(Ibarrier, ibarrier, 2, 3)
CALL(Ibcast, ibcast, 6, 7)
CALL(Ibsend, ibsend, 7, 8)
CALL(Igather, igather, 9, 10)
CALL(Improbe, improbe, 6, 7)
CALL(Init, init, 2, 1)
CALL(Init_thread, init_thread, 4, 3)
CALL(Irecv, irecv, 7, 8)
CALL(Ireduce, ireduce, 8, 9)
CALL(Irsend, irsend, 7, 8)
CALL(Iscatter, iscatter, 9, 10)
CALL(Isend, isend, 7, 8)
CALL(Issend, issend, 7, 8)
CALL(Mprobe, mprobe, 5, 6)
CALL(Probe, probe, 4, 5)
CALL(Recv, recv, 7, 8)
CALL(Recv_init, recv_init, 7, 8)
CALL(Reduce, reduce, 7, 8)
CALL(Reduce_scatter, reduce_scatter, 6, 7)
CALL(Reduce_scatter_block, reduce_scatter_block, 6, 7)
CALL(Request_free, request_free, 1, 2)
CALL(Rsend, rsend, 6, 7)
CALL(Rsend_init, rsend_init, 7, 8)
CALL(Scan, scan, 6, 7)
CALL(Scatter, scatter, 8, 9)
CALL(Scatterv, scatterv, 9, 10)
CALL(Send, send, 6, 7)
CALL(Send_init, send_init, 7, 8)
CALL(Sendrecv, sendrecv, 12, 13)
CALL(Sendrecv_replace, sendrecv_replace, 9, 10)
CALL(Ssend, ssend, 6, 7)
CALL(Ssend_init, ssend_init, 7, 8)
CALL(Start, start, 1, 2)
CALL(Startall, startall, 2, 3)
CALL(Test, test, 3, 4)
CALL(Testall, testall, 4, 5)
CALL(Testany, testany, 5, 6)
CALL(Testsome, testsome, 5, 6)
CALL(Wait, wait, 2, 3)
CALL(Waitall, waitall, 3, 4)
CALL(Waitany, waitany, 4, 5)
CALL(Waitsome, waitsome, 5, 6)
