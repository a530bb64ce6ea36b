/* watch.h - look for threads that can never proceed while the recording grows. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_WATCH_H
#define TRACER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct findings;
struct sqlite3;
struct watch;

/* Watches the database at path, which is borrowed. Waits shorter than least_ns accuse nobody. Freed with watch_free. */
struct watch *watch_new(const char *path, int64_t least_ns);
void watch_free(struct watch *w);

/* Returns the read connection, or NULL. */
struct sqlite3 *watch_reader(struct watch *w);

/*
 * Evaluates the wait-for graph as committed. Sets that were not reported
 * before are looked at once more: commit(arg) must drain and commit, and in
 * between no member may have moved. Returns true with the confirmed ones.
 */
bool watch_look(struct watch *w, int (*commit)(void *arg), void *arg, struct findings *ret);

#endif
