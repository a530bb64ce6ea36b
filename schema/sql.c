/* sql.c - the SQL texts of this folder, embedded. */
/* SPDX-License-Identifier: MIT */
#include "schema/db.h"

/* Puts the files one after the other under one symbol, with a NUL at the end. */
#define EMBED_BEGIN(symbol)                                                                        \
	__asm__(".section .rodata\n.global " symbol "\n.type " symbol ", @object\n" symbol ":\n")
#define EMBED_FILE(path) __asm__(".incbin \"" path "\"\n")
#define EMBED_END(symbol) __asm__(".byte 0\n.size " symbol ", .-" symbol "\n.previous\n")

/* The texts stay together: top-level asm keeps its order (-fno-toplevel-reorder). */
EMBED_BEGIN("db_schema_sql");
EMBED_FILE("schema/schema.sql");
EMBED_END("db_schema_sql");
EMBED_BEGIN("db_views_sql");
EMBED_FILE("schema/views.sql");
EMBED_FILE("schema/wait_for.sql");
EMBED_END("db_views_sql");
EMBED_BEGIN("db_index_sql");
EMBED_FILE("schema/index.sql");
EMBED_END("db_index_sql");
