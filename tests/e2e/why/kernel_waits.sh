#!/bin/bash
# kernel_waits.sh - pptrace why for waits whose other side is the kernel: said what they are for, and that they were not judged.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

# says WAY WORDS UNJUDGED: what why says of that wait, as soon as the program is in it.
says()
{
	local tries
	start "$PROGRAMS/kernel_waits" "$1"
	for ((tries = 0; tries < 50; tries++)); do
		kill -0 "$pid" 2>/dev/null || break
		run "$PPTRACE" why "$pid"
		! grep -qE "$2" "$TMP/out" || break
	done
	if ! kill -0 "$pid" 2>/dev/null; then
		skip "this machine lets no program do that"
		return
	fi
	expect_status 0
	expect_out '^No deadlock was found\.'
	expect_out "^  $3: kernel_waits\[[0-9]+\]"
	expect_out "$2"
	stop
}

begin "an io_uring: how many completions of which ring, and what that waits for"
says uring 'waits for its io_uring: 1 completion of the ring on descriptor [0-9]+, which waits for a read' \
	'what the kernel still does for an io_uring'
end

begin "a page that a userfaultfd is to supply: who holds that"
says fault 'waits for a page of memory that the userfaultfd of kernel_waits\[[0-9]+\] is to supply' \
	'whether the holder of a userfaultfd will supply a page'
end

begin "a file on which somebody has a lease"
says lease 'waits for a file: process [0-9]+ holds a lease on it' \
	'when somebody else will let a file be opened \(leases, fanotify\)'
end

begin "a file that a listener of fanotify is to permit"
says permission 'waits for a file: a listener of fanotify is to permit it' \
	'when somebody else will let a file be opened \(leases, fanotify\)'
end

begin "files that are watched"
says watch 'waits for a change to the files that it watches' \
	'who will change the files that are watched \(inotify, fanotify\)'
end

begin "connect to a socket whose queue is full: the socket is named once"
start "$BUILD/tests/corpus/unix_full_backlog"
for ((tries = 0; tries < 50; tries++)); do
	run "$PPTRACE" why "$pid"
	! grep -q 'listening socket' "$TMP/out" || break
done
expect_out '^ +[0-9]+ +unix_full_backl.*: waits for the listening socket [^,]+, for '
stop
end

begin "a netlink socket: of which protocol"
says netlink 'waits for the socket: netlink \(route\)' 'what the kernel, or another process, will send over netlink'
end

if [[ " $(backends) " == *" ebpf "* ]]; then
	begin "eBPF: a netlink socket in a recording"
	run "$PPTRACE" run --backend=ebpf --locks=off --timeout=1 -o "$TMP/n.db" "$PROGRAMS/kernel_waits" netlink
	expect_sql "$TMP/n.db" "SELECT detail FROM wait WHERE reason = 'socket'" 'netlink (route)'
	end
fi
