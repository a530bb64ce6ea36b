/* sql.c - the SQL texts of this folder, embedded. */
/* SPDX-License-Identifier: MIT */
#include "schema/db.h"

#include "base/embed.h"

EMBED("db_schema_sql", EMBED_FILE("schema/sql/schema.sql"));
EMBED("db_views_sql", EMBED_FILE("schema/sql/views.sql") EMBED_FILE("schema/sql/wait_for.sql"));
EMBED("db_index_sql", EMBED_FILE("schema/sql/index.sql"));
