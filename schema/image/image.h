/* image.h - a trace file without rows, made by the build. */
/* SPDX-License-Identifier: MIT */
/* To be read in this order: make.c (how its tables and views are made), image.c (the bytes, made by tools/schema_image.c). */
#ifndef SCHEMA_IMAGE_IMAGE_H
#define SCHEMA_IMAGE_IMAGE_H

#include <stddef.h>

struct sqlite3;

/*
 * Tables and views, in WAL mode, all of it in the file and the -wal empty. To
 * change the mode SQLite needs the file for itself: one reader who came too
 * early would be enough to refuse it. Returns SQLite's code.
 */
int db_make_schema(struct sqlite3 *db);

/*
 * The file that db_make_schema makes, as bytes in pptrace: every recording begins with them, and SQLite needs 5 ms to
 * make them again. The size is 0 where the build could not run what makes them (CROSS).
 */
const void *db_image(size_t *ret_size);

#endif
