/* perfetto.h - a recording in Perfetto's own format. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_EXPORT_PERFETTO_H
#define VIEWER_EXPORT_PERFETTO_H

#include "viewer/export/chrome.h"

/*
 * Writes a Perfetto trace (perfetto.proto): the same as export_chrome, in about half the bytes. Holds of a lock are a track
 * below their thread's; an arrow is a flow between two instants. Returns as export_chrome.
 */
int export_perfetto(struct sqlite3 *db, const struct export_filter *filter, export_sink *sink,
	void *arg, struct buf *why);

#endif
