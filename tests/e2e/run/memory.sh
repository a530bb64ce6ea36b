#!/usr/bin/env bash
# memory.sh - how much memory pptrace takes, and what it does where there is little.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

for backend in ${BACKENDS:-$(backends)}; do

begin "$backend: rings take little memory while a program is quiet"
run "$PPTRACE" run --backend=$backend -o memory.db sh -c 'sleep 0.5; grep -E "RssShmem|VmRSS" /proc/$PPID/status'
expect_status 0
kb=$(awk '/RssShmem/ {print $2}' out)
[ "${kb:-99999}" -le 8192 ] || fail "$kb kB of shared memory" "$(show)"
kb=$(awk '/VmRSS/ {print $2}' out)
[ "${kb:-99999}" -le 65536 ] || fail "$kb kB of memory" "$(show)"
end

begin "$backend: the kernel ends pptrace before the command"
run "$PPTRACE" run --backend=$backend -o memory.db sh -c 'cat /proc/$PPID/oom_score_adj /proc/self/oom_score_adj'
expect_status 0
expect_eq "$(tr '\n' ' ' <out)" "1000 $(cat /proc/self/oom_score_adj) " "oom_score_adj of pptrace and the command"
end

done

# group_make MIB: a control group of that size, in $group; fails where none can be made.
group_make()
{
	local base=/sys/fs/cgroup limit=memory.max
	if [ -e $base/memory/memory.limit_in_bytes ]; then
		base=$base/memory limit=memory.limit_in_bytes
	elif ! grep -qw memory $base/cgroup.subtree_control; then
		return 1
	fi 2>/dev/null
	group=$base/pptrace-test-$$-$1
	mkdir "$group" 2>/dev/null && echo "$1M" >"$group/$limit"
}

# in_group COMMAND...: runs it in $group.
in_group()
{
	run bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

# killed: how many processes of $group the kernel has ended.
killed()
{
	awk '$1 == "oom_kill" {print $2}' "$group"/memory.oom_control "$group"/memory.events 2>/dev/null
}

# group_end: removes it once no process is left in it.
group_end()
{
	wait_for 10 rmdir "$group"
}

for backend in ${BACKENDS:-$(backends)}; do
for mib in 64 256; do

begin "$backend: a program that locks all the time survives in $mib MiB"
if group_make $mib; then
	in_group "$PPTRACE" run -q --backend=$backend -o storm.db "$PROGRAMS/hungry" 1 1000000
	expect_status 0
	expect_eq "$(cat out)" full output
	expect_eq "$(killed)" 0 "processes ended by the kernel"
	expect_sql storm.db "SELECT complete, lost FROM trace" "1|0"
	group_end
else
	skip "no memory control group can be made here"
fi
end

done

begin "$backend: pptrace gives up before a program that wants nearly all of its group"
if group_make 128; then
	in_group "$PPTRACE" run --backend=$backend -o hungry.db "$PROGRAMS/hungry" 110 100000
	# The kernel may have been quicker than pptrace; then it took pptrace and not the program.
	[ "$status" = 0 ] || expect_status 137
	wait_for 20 grep -q . out
	expect_eq "$(cat out)" full output
	if [ "$status" = 0 ]; then
		expect_err 'memory ran short after [0-9.]* s: from then on nothing was recorded'
		expect_sql hungry.db "SELECT count(*) FROM trace WHERE complete AND lost AND blind_spots LIKE '%memory ran short%'" 1
	fi
	group_end
else
	skip "no memory control group can be made here"
fi
end

done

begin "without memory for pptrace the command ends as it would have, and so does pptrace"
${CC:-cc} -shared -fPIC -O1 -D_GNU_SOURCE -o "$TMP/fail.so" "$ROOT/tests/long/fail_nth.c" -ldl || fail "fail_nth.c"
# shellcheck disable=SC2016
command=(sh -c 'echo begun; "$1" 2 /dev/null 300000; kill -USR1 $$' sh "$PROGRAMS/lock_storm")
for backend in $(backends); do
	run env FAIL_CALL=malloc FAIL_COUNT="$TMP/count" LD_PRELOAD="$TMP/fail.so" "$PPTRACE" run -q --backend="$backend" -o f.db "${command[@]}"
	for part in 5 6 7; do
		run env FAIL_CALL=malloc FAIL_NTH=$(($(cat count) * part / 8)) FAIL_ALWAYS=1 LD_PRELOAD="$TMP/fail.so" \
			"$PPTRACE" run -q --backend="$backend" -o f.db "${command[@]}"
		expect_eq "$status:$(cat out):$(cat err)" "138:begun:pptrace: out of memory" "$backend: status, output, errors"
	done
done
end
