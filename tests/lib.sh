# lib.sh - what every end-to-end test file sources: TAP output, a folder of its own, helpers.
# SPDX-License-Identifier: MIT
#
# A test file is tests/e2e/<topic>/<name>.sh:
#
#   . "$(dirname "$0")/../../lib.sh"
#   begin "exit status is the target's"
#   run false; expect_status 1
#   end
#
# Each begin ... end is one test. A failed expect_ marks it failed and shows
# why; the file goes on. skip REASON takes the current test out.
# $TMP is an empty folder of the file's own, removed at the end.

set -u
export LC_ALL=C.UTF-8 NO_COLOR=1
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
PPTRACE=$BUILD/pptrace
DEMOS=$BUILD/demos
PROGRAMS=$BUILD/tests/programs
# This file's name in what is printed, by which run.sh finds it again: run/timeout, check/cli.
TOPIC=$(cd "$(dirname "$0")" && pwd)/$(basename "$0" .sh)
TOPIC=${TOPIC##*/tests/}
TOPIC=${TOPIC#e2e/}
TMP=$(mktemp -d "${TMPDIR:-/tmp}/pptrace-test.${TOPIC//\//_}.XXXXXX")
chmod 755 "$TMP"
cd "$TMP" || exit 1
NAP=$TMP/.nap
mkfifo "$NAP"
# Only the soft limit: a test that wants cores raises it again.
ulimit -S -c 0

# "${nobody[@]}" COMMAND...: runs it as an ordinary user (root only).
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --)

# If the build is in a folder that an ordinary user may not enter (/root), what such
# a user is to run is copied to where he may.
if [ "$(id -u)" = 0 ] && ! "${nobody[@]}" test -x "$PPTRACE"; then
	mkdir "$TMP/.build"
	cp -r "$BUILD"/pptrace* "$BUILD"/libpptrace-*.so "$DEMOS" "$TMP/.build"
	mkdir "$TMP/.build/tests"
	[ ! -e "$PROGRAMS" ] || cp -r "$PROGRAMS" "$TMP/.build/tests"
	BUILD=$TMP/.build
	PPTRACE=$BUILD/pptrace DEMOS=$BUILD/demos PROGRAMS=$BUILD/tests/programs
fi

count=0 test_name='' test_ok='' test_skip=''
trap finish EXIT

finish()
{
	local status=$?
	# Aborted (by set -u, say) or left in the middle of a test, of which nobody knows how it would have gone on.
	[ -z "$test_name" ] || [ "$status" = 0 ] || fail "the file ended with status $status in this test"
	[ -z "$test_name" ] || end
	echo "1..$count"
	cd /
	rm -rf "$TMP"
}

# begin NAME: starts a test. Skipped quietly if $TEST is set and does not match topic or name.
begin()
{
	[ -z "$test_name" ] || end
	test_name=$1 test_ok=1 test_skip=''
}

# end: reports the test.
end()
{
	count=$((count + 1))
	if [ -n "$test_skip" ]; then
		echo "ok $count - $TOPIC: $test_name # SKIP $test_skip"
	elif [ -n "$test_ok" ]; then
		echo "ok $count - $TOPIC: $test_name"
	else
		echo "not ok $count - $TOPIC: $test_name"
		echo "# rerun: make test TEST=$TOPIC"
	fi
	test_name=''
}

# fail TEXT...: marks the test failed and says why.
fail()
{
	test_ok=
	printf '%s\n' "$*" | sed 's/^/# /'
}

# skip REASON: the test cannot run here. Use as: need_x || { end; ...; }
skip()
{
	test_skip=$1
}

# run COMMAND...: runs with a time limit; sets status, and leaves output in $TMP/out and $TMP/err.
run()
{
	timeout -k 5 "${LIMIT:-60}" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	status=$?
}

show()
{
	head -c 2000 "$TMP/out" | sed 's/^/out| /'
	head -c 2000 "$TMP/err" | sed 's/^/err| /'
}

expect_status()
{
	[ "$status" = "$1" ] || fail "status is $status, wanted $1" "$(show)"
}

# expect_eq GOT WANTED [WHAT]
expect_eq()
{
	[ "$1" = "$2" ] || fail "${3:-value} is '$1', wanted '$2'"
}

# expect_out PATTERN, expect_err PATTERN: an extended regular expression that some line matches.
expect_out()
{
	grep -Eq -- "$1" "$TMP/out" || fail "no line of the output matches: $1" "$(show)"
}

expect_err()
{
	grep -Eq -- "$1" "$TMP/err" || fail "no line on stderr matches: $1" "$(show)"
}

expect_no_err()
{
	! grep -Eq -- "$1" "$TMP/err" || fail "a line on stderr matches: $1" "$(show)"
}

# sql FILE QUERY: what the sqlite3 shell answers, columns separated by |.
sql()
{
	sqlite3 -readonly -batch -noheader "$1" "$2" 2>&1
}

# expect_sql FILE QUERY WANTED
expect_sql()
{
	local got
	got=$(sql "$1" "$2")
	[ "$got" = "$3" ] || fail "query: $2" "answers: $got" "wanted:  $3"
}

# nap SECONDS: sleeps without a process for it; what tests wait for comes sooner on a busy machine.
nap()
{
	read -rt "$1" _ <>"$NAP" || :
}

# wait_for SECONDS COMMAND...: waits until the command succeeds; fails the test if it never does.
wait_for()
{
	local deadline=$((EPOCHSECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$EPOCHSECONDS" -gt "$deadline" ]; then
			fail "never came true: $*"
			return 1
		fi
		nap 0.02
	done
}

# background COMMAND ARGUMENT...: starts it; $! is its process. The files are emptied first, so that a test that waits
# for a line does not find an earlier command's.
background()
{
	: >"$TMP/out"
	: >"$TMP/err"
	"$@" >"$TMP/out" 2>"$TMP/err" </dev/null &
}

# is_running PID: false also of a child that has ended and is not reaped yet: bash may put that off until it waits for another one.
is_running()
{
	local stat='' tasks=(/proc/"$1"/task/*)
	read -r stat <"/proc/$1/stat"
	[ -n "$stat" ] && { [[ ${stat##*) } != Z* ]] || [ ${#tasks[@]} -gt 1 ]; }
} 2>/dev/null

# wait_end [PID]: waits until this child has ended, or all have, and returns its status. A child that has not ended
# after LIMIT seconds (60) is killed, and the test fails: a test that hangs says nothing.
wait_end()
{
	local deadline=$((EPOCHSECONDS + ${LIMIT:-60})) pids=${1:-$(jobs -p)} pid
	for pid in $pids; do
		while is_running "$pid"; do
			if [ "$EPOCHSECONDS" -gt "$deadline" ]; then
				fail "never ended: $(ps -o pid=,args= "$pid")"
				kill -KILL "$pid"
				break
			fi
			nap 0.02
		done
	done
	wait ${1:+"$1"}
}

# backends: the ways of capture that must work here: "ebpf auto shim" as root, unless pptrace was built with EBPF=0.
backends()
{
	if [ "$(id -u)" = 0 ] && [ ! -e "$BUILD/gen/ebpf-0" ]; then echo ebpf auto shim; else echo shim; fi
}

# side_by_side FUNCTION ARGUMENT...: calls the function with each argument, all at the same time, each in a
# folder of its own ($TMP). What its tests say comes in the order of the arguments. For tests that mostly wait.
side_by_side()
{
	local function=$1 argument line status
	local -A pids
	shift
	for argument; do
		mkdir -m 755 "$TMP/$argument"
		(
			TMP=$TMP/$argument
			cd "$TMP" || exit
			"$function" "$argument"
			[ -z "$test_name" ] || end
			exit 0
		) >"$TMP/$argument.tap" 2>&1 &
		pids[$argument]=$!
	done
	for argument; do
		wait "${pids[$argument]}"
		status=$?
		[ "$status" = 0 ] || echo "not ok 0 - $TOPIC: $argument ended with status $status" >>"$TMP/$argument.tap"
		while IFS= read -r line; do
			if [[ $line =~ ^((not\ )?ok)\ [0-9]+\ (.*) ]]; then
				count=$((count + 1))
				line="${BASH_REMATCH[1]} $count ${BASH_REMATCH[3]}"
			fi
			printf '%s\n' "$line"
		done <"$TMP/$argument.tap"
	done
}

# shim_modes: the options of run that put the preload library into a program and must work here.
shim_modes()
{
	if [ "$(id -u)" = 0 ]; then echo --locks=shim --backend=shim; else echo --backend=shim; fi
}

# fixture NAME: makes NAME.db, a complete recording, of tests/fixtures/NAME.sql.
fixture()
{
	{
		echo "PRAGMA application_id = $((0x70707472)); PRAGMA user_version = 1; BEGIN;"
		cat "$ROOT"/schema/sql/schema.sql "$ROOT"/schema/sql/views.sql "$ROOT"/schema/sql/wait_for.sql \
			"$ROOT/tests/fixtures/$1.sql"
		echo "COMMIT;"
	} | sqlite3 -bail "$1.db" >/dev/null
}
