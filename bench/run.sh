#!/usr/bin/env bash
# run.sh - time each workload natively and under tracers, in turns, and print ratios to native.
# SPDX-License-Identifier: MIT
#
# usage: bench/run.sh [ROUNDS [WORKLOAD...]]
# In every round each way runs once, one after the other, so that a machine
# whose speed drifts does so for all of them. The figure is the median over
# rounds of the time that the workload measured itself, divided by the native
# one of the same round (own), and the same of the time until the command line returns, the
# recording complete (until); start-up of the tracer is a row of its own.

set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
rounds=${1:-5}
[ $# -gt 0 ] && shift
work=build/bench/work
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export BENCH_OUT=$dir/ns

have() { command -v "$1" >/dev/null 2>&1; }
pptrace() { build/pptrace run -q -o "$dir/trace.db" "$@" 2>>"$dir/err"; }

# way NAME COMMAND...: runs one workload in one way.
way()
{
	local name=$1
	shift
	case $name in
	native) "$@" ;;
	pptrace) pptrace --locks=off -- "$@" ;;
	auto) pptrace -- "$@" ;;
	shim) pptrace --locks=shim -- "$@" ;;
	shim-only) pptrace --backend=shim -- "$@" ;;
	uprobe) pptrace --locks=uprobe -- "$@" ;;
	strace) strace -f -qq -o "$dir/strace" -e "trace=$calls" -- "$@" ;;
	perf-trace) perf trace -o "$dir/perf" -- "$@" ;;
	lttng)
		lttng -q create bench --output="$dir/lttng" &&
			lttng -q enable-channel --userspace --num-subbuf=8 --subbuf-size=4M c &&
			lttng -q enable-event --userspace --channel=c 'lttng_ust_pthread:*' && lttng -q start &&
			LD_PRELOAD=liblttng-ust-pthread-wrapper.so "$@"
		lttng -q destroy bench
		rm -rf "$dir/lttng" ;;
	helgrind) valgrind -q --tool=helgrind "$@" ;;
	esac >/dev/null 2>>"$dir/err"
}

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# compare WORKLOAD COUNT WAYS...
compare()
{
	local workload=$1 count=$2 native native_until w ns begun ended until line
	shift 2
	for ((i = 0; i < rounds; i++)); do
		for w in native "$@"; do
			local n=$count
			# These take 100 times as long: fewer operations, compared by the operation.
			case $w in uprobe | helgrind | strace) n=$((count / 20)) ;; esac
			rm -f "$BENCH_OUT"
			begun=$EPOCHREALTIME
			way "$w" "$work" "$workload" "$n"
			ended=$EPOCHREALTIME
			ns=$(cat "$BENCH_OUT" 2>/dev/null)
			[ -n "$ns" ] || continue
			ns=$(awk "BEGIN { print $ns / $n }")
			until=$(awk "BEGIN { print ($ended - $begun) * 1e9 / $n }")
			if [ "$w" = native ]; then native=$ns native_until=$until; fi
			echo "$ns" >>"$dir/$workload.$w.ns"
			awk "BEGIN { print $ns / $native }" >>"$dir/$workload.$w.ratio"
			awk "BEGIN { print $until / $native_until }" >>"$dir/$workload.$w.until"
		done
	done
	printf '%-10s %9.0f ns' "$workload" "$(median <"$dir/$workload.native.ns")"
	for w in "$@"; do
		line=-
		[ -e "$dir/$workload.$w.ratio" ] && line=$(printf '%.2fx until %.1f' "$(median <"$dir/$workload.$w.ratio")" \
			"$(median <"$dir/$workload.$w.until")")
		printf '  %s %sx' "$w" "$line"
	done
	echo
}

wanted() { [ -z "$only" ] || [[ " $only " == *" $1 "* ]]; }
only=$*

peers=strace
locks=
have lttng && locks="$locks lttng"
have valgrind && locks="$locks helgrind"

