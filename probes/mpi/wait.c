/* wait.c - waiting for what was begun without waiting. */
/* SPDX-License-Identifier: MIT */
#include "probes/mpi/mpi.h"

#include <stdlib.h>
#include <string.h>

/* Requests of one call, as they were before it: it puts MPI_REQUEST_NULL in the place of those that are complete. */
struct wanted {
	int n;
	struct request *list; /* handle 0: none, or one that was never begun */
	struct request few[16];
	bool unknown;  /* some were made by calls that are not recorded */
	bool statuses; /* who was received from is not known without a status */
	void *own;     /* statuses, where the program wants none */
};

/* As many are told of one call. All of several need not be told; one of several must. */
enum { NEEDS_MAX = 64 };

static bool is_wild(const struct request *r)
{
	return r->need.role == MPI_ROLE_RECV &&
	       (r->need.peer == MPI_ANY || r->need.tag == MPI_ANY || r->flags & REQUEST_CANCELLED);
}

static void wanted_read(struct wanted *w, int n, const void *requests)
{
	*w = (struct wanted){.n = n > 0 && abi()->known ? n : 0};
	w->list = w->n <= (int)(sizeof w->few / sizeof *w->few)
			  ? w->few
			  : calloc((size_t)w->n, sizeof *w->list);
	if (!w->list) {
		w->n = 0;
		w->unknown = true;
	}
	for (int i = 0; i < w->n; i++) {
		handle h = abi_request(requests, i);

		if (h == abi()->request_null)
			continue;
		if (!request_get(h, &w->list[i]))
			w->unknown = true;
		else if (!(w->list[i].flags & REQUEST_ACTIVE))
			w->list[i].handle = 0;
		w->statuses |= w->list[i].handle && is_wild(&w->list[i]);
	}
}

/* Returns the statuses to call with. */
static void *wanted_statuses(struct wanted *w, void *statuses)
{
	if ((uintptr_t)statuses != abi()->status_ignore || !w->statuses)
		return statuses;
	w->own = calloc((size_t)w->n, abi()->status_bytes);
	return w->own ? w->own : statuses;
}

static void wanted_done(struct wanted *w)
{
	if (w->list != w->few)
		free(w->list);
	free(w->own);
}

/* Records what a call needs, and that it began. */
static void wanted_begin(const struct wanted *w, struct call *c)
{
	int told = 0;

	c->need = (struct need){.peer = MPI_ANY, .tag = MPI_ANY};
	for (int i = 0; i < w->n; i++) {
		if (!w->list[i].handle)
			continue;
		if (told++ == 0)
			c->need = w->list[i].need;
		else if (told <= NEEDS_MAX)
			record_need(&w->list[i].need);
	}
	if ((c->any && (w->unknown || told > NEEDS_MAX)) || (!told && w->unknown))
		record_need(
			&(struct need){.role = MPI_ROLE_UNKNOWN, .peer = MPI_ANY, .tag = MPI_ANY});
	record_begin(c);
}

static bool was_cancelled(const void *status)
{
	int flag = 0;

	return (uintptr_t)status == abi()->status_ignore ||
	       PMPI("Test_cancelled", (const void *, int *), status, &flag) != MPI_OK || flag;
}

/* A request is complete. status: its own, or the one to ignore. */
static void complete(const struct request *r, const void *status)
{
	const struct need *n = &r->need;
	int64_t peer = n->peer, tag = n->tag;

	if (!r->handle)
		return;
	if (r->flags & REQUEST_PERSISTENT)
		request_flag(r->handle, 0, REQUEST_ACTIVE | REQUEST_CANCELLED);
	else
		request_remove(r->handle);
	if (n->role != MPI_ROLE_RECV)
		return;
	record_message(MPI_UNPOSTED, n->comm, n->peer, n->tag, r->site);
	if (r->flags & REQUEST_CANCELLED && was_cancelled(status))
		return;
	if (is_wild(r) && (uintptr_t)status != abi()->status_ignore) {
		if (!comm_rank(r->of, abi_source(status), &peer))
			return;
		tag = abi_tag(status);
	}
	record_message(MPI_RECEIVED, n->comm, peer, tag, r->site);
}

static const void *status_at(void *statuses, int i)
{
	return (uintptr_t)statuses == abi()->status_ignore ? statuses : abi_status(statuses, i);
}

/* Those of the first n whose indices are given, or all of them. */
static void complete_several(struct wanted *w, int n, const int *indices, void *statuses)
{
	for (int i = 0; i < n; i++) {
		int at = indices ? indices[i] : i;

		if (at >= 0 && at < w->n)
			complete(&w->list[at], status_at(statuses, i));
	}
}

/* ---- Waiting ---- */

MPI_WRAPPER MPI_Wait(handle *request, void *status);
MPI_WRAPPER MPI_Wait(handle *request, void *status)
{
	struct call c = {.op = MPI_OP_WAIT, .site = PLACE};
	struct wanted w;
	int rc;

	wanted_read(&w, 1, request);
	status = wanted_statuses(&w, status);
	wanted_begin(&w, &c);
	rc = PMPI("Wait", (handle *, void *), request, status);
	record_end(&c, rc);
	if (rc == MPI_OK)
		complete_several(&w, 1, NULL, status);
	wanted_done(&w);
	return rc;
}

MPI_WRAPPER MPI_Waitall(int n, handle *requests, void *statuses);
MPI_WRAPPER MPI_Waitall(int n, handle *requests, void *statuses)
{
	struct call c = {.op = MPI_OP_WAITALL, .site = PLACE};
	struct wanted w;
	int rc;

	wanted_read(&w, n, requests);
	statuses = wanted_statuses(&w, statuses);
	wanted_begin(&w, &c);
	rc = PMPI("Waitall", (int, handle *, void *), n, requests, statuses);
	record_end(&c, rc);
	if (rc == MPI_OK)
		complete_several(&w, w.n, NULL, statuses);
	wanted_done(&w);
	return rc;
}

