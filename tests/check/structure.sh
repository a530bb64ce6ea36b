# structure.sh - the layout of the source: who includes whom, doors, circles, headers that compile alone, sizes of folders.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/lib_source.sh"

# Every include of another folder: where it stands, its folder, the other folder, the header.
includes()
{
	files '*.[ch]' '*.S' '*.def' | grep -v '^tests/\|^demos/\|^bench/' |
		xargs grep -Hn '^[[:space:]]*#[[:space:]]*include "' |
		sed -nE 's|^(([^:]*)/[^/:]*:[0-9]+):.*include "([^"]*)/([^"/]*)".*|\1 \2 \3 \4|p' |
		awk '$2 != $3'
}

# breaches ROOMS DOORS INCLUDES: the includes that the table ROOMS does not allow.
breaches()
{
	awk '
	FILENAME == ARGV[1] {
		if (/^#/ || split($0, part, "|") < 2) next
		name = part[1]; gsub(/ /, "", name); known[name]
		n = split(part[2], list, " "); for (i = 1; i <= n; i++) may[name, list[i]]
		n = split(part[3], list, " "); for (i = 1; i <= n; i++) open[name, list[i]]
		next
	}
	FILENAME == ARGV[2] { has_door[$1]; next }
	{
		door = $3; sub(/.*\//, "", door); door = door ".h"
		if (!($2 in known)) print $1 ": the table does not know the folder " $2
		else if (!(($2, $3) in may)) print $1 ": " $2 " may not include from " $3
		else if (($3, $4) in open || $4 == door) next
		else if (index($2, $3 "/") == 1) next # what is in a folder knows its insides
		else if ($4 == "private.h") print $1 ": " $3 "/private.h is for its own folder and those in it"
		else if ($4 ~ /\.h$/ && $3 in has_door) print $1 ": " $3 "/" $4 " is not a door of its folder"
	}' "$1" "$2" "$3"
}

begin "each folder includes only from those that it builds on, and only their doors"
includes >"$TMP/includes"
files '*.h' | sed -nE 's|^((.*/)?([^/]+))/\3\.h$|\1|p' >"$TMP/doors"
[ "$(wc -l <"$TMP/includes")" -gt 500 ] || fail "only $(wc -l <"$TMP/includes") includes were found"
none "includes against tests/check/rooms.txt" "$(breaches tests/check/rooms.txt "$TMP/doors" "$TMP/includes")"
# The check finds what it is there to find.
printf '%s\n' 'viewer/tree/tree.c:1 viewer/tree tracer/model model.h' 'tracer/open.c:1 tracer tracer/model private.h' \
	'tracer/open.c:2 tracer tracer/model hold.h' 'new/x.c:1 new base mem.h' 'cli/x.c:1 cli tracer tracer.h' \
	'tracer/model/locks/x.c:1 tracer/model/locks tracer/model private.h' >"$TMP/wrong"
expect_eq "$(breaches tests/check/rooms.txt "$TMP/doors" "$TMP/wrong" | wc -l)" 4 "breaches found among six includes"
end

# unnamed FOLDER: what is wrong with the paragraph in one of its headers that says in which order to read its files.
unnamed()
{
	local door stem text listed
	door=$(grep -l 'To be read in this order' "$1"/*.h 2>/dev/null)
	[[ $door && $door != *$'\n'* ]] || { echo "$1: one header must say \"To be read in this order\", not: $door"; return; }
	[ ! -e "$1/${1##*/}.h" ] || [ "$door" = "$1/${1##*/}.h" ] || echo "$door: that is not the door of its folder"
	# The comment that has the words, in one line.
	text=$(awk '/^\/\*/ { text = "" } { text = text " " $0 } /\*\// { if (text ~ /To be read in this order/) print text; text = "" }' "$door")
	# One for each line of a list is led to by the list.
	listed=$(sed -nE 's/^(COMMAND|PICTURE)\((\w+).*/ \2 /p' "$1"/*.def 2>/dev/null)
	for stem in "$1"/*.[cS]; do
		stem=${stem##*/}
		stem=${stem%%.*}
		[[ $listed == *" ${stem#cmd_} "* || " $text " =~ [^a-zA-Z0-9_]${stem}[^a-zA-Z0-9_] ]] || echo "$door does not say when to read $stem"
	done
}

begin "each folder's door names its files in the order in which to read them"
none "files that a reader is not led to" "$(files '*.c' '*.S' | grep -v '^tests/\|^demos/\|^bench/\|^tools/' | sed 's|/[^/]*$||' |
	sort -u | while read -r d; do unnamed "$d"; done)"
end

begin "no files call each other in a circle, in one folder or across folders"
tools/circles.sh >"$TMP/circles" 2>&1 || fail "circles of calls:" "$(head -30 "$TMP/circles")"
# The check finds what it is there to find.
fake()
{
	mkdir -p "$TMP/fake/${1%/*}"
	echo "void $2(void); void $3(void); void $2(void) { $3(); }" | ${CC:-cc} -x c -c -o "$TMP/fake/$1.o" -
}
fake base/mem one two && fake schema/db two three && fake base/buf three one
expect_eq "$(BUILD=$TMP/fake tools/circles.sh | head -1 | tr ' ' '\n' | sort | xargs)" "base/buf base/mem pptrace: schema/db" "a circle of three files"
end

# misplaced HEADER: the functions that stand there under "---- What it is (file.c) ----" and that file.c does not define.
misplaced()
{
	awk '
	/^\/\* ---- / { file = match($0, /\([a-z_0-9]+\.c\)/) ? substr($0, RSTART + 1, RLENGTH - 2) : "" }
	file && /^[a-z].*[ *][a-z_0-9]+\(/ && !/^static/ { sub(/\(.*/, ""); sub(/.*[ *]/, ""); print file, $0 }' "$1" |
		while read -r file name; do
			grep -qE "^[a-z].*[ *]$name\(" "$(dirname "$1")/$file" || echo "$1: $name is not in $file"
		done
}

begin "a private.h that names files is right about who defines what"
none "functions that are elsewhere" "$(files '*/private.h' | while read -r h; do misplaced "$h"; done)"
mkdir -p "$TMP/folder"
printf '%s\n' '/* ---- One (one.c) ---- */' 'int one_a(void);' 'char *one_b(' >"$TMP/folder/private.h"
printf '%s\n' 'int one_a(void)' >"$TMP/folder/one.c"
expect_eq "$(misplaced "$TMP/folder/private.h")" "$TMP/folder/private.h: one_b is not in one.c" "what the check finds"
end

begin "unit tests mirror the folders"
none "folders of tests that no folder of the source bears the name of" "$(files 'tests/unit/*.c' | sed 's|^tests/unit/||; s|/\?[^/]*$||' | grep . | sort -u |
	while read -r d; do [ -d "$d" ] || echo "tests/unit/$d"; done)"
end

begin "demos and tests are in the folders of their topics, where make and the tests look for them"
none "files beside these folders" "$(files demos tests/e2e tests/corpus tests/expect | grep -vx demos/demo.h | grep -vE '^(demos|tests/[a-z0-9]+)/[a-z_-]+/[^/]+$')"
end

begin "every script that names its interpreter can be executed"
none "scripts without the permission to execute" "$(files | first_lines 1 'substr($0, 1, 2) == "#!" { print FILENAME }' |
	while read -r f; do [ -x "$f" ] || echo "$f"; done)"
end

begin "no test waits without a limit, or reads what an earlier command wrote"
while read -r file; do
	grep -nE '(>out 2>err|>"\$TMP/out" 2>"\$TMP/err") &$' "$file" && fail "$file: start it with background"
	grep -nE '^\s*wait( \$!| "?\$[a-z]+"?)( 2>/dev/null)?$' "$file" && fail "$file: use wait_end"
done < <(files 'tests/e2e/*.sh')
end

begin "every header compiles alone"
alone()
{
	case $1 in
	probes/ebpf/*)
		[ ! -e "$BUILD/gen/ebpf-0" ] || exit 0
		printf '#include "%s"\n' "$1" | clang -target bpf -D__TARGET_ARCH_x86 -O2 -g -fsyntax-only -Wall -Wno-unused-function \
			-I. -x c - 2>&1 ;;
	tracer/ebpf/*)
		[ ! -e "$BUILD/gen/ebpf-0" ] || exit 0 ;&
	*) printf '#include "%s"\n' "$1" | ${CC:-cc} -std=c11 -D_GNU_SOURCE -fsyntax-only -Wall -I. -I"$BUILD/gen" -x c - 2>&1 ;;
	esac | head -3
}
export -f alone
export BUILD
# Those that a file includes before anything else were compiled alone when it was.
files '*.c' | xargs -d '\n' awk '/^[[:space:]]*#[[:space:]]*include/ {
	if (split($0, part, "\"") > 2) print part[2]
	nextfile }' | sort -u >"$TMP/first"
[ "$(wc -l <"$TMP/first")" -gt 100 ] || fail "only $(wc -l <"$TMP/first") headers are included first"
none "headers that need others before them" "$(files '*.h' | grep -v '^build/' | grep -vxFf "$TMP/first" | xargs -P 2 -I{} bash -c 'alone {}')"
end

begin "what differs between processors is behind base/arch.h and probes/ebpf/kernel/arch.h"
# By name elsewhere: what decodes instructions, vfork, and the calls of 32-bit programs.
none "other files that name a processor" "$(files '*.[chS]' '*.def' | grep -v '^tests/\|^base/arch.h\|^probes/ebpf/kernel/arch.h' |
	xargs grep -lE '__x86_64__|__aarch64__|__TARGET_ARCH|EM_X86_64|rdtsc' |
	grep -vxE 'probes/shim/outlined.c|probes/shim/calls/processes/vfork.S|tracer/symbols/frame_pointer.c|tracer/snapshot/memory/code.c|tracer/ebpf/(calls|symbols).c')"
end

# heaps FILE...: the folders that have 35 files or more, or 5,000 lines of source or more.
heaps()
{
	xargs -x -d '\n' awk '
	function folder(f) { return sub(/\/[^\/]*$/, "", f) ? f : "." }
	BEGIN { for (i = 1; i < ARGC; i++) n[folder(ARGV[i])]++ }
	FILENAME !~ /\.([chS]|def|sql|sh|awk|py|js|css|java)$/ { nextfile }
	{ lines[folder(FILENAME)]++ }
	END { for (d in n) if (n[d] >= 35 || (lines[d] >= 5000 && d != "tracer/model")) print d ": " n[d] " files, " lines[d] + 0 " lines" }'
}

begin "no folder is a heap: fewer than 35 files everywhere, and fewer than 5,000 lines but for the model"
none "folders too large" "$(files | heaps)"
mkdir -p "$TMP/few" "$TMP/fewer" "$TMP/long"
seq 5000 >"$TMP/long/x.c"
touch $(seq 35 | sed "s|^|$TMP/few/|") $(seq 34 | sed "s|^|$TMP/fewer/|")
expect_eq "$( (seq 35 | sed "s|^|$TMP/few/|"; seq 34 | sed "s|^|$TMP/fewer/|"; echo "$TMP/long/x.c") | heaps | sort)" \
	"$TMP/few: 35 files, 0 lines
$TMP/long: 1 files, 5000 lines" "what the check finds"
end
