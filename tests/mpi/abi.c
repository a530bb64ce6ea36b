/* abi.c - the constants of probes/mpi/abi.h are those of this mpi.h: compiled by the tests with each mpicc. */
/* SPDX-License-Identifier: MIT */
#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/mpi/abi.h"

#ifdef OPEN_MPI
#define SAME(name) OMPI_##name
_Static_assert(
	sizeof(MPI_Comm) == sizeof(void *) && sizeof(MPI_Request) == sizeof(void *), "handles");
#else
#define SAME(name) MPICH_##name
_Static_assert(sizeof(MPI_Comm) == 4 && sizeof(MPI_Request) == 4, "handles");
_Static_assert((unsigned)MPI_COMM_WORLD == MPICH_COMM_WORLD, "MPI_COMM_WORLD");
_Static_assert((unsigned)MPI_COMM_SELF == MPICH_COMM_SELF, "MPI_COMM_SELF");
_Static_assert((unsigned)MPI_COMM_NULL == MPICH_COMM_NULL, "MPI_COMM_NULL");
_Static_assert((unsigned)MPI_REQUEST_NULL == MPICH_REQUEST_NULL, "MPI_REQUEST_NULL");
#endif

_Static_assert(MPI_ANY_SOURCE == SAME(ANY_SOURCE), "MPI_ANY_SOURCE");
_Static_assert(MPI_ANY_TAG == EITHER_ANY_TAG, "MPI_ANY_TAG");
_Static_assert(MPI_PROC_NULL == SAME(PROC_NULL), "MPI_PROC_NULL");
_Static_assert(MPI_UNDEFINED == SAME(UNDEFINED), "MPI_UNDEFINED");
_Static_assert(sizeof(MPI_Status) == SAME(STATUS_BYTES), "MPI_Status");
_Static_assert(offsetof(MPI_Status, MPI_SOURCE) == SAME(SOURCE_AT), "MPI_SOURCE");
_Static_assert(offsetof(MPI_Status, MPI_TAG) == SAME(TAG_AT), "MPI_TAG");
_Static_assert(MPI_SUCCESS == 0, "MPI_SUCCESS");

int main(void)
{
	return (uintptr_t)MPI_STATUS_IGNORE != SAME(STATUS_IGNORE) ||
	       (uintptr_t)MPI_STATUSES_IGNORE != SAME(STATUS_IGNORE);
}
