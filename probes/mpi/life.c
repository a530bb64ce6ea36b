/* life.c - a process becomes a rank of a job, makes communicators, and is one no more. */
/* SPDX-License-Identifier: MIT */
#include "probes/mpi/mpi.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char job[64];
static int own_rank = -1, own_size;

/* ---- What the job is called: alike on all of its hosts, and unlike any other ---- */

static bool job_of(const char *prefix, const char *a, const char *b)
{
	const char *x = getenv(a), *y = b ? getenv(b) : "";

	if (!x || !*x || !y)
		return false;
	(void)snprintf(job, sizeof job, "%s%s%s%s", prefix, x, *y ? "." : "", y);
	return true;
}

/* Reads a file of /proc; returns how much there was. */
static size_t read_proc(long pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		(void)close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Copies the word behind option in a command line. */
static void copy_option(const char *line, size_t len, const char *option, char *ret, size_t size)
{
	for (const char *s = line; s < line + len; s += strlen(s) + 1)
		if (!strcmp(s, option) && s + strlen(s) + 1 < line + len) {
			(void)snprintf(ret, size, "%s", s + strlen(s) + 1);
			return;
		}
}

/*
 * Hydra, MPICH's launcher, says nothing of the job in the environment. On each host a proxy of it starts the ranks,
 * and was told on its command line where mpiexec listens: that is one address for each job.
 */
static void job_of_hydra(void)
{
	enum { GENERATIONS = 8 };
	long pid = getppid();
	char buf[4096];

	for (int i = 0; i < GENERATIONS && pid > 1; i++) {
		size_t len = read_proc(pid, "cmdline", buf, sizeof buf);
		char port[48] = "", group[16] = "";
		const char *end;

		if (strstr(buf, "hydra_pmi_proxy")) {
			copy_option(buf, len, "--control-port", port, sizeof port);
			copy_option(buf, len, "--pgid", group, sizeof group);
		}
		if (*port) {
			(void)snprintf(job, sizeof job, "hydra.%s.%s", port, group);
			return;
		}
		(void)read_proc(pid, "stat", buf, sizeof buf);
		end = strrchr(buf, ')');
		if (!end || sscanf(end + 1, " %*c %ld", &pid) != 1)
			return;
	}
}

static void find_job(void)
{
	if (!job_of("pmix.", "PMIX_NAMESPACE", NULL) &&
		!job_of("slurm.", "SLURM_JOB_ID", "SLURM_STEP_ID") &&
		!job_of("pmi.", "PMI_JOBID", NULL))
		job_of_hydra();
}

/* ---- Becoming a rank ---- */

static void begin(void)
{
	if (own_rank >= 0)
		return;
	abi_find();
	fortran_find();
	if (PMPI("Comm_rank", (handle, int *), abi()->world, &own_rank) != MPI_OK ||
		PMPI("Comm_size", (handle, int *), abi()->world, &own_size) != MPI_OK)
		return;
	find_job();
	record_rank(own_rank, own_size, false, job);
	comm_begin(own_rank, own_size, job);
}

MPI_WRAPPER MPI_Init(int *argc, char ***argv);
MPI_WRAPPER MPI_Init(int *argc, char ***argv)
{
	struct call c = {.op = MPI_OP_INIT, .site = PLACE};
	int rc;

	record_begin(&c);
	rc = PMPI("Init", (int *, char ***), argc, argv);
	if (rc == MPI_OK)
		begin();
	record_end(&c, rc);
	return rc;
}

MPI_WRAPPER MPI_Init_thread(int *argc, char ***argv, int required, int *provided);
MPI_WRAPPER MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
	struct call c = {.op = MPI_OP_INIT, .site = PLACE};
	int rc;

	record_begin(&c);
	rc = PMPI("Init_thread", (int *, char ***, int, int *), argc, argv, required, provided);
	if (rc == MPI_OK)
		begin();
	record_end(&c, rc);
	return rc;
}

MPI_WRAPPER MPI_Finalize(void);
MPI_WRAPPER MPI_Finalize(void)
{
	struct comm *world = abi()->known ? comm_of(abi()->world) : NULL;
	struct call c = {.op = MPI_OP_FINALIZE,
		.site = PLACE,
		.need = {.op = MPI_OP_FINALIZE,
			.role = world ? MPI_ROLE_FREE : MPI_ROLE_NONE,
			.comm = comm_key(world),
			.peer = MPI_ANY,
			.tag = MPI_ANY}};
	int rc;

	if (world)
		c.need.seq = comm_enter(world);
	if (own_rank >= 0)
		record_rank(own_rank, own_size, true, job);
	record_begin(&c);
	rc = PMPI("Finalize", (void));
	record_end(&c, rc);
	return rc;
}