echo "$(nproc) processors, Linux $(uname -r), medians of $rounds rounds, ratio to native time per operation"
calls=read,write,pipe2 wanted pipe && calls=read,write,pipe2 compare pipe 200000 pptrace auto shim-only $peers
wanted pingpong && calls=read,write,pipe2 compare pingpong 40000 pptrace auto shim-only $peers
wanted fork && calls=clone,fork,exit_group,wait4 compare fork 2000 pptrace auto shim-only $peers
wanted exec && calls=clone,fork,execve,exit_group,wait4 compare exec 800 pptrace auto shim-only $peers
wanted kill && calls=kill,rt_sigreturn compare kill 100000 pptrace auto shim-only $peers
wanted mutex1 && compare mutex1 4000000 shim uprobe $locks
wanted mutex4 && compare mutex4 4000000 shim uprobe $locks

if wanted start; then
	for ((i = 0; i < rounds; i++)); do
		a=$EPOCHREALTIME
		true_out=$(/bin/true)
		b=$EPOCHREALTIME
		pptrace --locks=off -- /bin/true
		c=$EPOCHREALTIME
		pptrace -- /bin/true
		d=$EPOCHREALTIME
		awk "BEGIN { print ($c - $b - ($b - $a)) * 1000 }" >>"$dir/start.off"
		awk "BEGIN { print ($d - $c - ($b - $a)) * 1000 }" >>"$dir/start.auto"
	done
	printf 'start and end of `pptrace run true` beyond `true`: %.0f ms with --locks=off, %.0f ms auto\n' \
		"$(median <"$dir/start.off")" "$(median <"$dir/start.auto")"
fi

# answer HOW COUNT: from the start until a query answers, with equal holds in one row or in one each.
answer()
{
	local a b holds
	for ((i = 0; i < rounds; i++)); do
		a=$EPOCHREALTIME
		pptrace --locks=shim --fold="$1" --max-size=0 -- "$work" mutex4 "$2"
		holds=$(sqlite3 -readonly "$dir/trace.db" "SELECT sum(coalesce(count, 1)) FROM lock_hold")
		b=$EPOCHREALTIME
		awk "BEGIN { print $b - $a }" >>"$dir/answer.$1"
	done
	printf 'from start until SELECT answers on %d holds, --fold=%s: %.2f s, %.2f bytes a hold, %s lost\n' "$holds" "$1" \
		"$(median <"$dir/answer.$1")" "$(awk "BEGIN { print $(stat -c %s "$dir/trace.db") / $holds }")" \
		"$(sqlite3 -readonly "$dir/trace.db" "SELECT lost FROM trace")"
}

if wanted answer; then
	answer off 4000000
	answer on 4000000
fi

# timed COMMAND...: its seconds, and its peak memory in MB where GNU time is installed.
timed()
{
	local a=$EPOCHREALTIME b memory=-
	if [ -x /usr/bin/time ]; then
		/usr/bin/time -f %M -o "$dir/memory" "$@" >/dev/null 2>>"$dir/err"
		memory=$(awk 'END { printf "%.0f", $1 / 1024 }' "$dir/memory")
	else
		"$@" >/dev/null 2>>"$dir/err"
	fi
	b=$EPOCHREALTIME
	printf ' %7.2f s %5s MB |' "$(awk "BEGIN { print $b - $a }")" "$memory"
}

# Events from 10^4 to 10^7, each with a row: time and memory must not grow faster than they do.
if wanted growth; then
	printf '%10s | %18s | %18s | %18s | bytes\n' holds run diagnose timeline
	for n in 10000 100000 1000000 10000000; do
		printf '%10d |' "$n"
		timed build/pptrace run -q -o "$dir/trace.db" --locks=shim --fold=off --max-size=0 -- "$work" mutex4 "$n"
		timed build/pptrace diagnose "$dir/trace.db"
		timed build/pptrace timeline -o "$dir/timeline.svg" "$dir/trace.db"
		printf ' %d\n' "$(stat -c %s "$dir/trace.db")"
	done
fi

if wanted untraced; then
	for ((i = 0; i < rounds; i++)); do
		"$work" syscall 2000000
		before=$(cat "$BENCH_OUT")
		pptrace --locks=off -- sleep 3 &
		sleep 1
		"$work" syscall 2000000
		with=$(cat "$BENCH_OUT")
		wait
		awk "BEGIN { print ($with - $before) / 2000000 }" >>"$dir/untraced"
	done
	printf 'a system call of an untraced program meanwhile: %+.0f ns\n' "$(median <"$dir/untraced")"
fi
[ ! -s "$dir/err" ] || { echo; echo "messages:"; sort "$dir/err" | uniq -c | sort -rn | head -20; }
