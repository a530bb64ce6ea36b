/* abi.c - which MPI library is behind this one, and what its handles and constants look like. */
/* SPDX-License-Identifier: MIT */
/*
 * The numbers are those of the two ABIs that there are: MPICH's, which Intel MPI, MVAPICH and Cray MPI share (the
 * MPICH ABI Compatibility Initiative), and Open MPI's. tests/mpi/abi.c compares them with each mpi.h.
 */
#include "probes/mpi/mpi.h"

#include "probes/mpi/abi.h"
#include "probes/shim/shim.h"

#include <dlfcn.h>
#include <string.h>

static struct abi the;

void *abi_resolve(void **cache, const char *name)
{
	return shim_resolve(cache, name, NULL);
}

const struct abi *abi(void)
{
	return &the;
}

/* The address of an object of the MPI library: a program that is not position independent has copies of them, which count. */
static void *object(const char *name)
{
	void *cache = NULL, *p = dlsym ? dlsym(RTLD_DEFAULT, name) : NULL;

	return p ? p : shim_resolve(&cache, name, NULL);
}

void abi_find(void)
{
	void *world = object("ompi_mpi_comm_world"), *self = object("ompi_mpi_comm_self");
	void *null = object("ompi_mpi_comm_null"), *request = object("ompi_request_null");

	if (world && self && null && request)
		the = (struct abi){.pointers = true,
			.world = (handle)world,
			.self = (handle)self,
			.comm_null = (handle)null,
			.request_null = (handle)request,
			.any_source = OMPI_ANY_SOURCE,
			.proc_null = OMPI_PROC_NULL,
			.undefined = OMPI_UNDEFINED,
			.status_ignore = OMPI_STATUS_IGNORE,
			.status_bytes = OMPI_STATUS_BYTES,
			.source_at = OMPI_SOURCE_AT,
			.tag_at = OMPI_TAG_AT};
	else
		the = (struct abi){.world = MPICH_COMM_WORLD,
			.self = MPICH_COMM_SELF,
			.comm_null = MPICH_COMM_NULL,
			.request_null = MPICH_REQUEST_NULL,
			.any_source = MPICH_ANY_SOURCE,
			.proc_null = MPICH_PROC_NULL,
			.undefined = MPICH_UNDEFINED,
			.status_ignore = MPICH_STATUS_IGNORE,
			.status_bytes = MPICH_STATUS_BYTES,
			.source_at = MPICH_SOURCE_AT,
			.tag_at = MPICH_TAG_AT};
	the.known = true;
}

handle abi_handle(handle h)
{
	return the.pointers ? h : (uint32_t)h;
}

handle abi_request(const void *requests, int i)
{
	return the.pointers ? ((const handle *)requests)[i] : ((const uint32_t *)requests)[i];
}

void *abi_status(void *statuses, int i)
{
	return (char *)statuses + (size_t)i * the.status_bytes;
}

static int number_at(const void *status, size_t at)
{
	int n;

	memcpy(&n, (const char *)status + at, sizeof n);
	return n;
}

int abi_source(const void *status)
{
	return number_at(status, the.source_at);
}

int abi_tag(const void *status)
{
	return number_at(status, the.tag_at);
}
