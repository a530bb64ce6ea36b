/* sql.c - the SQL texts of this folder, embedded. */
/* SPDX-License-Identifier: MIT */
#include "schema/db.h"

#include "base/embed.h"

EMBED("db_schema_sql", EMBED_FILE("schema/schema.sql"));
EMBED("db_views_sql", EMBED_FILE("schema/views.sql") EMBED_FILE("schema/wait_for.sql"));
EMBED("db_index_sql", EMBED_FILE("schema/index.sql"));
