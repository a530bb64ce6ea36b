/* naming_pipe.c - names of pipes, for people: what they are and who is at their ends. */
/* SPDX-License-Identifier: MIT */
#include "verdict/naming.h"

#include "base/buf.h"
#include "base/mem.h"
#include "schema/query.h"

static const char pipe_sql[] = "SELECT kind, path, name FROM pipe WHERE id = ?1";
/*
 * The programs that hold an end, or held it until they ended, but for those that hold the opposite one as well; and
 * whether somebody else held it longer: who ended first need not have used it.
 */
#define KEPT_SQL(end) "(" end ".close_ns IS NULL OR " end ".close_via = 'exit')"
#define LAST_SQL "max(coalesce(close_ns, 9223372036854775807))"
#define HOLDERS_SQL(own, other)                                                                           \
	"SELECT count(DISTINCT coalesce(q.program, q.name)), max(coalesce(q.program, q.name)), " LAST_SQL \
	" < (SELECT " LAST_SQL " FROM pipe_end WHERE pipe_id = ?1 AND " own ") FROM"                      \
	" (SELECT * FROM pipe_end WHERE pipe_id = ?1 AND " own ") e JOIN process q"                       \
	" ON q.id = e.process_id WHERE " KEPT_SQL(                                                        \
		"e") " AND NOT EXISTS (SELECT 1 FROM pipe_end o WHERE o.pipe_id = ?1 AND " other          \
		     " AND o.process_id = e.process_id AND " KEPT_SQL("o") ")"
static const char writer_sql[] = HOLDERS_SQL("instr(mode, 'w')", "instr(o.mode, 'r')");
static const char reader_sql[] = HOLDERS_SQL("instr(mode, 'r')", "instr(o.mode, 'w')");
static const char left_sql[] = HOLDERS_SQL("side = 0", "o.side = 1");
static const char right_sql[] = HOLDERS_SQL("side = 1", "o.side = 0");
/* Where all hold both ends: those who hold one end, and do not wait for what comes out of the other. */
#define OTHERS_SQL(own, reason)                                                                    \
	"SELECT count(DISTINCT coalesce(q.program, q.name)), max(coalesce(q.program, q.name)), 0"  \
	" FROM pipe_end e JOIN process q ON q.id = e.process_id WHERE e.pipe_id = ?1 AND " own     \
	" AND " KEPT_SQL("e") " AND e.process_id NOT IN (SELECT t.process_id FROM wait w"          \
			      " JOIN thread t ON t.id = w.thread_id WHERE w.end_ns IS NULL"        \
			      " AND w.pipe_id = ?1 AND w.reason = '" reason "')"
/* Or where they all run one program, whichever of them it is. */
#define ANY_SQL(own)                                                                               \
	"SELECT count(DISTINCT coalesce(q.program, q.name)), max(coalesce(q.program, q.name)), 0"  \
	" FROM pipe_end e JOIN process q ON q.id = e.process_id WHERE e.pipe_id = ?1 AND " own     \
	" AND " KEPT_SQL("e")
/* Whether a program of a name (?2) does. */
#define NAMED_SQL(own)                                                                                 \
	"SELECT 1 FROM pipe_end e JOIN process q ON q.id = e.process_id WHERE e.pipe_id = ?1 AND " own \
	" AND " KEPT_SQL("e") " AND coalesce(q.program, q.name) = ?2 LIMIT 1"
static const char named_writer_sql[] = NAMED_SQL("instr(e.mode, 'w')");
static const char named_reader_sql[] = NAMED_SQL("instr(e.mode, 'r')");
static const char any_writer_sql[] = ANY_SQL("instr(e.mode, 'w')");
static const char any_reader_sql[] = ANY_SQL("instr(e.mode, 'r')");
static const char any_left_sql[] = ANY_SQL("side = 0");
static const char any_right_sql[] = ANY_SQL("side = 1");
static const char other_writer_sql[] = OTHERS_SQL("instr(e.mode, 'w')", "pipe-read");
static const char other_reader_sql[] = OTHERS_SQL("instr(e.mode, 'r')", "pipe-write");

int naming_check_pipes(struct sqlite3 *db, struct buf *why)
{
	static const char *const list[] = {pipe_sql, writer_sql, reader_sql, left_sql, right_sql,
		named_writer_sql, named_reader_sql, any_writer_sql, any_reader_sql, any_left_sql,
		any_right_sql, other_writer_sql, other_reader_sql};

	return query_check(db, list, ARRAY_SIZE(list), why);
}

