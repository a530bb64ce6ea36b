# consistency.sh - what must agree does: includes, headers, first lines, lists, documents.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/lib_source.sh"

begin "only cli/ prints or exits"
# Comments and texts are taken out first. A stream for libbpf's own words is its user's wish.
none "output or exit below cli/" "$(files 'schema/*.c' 'verdict/*.c' 'tracer/*.c' 'viewer/*.c' | xargs awk '
	{
		line = $0
		if (comment) { if (!sub(/^.*\*\//, "", line)) next; comment = 0 }
		gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
		gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
		if (sub(/\/\*.*/, "", line)) comment = 1
		if (line ~ /(^|[^a-z_])(printf|puts|perror|vprintf|errx?|warnx?|exit)\(/ || line ~ /fprintf\(std(out|err)/)
			print FILENAME ":" FNR ": " line
	}')"
end

# misnamed: of the files that standard input names those whose first line does not name them.
misnamed()
{
	first_lines 1 '
	{ name = FILENAME; sub(/.*\//, "", name); start = "/* " name " - "
	  if (index($0, start) != 1 || substr($0, length(start) + 1) !~ /^.+\. \*\/$/) print FILENAME }'
}

# unlicensed: the same of those without a licence in the three lines after it.
unlicensed()
{
	first_lines 4 '
	/SPDX-License-Identifier/ { found[FILENAME] } END { for (i = 1; i < ARGC; i++) if (!(ARGV[i] in found)) print ARGV[i] }'
}

begin "every first line names its file"
none "first lines" "$(files '*.c' '*.h' '*.def' '*.S' | misnamed)"
none "no licence in the first lines" "$(files '*.c' '*.h' '*.sh' | unlicensed)"
# The checks find what they are there to find.
printf '%s\n' '/* a.c - good. */' '/* SPDX-License-Identifier: MIT */' >"$TMP/a.c"
printf '%s\n' '/* a.c - of another. */' 2 3 4 '/* SPDX-License-Identifier: MIT */' >"$TMP/b.c"
printf '%s\n' '/* c.c - without a full stop */' >"$TMP/c.c"
expect_eq "$(printf '%s\n' "$TMP"/{a,b,c}.c | misnamed | xargs)" "$TMP/b.c $TMP/c.c" "wrong first lines"
expect_eq "$(printf '%s\n' "$TMP"/{a,b,c}.c | unlicensed | xargs)" "$TMP/b.c $TMP/c.c" "files without a licence"
end

begin "layout: clang-format changes nothing, no line is too long"
if command -v clang-format >/dev/null; then
	none "make format would change" "$(files '*.c' '*.h' | xargs clang-format --dry-run 2>&1 |
		sed -n 's/^\([^:]*\):[0-9].*/\1/p' | sort -u)"
else
	skip "clang-format is not installed"
fi
end

begin "no words that mean nothing to a reader"
none "words of a workshop" "$(files '*.c' '*.h' '*.def' '*.sql' '*.sh' '*.md' '*.in' '*.awk' '*.txt' Makefile |
	grep -v 'tests/check/consistency.sh' |
	xargs grep -nE '\b(TODO|FIXME|XXX)\b' |
	grep -v 'XXXXXX' | head -20)"
end

begin "no phrase that readers stumbled on has come back"
none "phrases of tests/check/phrases.txt" "$(files | grep -v '^tests/check/phrases.txt$' | xargs grep -nIiE "$(grep -v '^#' tests/check/phrases.txt | paste -sd'|')")"
end

begin "no switch hides a missing case from the compiler"
none "switches over a cast" "$(files '*.c' '*.h' | xargs grep -nF 'switch ((int)')"
end

begin "event kinds: numbers are unique, names are the same in both cases"
numbers=$(sed -nE 's/^EVENT\([A-Z_0-9]+, [a-z_0-9]+, ([0-9]+),.*/\1/p' schema/events.def | sort -n)
expect_eq "$(echo "$numbers" | uniq -d)" "" "numbers used twice"
none "names that differ" "$(sed -nE 's/^EVENT\(([A-Z_0-9]+), ([a-z_0-9]+),.*/\1 \2/p' schema/events.def | awk 'tolower($1) != $2')"
none "TEXT sizes that are no multiple of 8" "$(grep -oE 'TEXT\([a-z_0-9]+, [0-9]+' schema/events.def |
	awk '{ if ($2 % 8) print }')"
expect_eq "$(sed -nE 's/^WAIT\([A-Z_]+, ([0-9]+),.*/\1/p' schema/waits.def | sort -n | uniq -d)" "" "wait numbers used twice"
end

begin "wait reasons: who can be stuck has a provider, and the SQL view knows who waits for all"
# One line a reason: name, provider, mode.
awk '/^WAIT\(/ { if (row) print row; row = "" } /^WAIT\(|^\t/ { row = row " " $0 } END { print row }' schema/waits.def |
	sed -nE 's/^ *WAIT\([A-Z_]+, [0-9]+, "([a-z-]+)", ([a-z_]+),(.*)/\1 \2 \3/p' |
	sed -E 's/^([^ ]+ [^ ]+) .*\.mode = MODE_([A-Z]+).*/\1 \2/; t; s/^([^ ]+ [^ ]+) .*/\1 LIVE/' >"$TMP/reasons"
[ "$(wc -l <"$TMP/reasons")" -gt 20 ] || fail "only $(wc -l <"$TMP/reasons") reasons were found"
none "reasons whose provider does not fit their mode" "$(awk '($2 == "outside") != ($3 == "LIVE")' "$TMP/reasons")"
expect_eq "$(sed -nE "s/.*WHEN w.reason IN \((.*)\)$/\1/p" schema/sql/wait_for.sql | tr -d "' " | tr ',' '\n' | sort)" \
	"$(awk '$3 == "ALL" { print $1 }' "$TMP/reasons" | sort)" "reasons that wait for all, in schema/sql/wait_for.sql"
end

begin "system calls: the eBPF programs have each handler and use each kind of calls.def"
expect_eq "$(sed -nE 's/^HANDLER\((\w+), (\w+)\).*/\1 \2/p' schema/calls.def | sort)" \
	"$(grep -rhoE '^HANDLER_(ENTER|ENDS|EXIT|WAIT)\(\w+' probes/ebpf | sed 's/^HANDLER_//; s/(/ /' | sort)" "handlers in calls.def, and in probes/ebpf"
none "kinds that no CALL has" "$(sed -nE 's/^KIND\((\w+)\)/\1/p' schema/calls.def | while read -r kind; do
	grep -qE "^CALL\(\w+, $kind," schema/calls.def || echo "$kind"
done)"
end

begin "every rule has a demo and a lesson, every demo of a rule a healthy twin"
sed -nE 's/^RULE\([A-Z_]+, "([^"]*)".*, "([^"]*)", rule_[a-z_]+\)$/\1 \2/p' schema/findings.def >"$TMP/rules"
expect_eq "$(wc -l <"$TMP/rules")" "$(grep -c '^RULE(' schema/findings.def)" "rules that could be read"
while read -r rule demo; do
	[ -f "doc/rules/$rule.txt" ] || fail "$rule: there is no doc/rules/$rule.txt"
	# A demo of MPI would need an MPI library: tests/mpi has the programs.
	[ "$demo" ] || [ "${rule#mpi-}" = "$rule" ] || continue
	file=$(echo demos/*/"$demo.c")
	[ -f "$file" ] || { fail "$rule: there is no $file"; continue; }
	grep -q -- '--fixed' "$file" || fail "$file has no --fixed"
done <"$TMP/rules"
end

begin "MPI: calls from Fortran reach every wrapper"
expect_eq "$(nm -D --defined-only "$BUILD/libpptrace-mpi.so" | sed -nE 's/.* T PMPI_//p' | sort)" \
	"$(nm -D --defined-only "$BUILD/libpptrace-mpi.so" | sed -nE 's/.* T MPI_//p' | sort)" "names of fortran.c, and the wrappers"
end

begin "SQL statements are made by schema/query, but those of a user and those that insert rows by the million"
none "files with statements of their own" "$(files '*.c' | grep -v '^tests/\|^schema/query.c\|^tracer/store/insert.c\|^cli/cmd_query.c' |
	xargs grep -lE 'sqlite3_prepare' | sort)"
none "connections that are closed while statements are kept" "$(files '*.[ch]' | grep -v '^schema/db.c\|^tools/\|^tests/unit/schema/db.c' | xargs grep -lE 'sqlite3_close' | sort)"
end

begin "what a recording holds can be read by SQLite of Debian 11"
sed 's/--.*//' "$ROOT"/schema/sql/*.sql |
	grep -nE 'MATERIALIZED|RETURNING|(RIGHT|FULL) (OUTER )?JOIN|IS (NOT )?DISTINCT|->|string_agg|\b(format|unixepoch|concat|concat_ws)\(' >out &&
	fail "newer than 3.34" "$(cat out)"
end

begin "every table and column of the schema says what it is"
none "columns without a comment" "$(awk '
	/^CREATE TABLE/ { if ($0 !~ /-- /) print; inside = 1; next }
	/^\)/ { inside = 0 }
	inside && /^    [a-z_]+ .*[,A-Z)]/ && $0 !~ /-- / && $0 !~ /^    (PRIMARY|id |end_ns|start_ns|fd |signo|pid )/ &&
		$0 !~ /REFERENCES/ && $0 !~ /_(id|ns) INTEGER/ { print FILENAME ": " $0 }' schema/sql/schema.sql)"
end

begin "the file format: what it has is what 1.0 had, and what minor versions added; nothing is gone"
numbers=$(sed -nE 's/^MINOR\(([0-9]+),.*/\1/p' schema/versions.def)
expect_eq "$numbers" "$(seq "$(echo "$numbers" | wc -l)")" "numbers of minor versions, from 1 on"
columns="SELECT m.name || '.' || p.name FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY 1"
sqlite3 :memory: ".read schema/sql/schema.sql" "$columns" | LC_ALL=C sort >"$TMP/now"
# A table that was added stands for all of its columns.
grep -oE '"[^"]*"' schema/versions.def | tr -d '"' | tr ' ' '\n' | grep . >"$TMP/added"
awk -F. 'FILENAME == ARGV[1] { added[$0]; next } ($0 in added) || ($1 in added)' "$TMP/added" "$TMP/now" |
	LC_ALL=C sort - tests/check/columns-1.0.txt >"$TMP/told"
none "columns that are in schema.sql (+) and not in versions.def, or the other way round (-)" "$(diff -u "$TMP/told" "$TMP/now" | grep '^[-+][a-z]')"
grep -q "^It is 1\.$(echo "$numbers" | tail -1)\. " CHANGELOG.md || fail "CHANGELOG.md does not say that the file format is 1.$(echo "$numbers" | tail -1)"
none "added, but not in schema.sql" "$(while read -r item; do grep -q "^$item\(\.\|\$\)" "$TMP/now" || echo "$item"; done <"$TMP/added")"
end

begin "CHANGELOG: each change is there once, under its topic"
none "changes that are there twice" "$(grep '^- ' CHANGELOG.md | cut -c1-60 | sort | uniq -d)"
none "changes under no topic" "$(awk '/^##/ { loose = /^## Unreleased/ || /^### (Added|Changed|Fixed)/ } /^\*\*/ { loose = 0 } loose && /^- /' CHANGELOG.md)"
end

begin "releases of languages that can be read: README and manual say those of the code"
vm=tracer/runtime/hotspot/vm.c
hotspot="HotSpot $(grep -oP 'OLDEST = \K\d+' $vm) to $(grep -oP 'NEWEST = \K\d+' $vm)"
for file in README.md doc/pptrace.1.in; do
	grep -q "$hotspot" $file || fail "$file does not say $hotspot"
	none "releases of CPython that $file does not name" "$(sed -nE 's/^LAYOUT\(3, ([0-9]+),.*/3\\.\1/p' tracer/runtime/cpython_layout.def |
		while read -r release; do tr '\n' ' ' <$file | grep -q "CPython [^)]*$release\b" || echo "$release"; done)"
