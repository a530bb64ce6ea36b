/* abi.h - the constants of the two ABIs of MPI libraries. */
/* SPDX-License-Identifier: MIT */
#ifndef PROBES_MPI_ABI_H
#define PROBES_MPI_ABI_H

/* MPICH, Intel MPI, MVAPICH, Cray MPI: handles are numbers. */
#define MPICH_COMM_WORLD 0x44000000u
#define MPICH_COMM_SELF 0x44000001u
#define MPICH_COMM_NULL 0x04000000u
#define MPICH_REQUEST_NULL 0x2c000000u
#define MPICH_ANY_SOURCE (-2)
#define MPICH_PROC_NULL (-1)
#define MPICH_UNDEFINED (-32766)
#define MPICH_STATUS_IGNORE 1u
#define MPICH_STATUS_BYTES 20
#define MPICH_SOURCE_AT 8
#define MPICH_TAG_AT 12

/* Open MPI: handles are pointers to objects, of which the fixed ones have names. */
#define OMPI_ANY_SOURCE (-1)
#define OMPI_PROC_NULL (-2)
#define OMPI_UNDEFINED (-32766)
#define OMPI_STATUS_IGNORE 0u
#define OMPI_STATUS_BYTES 24
#define OMPI_SOURCE_AT 0
#define OMPI_TAG_AT 4

/* Of both. */
#define EITHER_ANY_TAG (-1)

#endif