MPI_WRAPPER MPI_Waitany(int n, handle *requests, int *index, void *status);
MPI_WRAPPER MPI_Waitany(int n, handle *requests, int *index, void *status)
{
	struct call c = {.op = MPI_OP_WAITANY, .any = true, .site = PLACE};
	struct wanted w;
	int rc;

	wanted_read(&w, n, requests);
	status = wanted_statuses(&w, status);
	wanted_begin(&w, &c);
	rc = PMPI("Waitany", (int, handle *, int *, void *), n, requests, index, status);
	record_end(&c, rc);
	if (rc == MPI_OK)
		complete_several(&w, 1, index, status);
	wanted_done(&w);
	return rc;
}

MPI_WRAPPER MPI_Waitsome(int n, handle *requests, int *n_done, int *indices, void *statuses);
MPI_WRAPPER MPI_Waitsome(int n, handle *requests, int *n_done, int *indices, void *statuses)
{
	struct call c = {.op = MPI_OP_WAITSOME, .any = true, .site = PLACE};
	struct wanted w;
	int rc;

	wanted_read(&w, n, requests);
	statuses = wanted_statuses(&w, statuses);
	wanted_begin(&w, &c);
	rc = PMPI("Waitsome", (int, handle *, int *, int *, void *), n, requests, n_done, indices,
		statuses);
	record_end(&c, rc);
	if (rc == MPI_OK)
		complete_several(&w, *n_done, indices, statuses);
	wanted_done(&w);
	return rc;
}

/* ---- Asking ---- */

MPI_WRAPPER MPI_Test(handle *request, int *flag, void *status);
MPI_WRAPPER MPI_Test(handle *request, int *flag, void *status)
{
	struct wanted w;
	int rc;

	wanted_read(&w, 1, request);
	status = wanted_statuses(&w, status);
	rc = PMPI("Test", (handle *, int *, void *), request, flag, status);
	if (rc == MPI_OK && *flag)
		complete_several(&w, 1, NULL, status);
	wanted_done(&w);
	return rc;
}

MPI_WRAPPER MPI_Testall(int n, handle *requests, int *flag, void *statuses);
MPI_WRAPPER MPI_Testall(int n, handle *requests, int *flag, void *statuses)
{
	struct wanted w;
	int rc;

	wanted_read(&w, n, requests);
	statuses = wanted_statuses(&w, statuses);
	rc = PMPI("Testall", (int, handle *, int *, void *), n, requests, flag, statuses);
	if (rc == MPI_OK && *flag)
		complete_several(&w, w.n, NULL, statuses);
	wanted_done(&w);
	return rc;
}

MPI_WRAPPER MPI_Testany(int n, handle *requests, int *index, int *flag, void *status);
MPI_WRAPPER MPI_Testany(int n, handle *requests, int *index, int *flag, void *status)
{
	struct wanted w;
	int rc;

	wanted_read(&w, n, requests);
	status = wanted_statuses(&w, status);
	rc = PMPI(
		"Testany", (int, handle *, int *, int *, void *), n, requests, index, flag, status);
	if (rc == MPI_OK && *flag)
		complete_several(&w, 1, index, status);
	wanted_done(&w);
	return rc;
}

MPI_WRAPPER MPI_Testsome(int n, handle *requests, int *n_done, int *indices, void *statuses);
MPI_WRAPPER MPI_Testsome(int n, handle *requests, int *n_done, int *indices, void *statuses)
{
	struct wanted w;
	int rc;

	wanted_read(&w, n, requests);
	statuses = wanted_statuses(&w, statuses);
	rc = PMPI("Testsome", (int, handle *, int *, int *, void *), n, requests, n_done, indices,
		statuses);
	if (rc == MPI_OK && *n_done > 0)
		complete_several(&w, *n_done, indices, statuses);
	wanted_done(&w);
	return rc;
}

/* ---- Starting, cancelling and freeing ---- */

static void started(handle h)
{
	struct request r;

	if (!request_get(h, &r))
		return;
	request_flag(h, REQUEST_ACTIVE, REQUEST_CANCELLED);
	record_message(r.need.role == MPI_ROLE_RECV ? MPI_POSTED : MPI_SENT, r.need.comm,
		r.need.peer, r.need.tag, r.site);
}

MPI_WRAPPER MPI_Start(handle *request);
MPI_WRAPPER MPI_Start(handle *request)
{
	if (abi()->known)
		started(abi_request(request, 0));
	return PMPI("Start", (handle *), request);
}

MPI_WRAPPER MPI_Startall(int n, handle *requests);
MPI_WRAPPER MPI_Startall(int n, handle *requests)
{
	for (int i = 0; i < n && abi()->known; i++)
		started(abi_request(requests, i));
	return PMPI("Startall", (int, handle *), n, requests);
}

MPI_WRAPPER MPI_Cancel(handle *request);
MPI_WRAPPER MPI_Cancel(handle *request)
{
	if (abi()->known)
		request_flag(abi_request(request, 0), REQUEST_CANCELLED, 0);
	return PMPI("Cancel", (handle *), request);
}

/* A receive that is freed may still take a message: it stays posted. */
MPI_WRAPPER MPI_Request_free(handle *request);
MPI_WRAPPER MPI_Request_free(handle *request)
{
	handle h = abi()->known ? abi_request(request, 0) : 0;
	int rc = PMPI("Request_free", (handle *), request);

	if (rc == MPI_OK)
		request_remove(h);
	return rc;
}