done
end

begin "prepared queries: each file is listed, each line has its file"
listed=$(sed -nE 's/^QUERY\(([a-z_]+)\)/\1/p' schema/queries/queries.def | sort)
there=$(files 'schema/queries/*.sql' | sed -E 's|.*/(.*)\.sql|\1|' | sort)
expect_eq "$listed" "$there" "schema/queries/queries.def"
end

begin "help, README and manual name the same commands"
commands=$("$PPTRACE" help | awk '/^  / { print $1 }')
listed=$(printf '#define COMMAND(name) @ name\n#include "cli/commands.def"\n' | ${CC:-cc} -E -P -I. - |
	grep -oE '@ [a-z]+' | cut -c3-)
expect_eq "$commands" "$listed" "commands of pptrace help"
for c in $(grep -ohE '`?(build/)?pptrace [a-z]+' README.md doc/*.md doc/pptrace.1.in 2>/dev/null |
	sed -nE 's/`(build\/)?pptrace ([a-z]+)/\2/p' | sort -u); do
	echo "$commands" | grep -qx "$c" || fail "a document speaks of 'pptrace $c', which is no command"
done
for c in $commands; do
	grep -q "^.SS \"pptrace $c" "$BUILD/pptrace.1" || fail "the manual does not know $c"
done
# Options that documents mention exist.
"$PPTRACE" help --man | sed 's/\\f[BIR]//g; s/\\//g' | grep -oE -- '--[a-z][a-z-]+' | sort -u >"$TMP/options"
for o in $(grep -ohE '`[^`]*pptrace[^`]*`|^    (build/)?pptrace .*|`--[a-z][a-z-]+[^`]*`' README.md doc/*.md 2>/dev/null |
	grep -oE -- ' --[a-z][a-z-]+|`--[a-z][a-z-]+' | tr -d ' `' | sort -u); do
	grep -qx -- "$o" "$TMP/options" || grep -rqF -- "\"$o\"" demos || [ "$o" = --version ] ||
		fail "a document speaks of $o, which no command has"
done
if command -v man >/dev/null; then
	none "warnings of the manual" "$(man --warnings -l "$BUILD/pptrace.1" 2>&1 >/dev/null | head -5)"
fi
end

begin "queries that documents show are answered; the manual shows examples as they are typed"
(cd "$TMP" && fixture pipeline)
awk '/^    .*pptrace query "/ {
	query = $0
	while (gsub(/"/, "\"", query) < 2 && (getline line) > 0) query = query " " line
	sub(/^[^"]*"/, "", query); sub(/"[^"]*$/, "", query); print query
}' README.md doc/*.md >"$TMP/queries"
[ "$(wc -l <"$TMP/queries")" -ge 5 ] || fail "only $(wc -l <"$TMP/queries") queries were found"
while read -r query; do
	run "$PPTRACE" query "$query" "$TMP/pipeline.db"
	[ "$status" = 0 ] || fail "$query" "$(show)"
done <"$TMP/queries"
if command -v man >/dev/null; then
	MANWIDTH=1000 man -l "$BUILD/pptrace.1" 2>/dev/null | col -bx | sed 's/^ *//' >"$TMP/manual"
	for c in $("$PPTRACE" help | awk '/^  / { print $1 }'); do
		"$PPTRACE" help "$c" | awk 'examples && /^  pptrace/ { print substr($0, 3) } /^examples:/ { examples = 1 }'
	done >"$TMP/examples"
	[ "$(wc -l <"$TMP/examples")" -ge 30 ] || fail "only $(wc -l <"$TMP/examples") examples were found"
	none "examples that the manual does not show" "$(grep -vxFf "$TMP/manual" "$TMP/examples")"
fi
end

begin "the tour is what tools/tour.sh writes: all its prose and commands, and nothing else"
# Lines of documents and commands that are shown; what these print is not compared.
sed -n "/<<'END'/,/^END/p" tools/tour.sh | grep -v "^END\$\|<<'END'\$" | grep . >"$TMP/wanted"
grep -v '^    ' doc/tour.md | grep . >"$TMP/found"
expect_eq "$(diff "$TMP/wanted" "$TMP/found")" "" "prose of tools/tour.sh (<) and doc/tour.md (>)"
end

begin "said once: what a line of a list stands for is in one file, and nothing else names it"
# names LIST PATTERN: what the lines of a list call their functions.
names() { sed -nE "s/^$2.*/\1/p" "$1"; }
{
	names schema/events.def 'EVENT\([A-Z_0-9]+, ([a-z_0-9]+),' | sed 's/^/model_/'
	names schema/findings.def 'RULE\(.*, (rule_[a-z_]+)\)'
	names viewer/relations/pictures.def 'PICTURE\(([a-z]+),' | sed 's/$/_sketch/'
	names cli/commands.def 'COMMAND\(([a-z]+)\)' | sed 's/^/cmd_/'
} >"$TMP/names"
[ "$(wc -l <"$TMP/names")" -gt 70 ] || fail "only $(wc -l <"$TMP/names") names were found"
files 'base/*.[ch]' 'schema/*.[ch]' 'probes/*.[ch]' 'tracer/*.[ch]' 'verdict/*.[ch]' 'viewer/*.[ch]' 'cli/*.[ch]' |
	xargs awk '
	FILENAME == ARGV[1] { n[$1] = 0; next }
	/^( \*|\/\*)/ { next }
	{ k = split($0, word, /[^A-Za-z0-9_]+/); for (i = 1; i <= k; i++) if (word[i] in n && !seen[word[i], FILENAME]++) n[word[i]]++ }
	END { for (w in n) if (n[w] != 1) print w ": " n[w] " files" }' "$TMP/names" >"$TMP/wrong"
none "named by no file, or by more than one" "$(cat "$TMP/wrong")"
expect_eq "$(names viewer/relations/pictures.def 'PICTURE\(([a-z]+),' | sort)" "$(files 'viewer/relations/*.c' |
	xargs grep -l '^struct sketch \*[a-z]*_sketch(' | sed -nE 's|.*/(.*)\.c|\1|p' | sort)" "viewer/relations/pictures.def, and the files of pictures"
