/* json.h - findings as JSON. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_JSON_H
#define VERDICT_JSON_H

struct buf;
struct finding;
struct sqlite3;

/* Adds an object with all that is known of a finding; its members with names, numbers and places. */
void verdict_json(struct buf *b, struct sqlite3 *db, const struct finding *f);

/* Adds an object about the recording: command, backend, complete, lost, blind spots. */
void verdict_json_trace(struct buf *b, struct sqlite3 *db, struct buf *why);

#endif
