#!/bin/sh
# reference.sh - write doc/schema.md and doc/events.md from the code that they describe.
# SPDX-License-Identifier: MIT
#
# usage: tools/reference.sh [FOLDER]     writes into FOLDER, doc/ if none is named
set -eu
cd "$(dirname "$0")/.."
out=${1:-doc}

# Tables and columns with their comments, from the SQL itself; then the views and queries by their first lines.
{
	cat <<'END'
# The recording

<!-- Made by tools/reference.sh from schema/sql/schema.sql, views.sql, wait_for.sql and queries/. -->

A recording is one SQLite file. All times are integer nanoseconds since its start; `trace.started_unix_ns` anchors them.
NULL means what the column's note says. `process.id` and `thread.id` are never used again, pids and tids are.

`PRAGMA user_version` holds 1000 &times; major + minor version of the format; a plain 1 is version 1.0. Within a major version
tables and columns are only added, each time with a new minor version ([below](#versions)), and keep their meaning. A reader may rely
on everything up to the minor version that it knows, and skips what it does not know.

END
	awk '
	function cell(s) { gsub(/\|/, "\\|", s); gsub(/</, "\\&lt;", s); return s }
	/^CREATE TABLE/ {
		name = $3
		about = $0; if (!sub(/^[^-]*-- /, "", about)) about = ""
		printf "## %s\n\n%s.\n\n| column | type | |\n|---|---|---|\n", name, toupper(substr(about, 1, 1)) cell(substr(about, 2))
		inside = 1; next
	}
	/^\)/ { if (inside) print ""; inside = 0; next }
	inside && /^    [a-z]/ {
		note = ""; line = $0
		if (i = index(line, "-- ")) { note = substr(line, i + 3); line = substr(line, 1, i - 1) }
		gsub(/^ +| +$/, "", line); sub(/,$/, "", line)
		n = split(line, parts, /, /)
		for (k = 1; k <= n; k++) {
			split(parts[k], w, " ")
			ref = ""
			if (match(parts[k], /REFERENCES [a-z_]+/)) ref = " &rarr; " substr(parts[k], RSTART + 11, RLENGTH - 11)
			printf "| `%s` | %s%s | %s |\n", w[1], (w[2] ~ /^[A-Z]+$/ && w[2] != "PRIMARY" ? tolower(w[2]) : ""), ref, k == n ? cell(note) : ""
		}
	}' schema/sql/schema.sql
	printf '## Views\n\n| view | a row is |\n|---|---|\n'
	sed -nE 's/^CREATE VIEW ([a-z_]+).*-- (.*)$/| `\1` | \2 |/p' schema/sql/views.sql schema/sql/wait_for.sql
	printf '\n## Versions\n\n| version | what it added |\n|---|---|\n| 1.0 | |\n'
	printf '%s\n' '#define MINOR(number, columns) @number@columns' '#include "schema/versions.def"' |
		${CC:-cc} -E -P -I. -x c - | tr -d '\n' | sed 's/@\([0-9]\)/\n@\1/g; s/"[[:space:]]*"//g' | tr -s '\n' | awk -F'[@"]' '
		NF > 3 { print "| 1." $2 " | `" in_ticks($4) "` |" }
		function in_ticks(s) { gsub(/ /, "`, `", s); return s }'
	printf '\n## Prepared queries\n\n`pptrace query NAME` runs them.\n\n| name | |\n|---|---|\n'
	sed -nE 's/^QUERY\(([a-z_]+)\)$/\1/p' schema/queries/queries.def | while read -r name; do
		printf '| `%s` | %s |\n' "$name" "$(head -1 "schema/queries/$name.sql" | sed 's/^-- //')"
	done
} >"$out/schema.md"

# Record kinds and their fields; the compiler's own preprocessor reads the list.
{
	cat <<'END'
# Records

<!-- Made by tools/reference.sh from schema/events.def. -->

What probes send to the tracer. Every record begins with its kind, size, flags, time (CLOCK_MONOTONIC, nanoseconds), and the
process and thread that it is about. A TEXT has room for so many bytes; all other fields are 64-bit numbers. 0 means "none"
or "not known" unless the field says otherwise. `pptrace run --dump-records=FILE` writes them as text.

END
	printf '%s\n' '#define EVENT(NAME, name, number, meaning, fields) @EVENT@NAME@number@meaning@ fields' \
		'#define NUM(name, meaning) @FIELD@name@number@meaning@' \
		'#define TEXT(name, size, meaning) @FIELD@name@TEXT size@meaning@' '#include "schema/events.def"' |
		${CC:-cc} -E -P -I. -x c - | tr -d '\n' | sed 's/@EVENT@/\n@EVENT@/g; s/@FIELD@/\n@FIELD@/g' |
		awk -F@ '
		function text(s) { gsub(/" +"/, "", s); gsub(/^ *"|" *$/, "", s); gsub(/\|/, "\\|", s); gsub(/</, "\\&lt;", s); return s }
		$2 == "EVENT" {
			if (any) print ""
			printf "## %s (%s)\n\n%s.\n", $3, $4, toupper(substr(text($5), 1, 1)) substr(text($5), 2)
			first = any = 1
		}
		$2 == "FIELD" {
			if (first) print "\n| field | | |\n|---|---|---|"
			first = 0
			printf "| `%s` | %s | %s |\n", $3, $4 == "number" ? "" : $4, text($5)
		}'
} >"$out/events.md"
