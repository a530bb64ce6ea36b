#!/usr/bin/env bash
# user.sh - pptrace run --user: root records, the command is an ordinary user's, and so is the file.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

if [ "$(id -u)" != 0 ]; then
	begin "only root can run a command as another user"
	run "$PPTRACE" run --user nobody true
	expect_status 125
	expect_err '^pptrace: run: only root can run a command as another user'
	end
	exit
fi
chmod 777 "$TMP"

tests()
{
backend=$1

begin "$backend: --user drops root, with the groups and the environment of that user"
run "$PPTRACE" run --backend=$backend --user nobody -o user.db sh -c 'id -u; id -g; id -G; echo $HOME $USER $LOGNAME; grep -E "^(Uid|CapEff)" /proc/self/status'
expect_status 0
expect_eq "$(head -3 out | tr '\n' ' ')" "65534 65534 65534 "
expect_eq "$(sed -n 4p out)" "/nonexistent nobody nobody"
expect_out '^Uid:\s65534\s65534\s65534\s65534$'
expect_out '^CapEff:\s0000000000000000$'
expect_sql user.db "SELECT exit_code, complete FROM trace" "0|1"
end

begin "$backend: a limit of file sizes is the command's, and ends nobody"
# As root in a container, or as somebody else, pptrace may not raise it for itself: it says so.
for prefix in "" "setpriv --reuid=65534 --regid=65534 --clear-groups"; do
	run $prefix bash -c 'ulimit -f 8; exec "$@"' bash "$PPTRACE" run --backend=$backend -o "$TMP/limit.db" sh -c 'ulimit -f; exit 4'
	if [ "$status" = 4 ]; then
		expect_out '^8$|^16$'
	else
		expect_status 125
		expect_err 'File too large|eBPF cannot be used'
	fi
done
run bash -c 'ulimit -S -f 8; exec "$@"' bash "$PPTRACE" run --backend=$backend -o limit.db sh -c 'ulimit -f; exit 4'
expect_status 4
expect_out '^8$|^16$'
end

begin "$backend: every lock operation of that user's programs is recorded"
run "$PPTRACE" run --backend=$backend --user nobody -o locks.db "$DEMOS/adder" --lock --count 4 --delay 0.01
expect_status 0
expect_sql locks.db "SELECT count(*) > 0 FROM lock_hold" 1
expect_sql locks.db "SELECT lost FROM trace" 0
end

begin "$backend: under sudo the file belongs to the invoking user; without, to root"
SUDO_UID=65534 SUDO_GID=65534 run "$PPTRACE" run --backend=$backend --user nobody -o sudo.db true
expect_eq "$(stat -c '%u %g %a' sudo.db)" "65534 65534 600"
run "$PPTRACE" run --backend=$backend --user nobody -o root.db true
expect_eq "$(stat -c '%u %a' root.db)" "0 600"
end

}

# shellcheck disable=SC2046
side_by_side tests $(backends)

begin "a user that is not there, and a program that he may not execute"
run "$PPTRACE" run --user nosuch true
expect_status 125
expect_err "^pptrace: run: there is no user 'nosuch'"
cp /bin/true mine
chmod 700 mine
run "$PPTRACE" run --user nobody ./mine
expect_status 126
end

begin "no arena is left in /dev/shm"
run "$PPTRACE" run --user nobody -o arena.db sh -c 'ls -d /dev/shm/pptrace-arena-$PPID-*; echo /dev/shm/pptrace-arena-$PPID'
for path in $(head -1 out); do
	[ ! -e "$path" ] || fail "$path is still there"
done
end

begin "with a SUDO_UID that is not a number the file stays root's"
SUDO_UID=65534x SUDO_GID=65534 run "$PPTRACE" run -o odd.db true
expect_eq "$(stat -c %u odd.db)" 0
end
