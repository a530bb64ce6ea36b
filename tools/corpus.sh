#!/usr/bin/env bash
# corpus.sh - run every program of tests/corpus under pptrace and under its peers, and write doc/corpus.md.
# SPDX-License-Identifier: MIT
#
# usage: tools/corpus.sh [FILE]     writes FILE, doc/corpus.md if none is named
#
# A peer that is not installed has no column. TSan, helgrind and drd watch the program for $LIMIT seconds, gdb and
# jstack are asked once it has run for $REST. What each of them says counts as found if it speaks of a deadlock or of
# locks taken in opposite orders; on a healthy program that is a false alarm.
set -u
cd "$(dirname "$0")/.." || exit 1
out=${1:-doc/corpus.md}
build=${BUILD:-$PWD/build}
LIMIT=10
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

# watch LOG WORDS COMMAND...: runs it until one of the words is in the log, or for LIMIT seconds; prints the seconds, or nothing.
watch()
{
	local log=$1 words=$2 since=$EPOCHREALTIME pid
	shift 2
	"$@" >/dev/null 2>"$log.err" </dev/null &
	pid=$!
	for ((i = 0; i < LIMIT * 10; i++)); do
		if grep -Eqs "$words" "$log"* ; then
			echo "$EPOCHREALTIME $since" | awk '{ printf "%.1f", $1 - $2 }'
			break
		fi
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	# shellcheck disable=SC2046
	kill -KILL $(tree $pid) 2>/dev/null
	wait $pid 2>/dev/null
}

# ask WORDS FILE COMMAND... -- PROGRAM...: starts the program, and asks the command, which gets a PID, about each of its processes.
ask()
{
	local words=$1 command=() pid since
	shift
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	"$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep $REST
	since=$EPOCHREALTIME
	for p in $(tree $pid); do
		if timeout 20 "${command[@]/PID/$p}" 2>/dev/null | grep -Eq "$words"; then
			echo "$EPOCHREALTIME $since" | awk '{ printf "%.1f", $1 - $2 }'
			break
		fi
	done
	# shellcheck disable=SC2046
	kill -KILL $(tree $pid) 2>/dev/null
	wait $pid 2>/dev/null
}

# said PEER FILE: the seconds after which it found something; nothing: it did not. Returns 1 if it is not for such programs.
said()
{
	local file=$2 name program log=$tmp/$1.${2##*/}
	name=${file##*/}
	program=$build/tests/corpus/${name%.*}
	case $1:$name in
	TSan:*.c)
		gcc -std=c11 -D_GNU_SOURCE -fsanitize=thread -O1 -g -I. -o "$log.bin" "$file" -lpthread 2>/dev/null || return 1
		TSAN_OPTIONS=detect_deadlocks=1 watch "$log" 'lock-order-inversion' "$log.bin"
		;;
	TSan:*.cc)
		g++ -fsanitize=thread -O1 -g -o "$log.bin" "$file" -lpthread 2>/dev/null || return 1
		TSAN_OPTIONS=detect_deadlocks=1 watch "$log" 'lock-order-inversion' "$log.bin"
		;;
	helgrind:*.c | helgrind:*.cc | helgrind:*.rs)
		watch "$log" 'lock order|deadlock' valgrind --tool=helgrind --log-file="$log" "$program"
		;;
	drd:*.c | drd:*.cc | drd:*.rs)
		watch "$log" 'lock order|deadlock' valgrind --tool=drd --log-file="$log" "$program"
		;;
	gdb:*.c | gdb:*.cc | gdb:*.rs | gdb:*.go)
		ask DEADLOCK gdb -batch -p PID -x tools/corpus_owner.py -- "$program"
		;;
	gdb:*.py)
		ask DEADLOCK gdb -batch -p PID -x tools/corpus_owner.py -- "$python" "$file"
		;;
	jstack:*.java)
		ask 'Found .*deadlock' jstack PID -- java -cp "$build/tests/corpus" "${name%.java}"
		;;
	*) return 1 ;;
	esac
}

# try PEER FILE: adds a line to the rows, as tests/e2e/verdict/corpus.sh does.
try()
{
	local took kind=healthy result=quiet
	took=$(said "$1" "$2") || return 0
	[ -z "$(value "$2" expect)" ] || kind=hangs result=missed
	[ -z "$took" ] || result=false
	[ "$kind$result" != hangsfalse ] || result=found
	printf '%s\t%s\t%s\t%s\t%s\n' "${2##*/}" "$1" $kind $result "$took" >>"$rows"
}

python=$(python3 -c 'import sys; print(sys.executable)')
shopt -s nullglob
files=(tests/corpus/*/*.{c,cc,rs,go,java,py,sh})
CORPUS_TABLE=$rows BUILD=$build bash tests/e2e/verdict/corpus.sh >"$tmp/tap"
jobs=0
for file in "${files[@]}"; do
	for peer in "${peers[@]}"; do
		try "$peer" "$file" &
		[ $((++jobs % JOBS)) != 0 ] || wait
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
- **TSan** (`-fsanitize=thread`), **helgrind** and **drd** (valgrind) watch for 10 seconds; words about lock order count.
- **gdb** runs a script that follows `__owner` from mutex to thread (`tools/corpus_owner.py`).
- **jstack** looks at Java programs.
- `–`: the tool is not for such programs. `quiet`: rightly, on a healthy program.

END
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
		print "| | hangs that it is for | found | missed | false alarms | seconds (median) |"
		print "|---|---|---|---|---|---|"
		for (i = 1; i <= m; i++) {
			found = missed = false = k = 0
			for (j = 1; j <= n; j++) {
				r = result[names[j], tool[i]]
				found += r == "found"; missed += r == "missed"; false += r == "false"
				if (r == "found")
					list[++k] = took[names[j], tool[i]] + 0
			}
			for (a = 2; a <= k; a++)
				for (b = a; b > 1 && list[b - 1] > list[b]; b--) {
					x = list[b]; list[b] = list[b - 1]; list[b - 1] = x
				}
			label = i <= split(hows, unused, " ") ? "pptrace, " tool[i] : tool[i]
			printf "| %s | %d | %d | %d | %d | %s |\n", label, found + missed, found, missed, false,
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
