#!/usr/bin/env bash
# cgroup.sh - attach and why, of control groups and containers.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# Where a group can be made: version 2, or the PID controller of version 1.
mount=$(awk '$3 == "cgroup2" || ($3 == "cgroup" && $4 ~ /pids/) { print $2; exit }' /proc/self/mounts)
group=$mount/pptrace-test-$$
id=$(printf '%064x' "$$")

pids=()
remove()
{
	kill -9 "${pids[@]}" 2>/dev/null
	until rmdir "$group/docker-$id.scope" "$group/below" "$group" 2>/dev/null || [ ! -e "$group" ]; do sleep 0.05; done
}

# in_group DIR COMMAND...: runs it there in the background.
in_group()
{
	mkdir -p "$1"
	# shellcheck disable=SC2016
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$@" >/dev/null 2>&1 &
	pids+=($!)
	disown
}

begin "a control group: its processes, and those of the groups below"
if [ "$(id -u)" != 0 ] || [ -z "$mount" ] || ! mkdir "$group" 2>/dev/null; then
	skip "no control group can be made here"
	end
	exit 0
fi
trap 'remove; finish' EXIT
in_group "$group" sleep 1000
in_group "$group/below" "$BUILD/demos/deadlock-abba"
in_group "$group/docker-$id.scope" "$BUILD/demos/deadlock-self"
# stuck PID N: N of its threads sit in a futex.
stuck()
{
	[ "$(grep -c '^202 ' /proc/"$1"/task/*/syscall | grep -c ':1')" = "$2" ]
}
wait_for 20 stuck "${pids[1]}" 3
wait_for 20 grep -q '^202 ' "/proc/${pids[2]}/syscall"
run "$PPTRACE" why --cgroup "$group"
expect_status 1
expect_out "^sleep\[${pids[0]}\]"
expect_out '^error: deadlock: thread [0-9]+ of deadlock-abba'
expect_out '^error: deadlock: .*deadlock-self'
run "$PPTRACE" why --cgroup "/$(basename "$group")/below"
expect_status 1
expect_out 'deadlock-abba'
expect_eq "$(grep -cE 'sleep|deadlock-self' out)" 0 'lines about others'
run "$PPTRACE" attach --watch 300ms --on-deadlock=kill -o g.db --cgroup "$group/below"
expect_status 124
expect_sql g.db "SELECT count(*), min(name) FROM process" '1|deadlock-abba'
end

begin "a container: by its ID, by a part of it, by its name"
for name in "$id" "${id:0:12}"; do
	run "$PPTRACE" why --container "$name"
	expect_out '^error: deadlock: .*deadlock-self'
	expect_eq "$(grep -cE 'sleep|deadlock-abba' out)" 0 'lines about others'
done
# What Docker writes about it, where this test alone sees it.
# shellcheck disable=SC2016
run unshare -m sh -c 'mount -t tmpfs none /var/lib && mkdir -p "/var/lib/docker/containers/$1" &&
	echo "{\"ID\": \"$1\", \"Name\": \"/web\"}" >"/var/lib/docker/containers/$1/config.v2.json" &&
	exec "$2" why --container web' sh "$id" "$PPTRACE"
expect_out '^error: deadlock: .*deadlock-self'
# shellcheck disable=SC2016
run unshare -m sh -c 'mount -t tmpfs none /var/lib && mkdir -p /var/lib/containers/storage/overlay-containers &&
	echo "[{\"id\": 7}, {\"id\": \"$1\", \"names\": [\"db\", \"web\"]}, []]" >/var/lib/containers/storage/overlay-containers/containers.json &&
	exec "$2" why --container web' sh "$id" "$PPTRACE"
expect_out '^error: deadlock: .*deadlock-self'
end

begin "a group or container that is not there, or has nobody in it, is said"
run "$PPTRACE" attach --cgroup /no/such/group
expect_status 2
expect_err "^pptrace: there is no control group '/no/such/group'$"
mkdir "$group/empty"
run "$PPTRACE" attach --cgroup "$group/empty"
expect_status 2
expect_err "^pptrace: the control group '.*/empty' has no processes that can be seen from here$"
rmdir "$group/empty"
for name in nosuch "${id:0:8}" '' ../..; do
	run "$PPTRACE" why --container "$name"
	expect_status 2
	expect_err "^pptrace: there is no container '$name'$"
done
end
