/* flight.c - whether bytes are under way in the TCP connections that a thread waits for. */
/* SPDX-License-Identifier: MIT */
#include "tracer/sock/flight.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"
#include "tracer/sock/diag.h"

/* The connections of a wait, and a process on either side: of one that nobody has accepted, one that could. */
static const char sql[] =
	"SELECT p.local, p.remote, s.side, instr(s.mode, 'r'), instr(s.mode, 'w'), o.pid,"
	" coalesce("
	"  (SELECT q.pid FROM pipe_end e JOIN process q ON q.id = e.process_id WHERE e.pipe_id = p.id"
	"    AND (e.side <> s.side OR p.local = p.remote) AND e.close_ns IS NULL AND q.end_ns IS NULL LIMIT 1),"
	"  (SELECT q.pid FROM pipe_end e JOIN process q ON q.id = e.process_id"
	"    WHERE e.pipe_id = p.listener_id AND e.close_ns IS NULL AND q.end_ns IS NULL LIMIT 1))"
	" FROM (SELECT pipe_id, side, iif(reason = 'pipe-read', 'r', 'w') AS mode FROM wait"
	"        WHERE id = ?1 AND reason IN ('pipe-read', 'pipe-write')"
	"       UNION ALL SELECT pipe_id, side, mode FROM wait_on WHERE wait_id = ?1) s"
	" JOIN pipe p ON p.id = s.pipe_id AND p.kind = 'tcp'"
	" JOIN wait w ON w.id = ?1 JOIN thread t ON t.id = w.thread_id JOIN process o ON o.id = t.process_id";

/* An open door: processes mostly share one network namespace. */
struct door {
	pid_t pid;
	uint64_t netns;
	int fd;
};

static void door_close(struct door *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}

static int door_to(struct door *d, pid_t pid)
{
	uint64_t netns;

	if (d->fd >= 0 && d->pid == pid)
		return d->fd;
	netns = sock_diag_netns(pid);
	if (d->fd < 0 || !netns || netns != d->netns) {
		door_close(d);
		d->fd = sock_diag_open(pid);
	}
	d->pid = pid;
	d->netns = netns;
	return d->fd;
}

struct doors {
	struct door own, other;
};

static void doors_close(struct doors *d)
{
	door_close(&d->own);
	door_close(&d->other);
}

static bool is_quiet(struct doors *doors, sqlite3_stmt *row, struct buf *out)
{
	bool is_second = query_int(row, 2, 0) != 0;
	struct socket_place local, remote;
	struct diag_tcp own, other;

	if (!sock_diag_parse(query_text(row, is_second), &local) ||
		!sock_diag_parse(query_text(row, !is_second), &remote) ||
		sock_diag_find(door_to(&doors->own, (pid_t)query_int(row, 5, 0)), &local, &remote,
			&own) != 0 ||
		sock_diag_find(door_to(&doors->other, (pid_t)query_int(row, 6, 0)), &remote, &local,
			&other) != 0)
		return false;
	if (!sock_diag_is_stuck(&own, &other, query_int(row, 3, 0) != 0, query_int(row, 4, 0) != 0))
		return false;
	buf_addf(out, "tcp %u %u %u %u\n", own.unread, own.unacked, other.unread, other.unacked);
	return true;
}

bool flight_none(struct sqlite3 *db, int64_t wait_id, struct buf *out, struct buf *why)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct doors doors = {.own = {.fd = -1}, .other = {.fd = -1}};
	int rc = query_one(db, sql, wait_id, &stmt, why);
	bool none = true;

	for (; none && rc > 0; rc = query_step(stmt, why))
		none = is_quiet(&doors, stmt, out);
	doors_close(&doors);
	return none && rc == 0;
}
