/* place.h - where in its program a thread is: a line, and the callers that tell it from others. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_PLACE_H
#define VERDICT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct sqlite3;

/*
 * The places of one finding or list. Threads that lock through a function of the program's own (my_lock(&m)) are
 * all at the same line of it: such a place is shown with as many of its callers as it takes to tell it from the
 * others.
 */
struct places;

/* Returns none yet, of a database that is borrowed; freed with places_free, which accepts NULL. */
struct places *places_new(struct sqlite3 *db);
void places_free(struct places *p);

/* Adds a place: site.id, and the id of its stack in frame (0: none was taken). Site 0: nothing is added. */
void places_add(struct places *p, int64_t site_id, int64_t stack_id);

/* Adds " at lock.c:5 (my_lock), called from bank.c:30 (transfer)" of a place; nothing if the site is not known. */
void places_describe(struct buf *b, struct places *p, int64_t site_id, int64_t stack_id);

/*
 * Calls each for every frame of a stack from the innermost on, those of libraries too. site_id is valid
 * during the call.
 */
void place_frames(struct sqlite3 *db, int64_t stack_id,
	void (*each)(void *arg, int64_t site_id, bool is_library), void *arg);

/* Adds every frame of a stack, a line each: indent, "at bank.c:30 (transfer)". */
void place_add_lines(struct buf *b, struct sqlite3 *db, int64_t stack_id, const char *indent);

/* Adds the frames as a JSON array: [{"function":...,"file":...,"line":...,"module":...,"offset":...,"library":false},...]. */
void place_add_json(struct buf *b, struct sqlite3 *db, int64_t stack_id);

#endif
