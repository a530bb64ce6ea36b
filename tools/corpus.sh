#!/usr/bin/env bash
# corpus.sh - run every program of tests/corpus under pptrace and under its peers, and write doc/corpus.md.
# SPDX-License-Identifier: MIT
#
# usage: tools/corpus.sh [FILE]     writes FILE, doc/corpus.md if none is named
#
# A peer that is not installed has no column. A peer that looks at locks alone runs the programs in which threads
# wait for locks. TSan, helgrind and drd watch the program for $LIMIT seconds, gdb and jstack are asked once it has
# run for $REST. What each of them says counts as found if it speaks of a deadlock, of locks taken in opposite
# orders, or of a lock that is taken again; on a healthy program that is a false alarm. What a peer prints whatever
# it finds shows that it ran: without that it is "not run", and neither found nor missed.
#
# It takes about ten minutes on two processors that have nothing else to do.
#
# CORPUS_ONLY=WORD: only programs whose names have the word (to try this script itself).
set -u
cd "$(dirname "$0")/.." || exit 1
out=${1:-doc/corpus.md}
build=${BUILD:-$PWD/build}
LIMIT=6
REST=3
JOBS=6
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rows=$tmp/rows

# ---- The peers ----

peers=()
echo 'int main(void) { return 0; }' >"$tmp/t.c"
! gcc -fsanitize=thread -o "$tmp/t" "$tmp/t.c" 2>/dev/null || peers+=(TSan)
! command -v valgrind >/dev/null || peers+=(helgrind drd)
! command -v gdb >/dev/null || peers+=(gdb)
! command -v jstack >/dev/null || peers+=(jstack)

# value FILE WORD: what the head of a program says.
value()
{
	sed -n "1,20s/^[#/* ]*$2: *//p" "$1" | tr '\n' ' ' | sed 's/ *$//'
}

# tree PID: a process and its descendants.
tree()
{
	local pids=("$1")
	while [ ${#pids[@]} != 0 ]; do
		printf '%s\n' "${pids[@]}"
		mapfile -t pids < <(ps -o pid= --ppid "$(IFS=,; echo "${pids[*]}")" | tr -d ' ')
	done
}

# Folders whose programs are about locks and threads: what is for locks alone is tried on these.
is_about_locks()
{
	case $1 in
	*/locks/* | */languages/* | */java/* | */signals/*) return 0 ;;
	*) return 1 ;;
	esac
}

# watch LOG RAN WORDS COMMAND...: runs it until one of the words is in the log, or for LIMIT seconds; prints the
# seconds, or nothing. Returns 2 if what the log has is no proof that the tool ran.
watch()
{
	local log=$1 ran=$2 words=$3 since=$EPOCHREALTIME pid
	shift 3
	"$@" >/dev/null 2>"$log.err" </dev/null &
	pid=$!
	for ((i = 0; i < LIMIT * 10; i++)); do
		if grep -Eqs "$words" "$log"*; then
			echo "$EPOCHREALTIME $since" | awk '{ printf "%.1f", $1 - $2 }'
			break
		fi
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	# shellcheck disable=SC2046
	kill -KILL $(tree $pid) 2>/dev/null
	wait $pid 2>/dev/null
	grep -Eqs "$ran" "$log"* || return 2
}

# ask RAN WORDS COMMAND... -- PROGRAM...: starts the program, and asks the command, which gets a PID, about each of
# its processes. Prints and returns as watch.
ask()
{
	local ran=$1 words=$2 command=() pid since has_run='' log
	shift 2
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	log=$(mktemp "$tmp/ask.XXXXXX")
	"$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep $REST
	since=$EPOCHREALTIME
	for p in $(tree $pid); do
		timeout 20 "${command[@]/PID/$p}" >"$log" 2>/dev/null
		! grep -Eq "$ran" "$log" || has_run=1
		if grep -Eq "$words" "$log"; then
			echo "$EPOCHREALTIME $since" | awk '{ printf "%.1f", $1 - $2 }'
			break
		fi
	done
	# shellcheck disable=SC2046
	kill -KILL $(tree $pid) 2>/dev/null
	wait $pid 2>/dev/null
	[ -n "$has_run" ] || return 2
}

# valgrind_says TOOL LOG PROGRAM: what one of valgrind's tools finds.
valgrind_says()
{
	watch "$2" ", a thread error detector" 'lock order|deadlock|Recursive locking|Attempt to re-lock' \
		valgrind --tool="$1" --log-file="$2" "$3"
}

# tsan_says LOG FILE COMPILER...: compiles a program for TSan, and says what that finds.
tsan_says()
{
	local log=$1 file=$2
	shift 2
	timeout 60 "$@" -fsanitize=thread -O1 -g -I. -o "$log.bin" "$file" -lpthread -lrt -lutil 2>/dev/null || return 1
	TSAN_OPTIONS=detect_deadlocks=1:verbosity=1 watch "$log" 'Running under ThreadSanitizer' \
		'lock-order-inversion|double lock of a mutex' "$log.bin"
}

# said PEER FILE: the seconds after which it found something; nothing: it did not. Returns 1 if it is not for such
# programs, 2 if it did not run.
said()
{
	local file=$2 name program log=$tmp/$1.${2##*/}
	name=${file##*/}
	program=$build/tests/corpus/${name%.*}
	case $1:$name in
	jstack:*.java)
		ask 'Full thread dump' 'Found .*deadlock' jstack PID -- java -cp "$build/tests/corpus" "${name%.java}"
		return
		;;
	esac
	is_about_locks "$file" || return 1
	case $1:$name in
	TSan:*.c) tsan_says "$log" "$file" gcc -std=c11 -D_GNU_SOURCE ;;
	TSan:*.cc) tsan_says "$log" "$file" g++ ;;
	helgrind:*.c | helgrind:*.cc | helgrind:*.rs) valgrind_says helgrind "$log" "$program" ;;
	drd:*.c | drd:*.cc | drd:*.rs) valgrind_says drd "$log" "$program" ;;
	gdb:*.c | gdb:*.cc | gdb:*.rs | gdb:*.go)
		ask 'LOOKED at' DEADLOCK gdb -batch -p PID -x tools/corpus_owner.py -- "$program"
		;;
	gdb:*.py)
		ask 'LOOKED at' DEADLOCK gdb -batch -p PID -x tools/corpus_owner.py -- "$python" "$file"
		;;
	*) return 1 ;;
	esac
}