static void add_name(struct buf *b, const char *name)
{
	buf_add_printable(b, name, strlen(name));
}

/* Adds the program of the only row; false: there are several, or none, or the last column says that others count more. */
static bool add_only(struct buf *b, struct sqlite3 *db, int64_t id, const char *sql)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_one(db, sql, id, &stmt, &why) != 1 || query_int(stmt, 0, 0) != 1 ||
		query_int(stmt, 2, 0))
		return false;
	add_name(b, query_text(stmt, 1));
	return true;
}

/* Adds the program that alone holds a side, or the only one that does if all of them hold both; "?": nobody, or several. */
static void add_holder(
	struct buf *b, struct sqlite3 *db, int64_t id, const char *only, const char *any)
{
	if (!add_only(b, db, id, only) && !add_only(b, db, id, any))
		buf_addc(b, '?');
}

/* Says whether a program of this name holds an end of a pipe, or held it until it ended. */
static bool is_holder(struct sqlite3 *db, int64_t id, const char *sql, const char *name, size_t len)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (query_open(db, sql, &stmt, &why))
		return true;
	query_bind_int(stmt, 1, id);
	(void)sqlite3_bind_text(stmt, 2, name, (int)len, SQLITE_STATIC);
	return query_step(stmt, &why) != 0;
}

/* The queries that tell who has an end: of this program, the only one, the only one beside those that wait at the other end, any. */
struct end_names {
	const char *named, *only, *other, *any;
};

/*
 * Adds the program at one end. The one that was written down (len bytes, "?": none) used it first; it may have executed another
 * one since. Who has not used an end yet may hold it.
 */
static void add_program(struct buf *b, struct sqlite3 *db, int64_t id, const struct end_names *sql,
	const char *name, size_t len)
{
	bool known = len != 1 || *name != '?';

	if (known && is_holder(db, id, sql->named, name, len)) {
		buf_add_printable(b, name, len);
		return;
	}
	if (add_only(b, db, id, sql->only) ||
		(!known && (add_only(b, db, id, sql->other) || add_only(b, db, id, sql->any))))
		return;
	buf_add_printable(b, name, len);
}

/* "pipe 3 (ls -> sort)" */
static void add_pipe_name(struct buf *b, struct sqlite3 *db, int64_t id, const char *name)
{
	static const char arrow[] = " -> ";
	static const struct end_names writers = {named_writer_sql, writer_sql, other_writer_sql,
					      any_writer_sql},
				      readers = {named_reader_sql, reader_sql, other_reader_sql,
					      any_reader_sql};
	const char *from = strstr(name, " ("), *to = from ? strstr(from, arrow) : NULL;
	size_t len = strlen(name);

	if (!to || name[len - 1] != ')') {
		add_name(b, name);
		return;
	}
	from += 2;
	buf_add_printable(b, name, (size_t)(from - name));
	add_program(b, db, id, &writers, from, (size_t)(to - from));
	buf_adds(b, arrow);
	to += strlen(arrow);
	add_program(b, db, id, &readers, to, (size_t)(name + len - 1 - to));
	buf_addc(b, ')');
}

/* "socketpair 3 (client <-> server)": what one side writes the other reads, and the other way round. */
static void add_socketpair(struct buf *b, struct sqlite3 *db, int64_t id)
{
	_cleanup_buf_ struct buf sides = BUF_INIT;

	add_holder(&sides, db, id, left_sql, any_left_sql);
	buf_adds(&sides, " <-> ");
	add_holder(&sides, db, id, right_sql, any_right_sql);
	buf_addf(b, "socketpair %lld", (long long)id);
	if (strcmp(sides.data, "? <-> ?") != 0)
		buf_addf(b, " (%s)", sides.data);
}

void naming_pipe(struct buf *b, struct sqlite3 *db, int64_t id)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	const char *kind, *path, *name;

	if (query_one(db, pipe_sql, id, &stmt, &why) != 1) {
		buf_adds(b, "pipe ?");
		return;
	}
	kind = query_text(stmt, 0);
	path = query_text(stmt, 1);
	name = query_text(stmt, 2);
	if (!strcmp(kind, "fifo")) {
		buf_adds(b, "FIFO ");
		if (*path)
			add_name(b, path);
		else
			buf_addf(b, "%lld", (long long)id);
	} else if (!strcmp(kind, "socketpair")) {
		add_socketpair(b, db, id);
	} else if (*name) {
		add_pipe_name(b, db, id, name);
	} else {
		add_name(b, kind);
		buf_addf(b, " %lld", (long long)id);
	}
}