end

begin "the Debian package is built with what make deps installs"
for package in $(make -s -f - deps_of <<<$'include Makefile\ndeps_of:\n\t@echo $(DEPS_BUILD)'); do
	case $package in
	*\? | gcc | libc6-dev | make | graphviz) ;; # are there wherever a package is built, or only used when pptrace runs
	*) grep -qE "(^|[ ,])$package([ ,]|\$)" debian/control || fail "debian/control: no $package" ;;
	esac
done
end

begin "what is built says nothing of the folder in which it was built"
# The debug information of C has it, which a package maps away; what the kernel is given may not.
for object in "$BUILD"/gen/*.bpf.o; do
	[ -e "$object" ] || skip "built without eBPF"
	[ -e "$object" ] && grep -aqF "$ROOT/" "$object" && fail "$object has the path $ROOT"
done
end

begin "files that are embedded by the assembler are found by the fuzzers' build too"
command -v clang >/dev/null || skip "needs clang"
for f in $(command -v clang >/dev/null && git -C "$ROOT" grep -l '\.incbin' -- '*.c'); do
	run make -s -C "$ROOT" -W "$f" "build/fuzz/obj/${f%.c}.o"
	expect_status 0
done
end

begin "links of the documents lead somewhere"
for doc in $(files '*.md'); do
	for link in $(grep -oE '\]\([^)# ]+' "$doc" | cut -c3- | grep -v '^http'); do
		[ -e "$(dirname "$doc")/$link" ] || fail "$doc: $link is not there"
	done
done
end

begin "the references are what the code says"
tools/reference.sh "$TMP" || fail "tools/reference.sh failed"
for doc in schema.md events.md; do
	cmp -s "$TMP/$doc" "doc/$doc" || fail "doc/$doc is out of date: run tools/reference.sh" \
		"$(diff "doc/$doc" "$TMP/$doc" | head -10)"
done
end