# try PEER FILE: adds a line to the rows, as tests/e2e/verdict/corpus.sh does.
try()
{
	local took kind=healthy result=quiet rc
	took=$(said "$1" "$2")
	rc=$?
	[ $rc != 1 ] || return 0
	[ -z "$(value "$2" expect)" ] || kind=hangs result=missed
	[ -z "$took" ] || result=false
	[ "$kind$result" != hangsfalse ] || result=found
	[ $rc != 2 ] || result='not run'
	printf '%s\t%s\t%s\t%s\t%s\n' "${2##*/}" "$1" "$kind" "$result" "$took" >>"$rows"
}

python=$(python3 -c 'import sys; print(sys.executable)')
shopt -s nullglob
files=(tests/corpus/*/*.{c,cc,rs,go,java,py,sh})
CORPUS_TABLE=$rows BUILD=$build bash tests/e2e/verdict/corpus.sh >"$tmp/tap"
running=0
for file in "${files[@]}"; do
	[[ ${file##*/} == *"${CORPUS_ONLY:-}"* ]] || continue
	for peer in "${peers[@]}"; do
		try "$peer" "$file" &
		if [ $((++running)) -ge $JOBS ]; then
			wait -n
			running=$((running - 1))
		fi
	done
done 2>/dev/null
wait

# ---- The page ----

hows="$(cut -f2 "$rows" | sort -u | grep -Ex 'auto|ebpf|shim|why' | tr '\n' ' ')"
for file in "${files[@]}"; do
	printf '%s\t%s\n' "${file##*/}" "$(value "$file" source)"
done >"$tmp/sources"

