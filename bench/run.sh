#!/usr/bin/env bash
# run.sh - time each workload natively and under tracers, in turns, and print ratios to native.
# SPDX-License-Identifier: MIT
#
# usage: bench/run.sh [ROUNDS [WORKLOAD...]]
# In every round each way runs once, one after the other, so that a machine
# whose speed drifts does so for all of them. The figure is the median over
# rounds of the time that the workload measured itself, divided by the native
# one of the same round; start-up of the tracer is a row of its own.

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
	local workload=$1 count=$2 native w ns line
	shift 2
	for ((i = 0; i < rounds; i++)); do
		for w in native "$@"; do
			local n=$count
			# These take 100 times as long: fewer operations, compared by the operation.
			case $w in uprobe | helgrind | strace) n=$((count / 20)) ;; esac
			rm -f "$BENCH_OUT"
			way "$w" "$work" "$workload" "$n"
			ns=$(cat "$BENCH_OUT" 2>/dev/null)
			[ -n "$ns" ] || continue
			ns=$(awk "BEGIN { print $ns / $n }")
			if [ "$w" = native ]; then native=$ns; fi
			echo "$ns" >>"$dir/$workload.$w.ns"
			awk "BEGIN { print $ns / $native }" >>"$dir/$workload.$w.ratio"
		done
	done
	printf '%-10s %9.0f ns' "$workload" "$(median <"$dir/$workload.native.ns")"
	for w in "$@"; do
		line=-
		[ -e "$dir/$workload.$w.ratio" ] && line=$(printf '%.2f' "$(median <"$dir/$workload.$w.ratio")")
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

if wanted answer; then
	for ((i = 0; i < rounds; i++)); do
		a=$EPOCHREALTIME
		pptrace --locks=shim -- "$work" mutex4 4000000
		holds=$(sqlite3 -readonly "$dir/trace.db" "SELECT count(*) FROM lock_hold")
		b=$EPOCHREALTIME
		awk "BEGIN { print $b - $a }" >>"$dir/answer"
	done
	size=$(stat -c %s "$dir/trace.db")
	printf 'from start until SELECT answers on %d holds: %.2f s, %.1f bytes a hold, %s lost\n' "$holds" \
		"$(median <"$dir/answer")" "$(awk "BEGIN { print $size / $holds }")" \
		"$(sqlite3 -readonly "$dir/trace.db" "SELECT lost FROM trace")"
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