/* ---- Communicators ---- */

/* A call that all members of a communicator make together. */
static struct call together(unsigned op, struct comm *parent, uint64_t site)
{
	struct call c = {.op = op,
		.site = site,
		.need = {.role = parent ? MPI_ROLE_ALL : MPI_ROLE_UNKNOWN,
			.op = op,
			.comm = comm_key(parent),
			.peer = MPI_ANY,
			.tag = MPI_ANY}};

	if (parent)
		c.need.seq = comm_enter(parent);
	return c;
}

#define MAKES_COMM(op, name, comm, made, types, ...)                                               \
	struct comm *parent_ = comm_of(comm);                                                      \
	struct call call_ = together(MPI_OP_##op, parent_, PLACE);                                 \
	int rc_;                                                                                   \
                                                                                                   \
	record_begin(&call_);                                                                      \
	rc_ = PMPI(name, types, __VA_ARGS__);                                                      \
	record_end(&call_, rc_);                                                                   \
	if (rc_ == MPI_OK)                                                                         \
		comm_made(parent_, abi_request(made, 0));                                          \
	return rc_

MPI_WRAPPER MPI_Comm_dup(handle comm, handle *made);
MPI_WRAPPER MPI_Comm_dup(handle comm, handle *made)
{
	MAKES_COMM(COMM_DUP, "Comm_dup", comm, made, (handle, handle *), comm, made);
}

MPI_WRAPPER MPI_Comm_dup_with_info(handle comm, handle info, handle *made);
MPI_WRAPPER MPI_Comm_dup_with_info(handle comm, handle info, handle *made)
{
	MAKES_COMM(COMM_DUP, "Comm_dup_with_info", comm, made, (handle, handle, handle *), comm,
		info, made);
}

MPI_WRAPPER MPI_Comm_split(handle comm, int colour, int key, handle *made);
MPI_WRAPPER MPI_Comm_split(handle comm, int colour, int key, handle *made)
{
	MAKES_COMM(COMM_SPLIT, "Comm_split", comm, made, (handle, int, int, handle *), comm, colour,
		key, made);
}

MPI_WRAPPER MPI_Comm_split_type(handle comm, int type, int key, handle info, handle *made);
MPI_WRAPPER MPI_Comm_split_type(handle comm, int type, int key, handle info, handle *made)
{
	MAKES_COMM(COMM_SPLIT_TYPE, "Comm_split_type", comm, made,
		(handle, int, int, handle, handle *), comm, type, key, info, made);
}

MPI_WRAPPER MPI_Comm_create(handle comm, handle group, handle *made);
MPI_WRAPPER MPI_Comm_create(handle comm, handle group, handle *made)
{
	MAKES_COMM(COMM_CREATE, "Comm_create", comm, made, (handle, handle, handle *), comm, group,
		made);
}

MPI_WRAPPER MPI_Cart_create(
	handle comm, int n, const int *dims, const int *periods, int reorder, handle *made);
MPI_WRAPPER MPI_Cart_create(
	handle comm, int n, const int *dims, const int *periods, int reorder, handle *made)
{
	MAKES_COMM(CART_CREATE, "Cart_create", comm, made,
		(handle, int, const int *, const int *, int, handle *), comm, n, dims, periods,
		reorder, made);
}

MPI_WRAPPER MPI_Comm_free(handle *comm);
MPI_WRAPPER MPI_Comm_free(handle *comm)
{
	handle gone = abi()->known ? abi_request(comm, 0) : 0;
	int rc = PMPI("Comm_free", (handle *), comm);

	if (rc == MPI_OK && gone)
		comm_gone(gone);
	return rc;
}

MPI_WRAPPER MPI_Comm_set_name(handle comm, const char *name);
MPI_WRAPPER MPI_Comm_set_name(handle comm, const char *name)
{
	int rc = PMPI("Comm_set_name", (handle, const char *), comm, name);

	if (rc == MPI_OK)
		comm_named(comm, name);
	return rc;
}