{
	cat <<'END'
# The corpus

<!-- Made by tools/corpus.sh (make corpus): every figure is measured, none is typed. -->

The programs of `tests/corpus/`: some hang, their twins are healthy. Each is modelled on a public report. They run under pptrace
(three backends, and `why` on the running program) and under other tools that look for deadlocks. A figure is the number of
seconds from the start of the program until the deadlock was named; for `why`, gdb and jstack, which look once, how long that took.

- **pptrace** watches with `--watch=0.3`; certain and conditional findings count.
- **TSan** (`-fsanitize=thread`), **helgrind** and **drd** (valgrind) watch for 6 seconds; words about lock order, a deadlock, or a lock that is
  taken again count. drd does not follow the order of locks. The other two compare the orders of locks that have all been acquired: where the
  program hangs the first time, there is none to compare.
- **gdb** runs a script that follows `__owner` from mutex to thread (`tools/corpus_owner.py`).
- **jstack** looks at Java programs. The others run the programs in which threads wait for locks (`locks/`, `languages/`, `java/`, `signals/`).
- `–`: the tool is not for such programs. `quiet`: rightly, on a healthy program. `not run`: what the tool prints in any case is missing.

END
	[ -e "/lib/modules/$(uname -r)/build" ] || [ -e /sys/kernel/kheaders.tar.xz ] || printf '%s\n\n' \
		"bcc's \`deadlock\` is not among them: it compiles its probes with the headers of the running kernel, which are not here."
	printf 'Measured on Linux %s, %s processors; gcc %s' "$(uname -r)" "$(nproc)" "$(gcc -dumpfullversion)"
	! command -v valgrind >/dev/null || printf ', %s' "$(valgrind --version)"
	! command -v gdb >/dev/null || printf ', gdb %s' "$(gdb --version | sed -n '1s/.* //p')"
	printf '. Other programs ran beside them.\n\n'
	awk -F'\t' -v hows="$hows" -v peers="${peers[*]}" '
	function cell(r, t) {
		return r == "" ? "–" : r == "found" ? t " s" : r == "false" ? "**false alarm**" : r
	}
	FILENAME == ARGV[1] { result[$1, $2] = $4; took[$1, $2] = $5; kind[$1] = $3; next }
	{ source[$1] = $2; names[++n] = $1 }
	END {
		m = split(hows peers, tool, " ")
		print "| | hangs that it is for | found | missed | healthy | false alarms | not run | seconds (median) |"
		print "|---|---|---|---|---|---|---|---|"
		for (i = 1; i <= m; i++) {
			found = missed = false = quiet = unrun = k = 0
			for (j = 1; j <= n; j++) {
				r = result[names[j], tool[i]]
				found += r == "found"; missed += r == "missed"; false += r == "false"
				quiet += r == "quiet"; unrun += r == "not run"
				if (r == "found")
					list[++k] = took[names[j], tool[i]] + 0
			}
			for (a = 2; a <= k; a++)
				for (b = a; b > 1 && list[b - 1] > list[b]; b--) {
					x = list[b]; list[b] = list[b - 1]; list[b - 1] = x
				}
			label = i <= split(hows, unused, " ") ? "pptrace, " tool[i] : tool[i]
			printf "| %s | %d | %d | %d | %d | %d | %d | %s |\n", label, found + missed, found, missed,
				false + quiet, false, unrun,
				k ? sprintf("%.1f", list[int((k + 1) / 2)]) : "–"
		}
		for (part = 1; part <= 2; part++) {
			want = part == 1 ? "hangs" : "healthy"
			printf "\n## %s\n\n| program |", part == 1 ? "They hang" : "They are healthy"
			for (i = 1; i <= m; i++)
				printf " %s |", tool[i]
			printf " modelled on |\n|---|"
			for (i = 1; i <= m; i++)
				printf "---|"
			print "---|"
			for (j = 1; j <= n; j++) {
				if (kind[names[j]] != want)
					continue
				printf "| `%s` |", names[j]
				for (i = 1; i <= m; i++)
					printf " %s |", cell(result[names[j], tool[i]], took[names[j], tool[i]])
				gsub(/\|/, "\\|", source[names[j]])
				printf " %s |\n", source[names[j]]
			}
		}
	}' "$rows" "$tmp/sources"
} >"$tmp/page"
mv "$tmp/page" "$out"
grep '^not ok' "$tmp/tap"
exit 0
