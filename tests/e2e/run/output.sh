#!/usr/bin/env bash
# output.sh - pptrace run: files that cannot be written, must be kept, or fill the disk.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

begin "the file is of mode 0600 and one plain file"
run "$PPTRACE" run -o mode.db true
expect_status 0
expect_eq "$(stat -c %a mode.db)" 600
expect_eq "$(echo mode.db*)" mode.db
expect_sql mode.db "PRAGMA integrity_check" ok
expect_sql mode.db "SELECT complete FROM trace" 1
end

begin "an older recording is kept as .old"
run "$PPTRACE" run -q -o keep.db sh -c 'exit 1'
run "$PPTRACE" run -q -o keep.db sh -c 'exit 2'
expect_sql keep.db "SELECT exit_code FROM trace" 2
expect_sql keep.db.old "SELECT exit_code FROM trace" 1
end

begin "a file that is not ours is left alone"
echo precious >foreign.db
run "$PPTRACE" run -o foreign.db sh -c 'echo ran'
expect_status 125
expect_eq "$(cat foreign.db)" precious
expect_eq "$(cat out)" ''
sqlite3 other.db "CREATE TABLE t(x); INSERT INTO t VALUES (7)"
run "$PPTRACE" run -o other.db true
expect_status 125
expect_sql other.db "SELECT x FROM t" 7
end

begin "a file of a newer pptrace is kept"
run "$PPTRACE" run -q -o newer.db sh -c 'exit 9'
sqlite3 newer.db "PRAGMA user_version = 999"
run "$PPTRACE" run -q -o newer.db true
[ -e newer.db.old ] && mv newer.db.old newer.db
sql newer.db "SELECT exit_code FROM trace" >got
expect_eq "$(cat got)" 9
end

begin "a truncated recording at the same place is not overwritten without a word"
run "$PPTRACE" run -q -o cut.db true
head -c 3000 cut.db >cut2.db
run "$PPTRACE" run -o cut2.db true
case $status in
0) [ -e cut2.db.old ] || fail "the truncated file is gone" ;;
125) expect_eq "$(stat -c %s cut2.db)" 3000 ;;
*) fail "status $status" ;;
esac
end

begin "directories, missing directories and symlinks are refused with a sentence"
mkdir dir
run "$PPTRACE" run -o dir true
expect_status 125
expect_err .
run "$PPTRACE" run -o missing/x.db true
expect_status 125
expect_err missing/x.db
echo safe >victim
ln -s victim link.db
run "$PPTRACE" run -o link.db true
expect_eq "$(cat victim)" safe
expect_status 125
end

begin "a directory that may not be written to"
mkdir ro
if [ "$(id -u)" = 0 ]; then
	run "${nobody[@]}" "$PPTRACE" run --backend=shim -o ro/x.db true
else
	chmod 555 ro
	run "$PPTRACE" run -o ro/x.db true
fi
expect_status 125
expect_err .
end

begin "kill -9 to pptrace leaves the command running and a readable file"
background timeout 60 "$PPTRACE" run -o killed.db sh -c 'echo $PPID; i=0; while [ ! -e go ]; do i=$((i+1)); sleep 0.05; done; echo finished'
wait_for 20 test -s out
stored()
{
	[ "$(sql killed.db 'SELECT count(*) >= 2 FROM process')" = 1 ]
}
wait_for 20 stored
kill -9 "$(head -1 out)"
wait_end
touch go
wait_for 10 grep -q finished out
expect_sql killed.db "SELECT complete FROM trace" 0
expect_eq "$(sql killed.db 'SELECT count(*) >= 2 FROM process')" 1
end

begin "a full disk stops the recording, not the command"
if [ "$(id -u)" != 0 ] || ! { mkdir full && mount -t tmpfs -o size=900k tmpfs full; } 2>/dev/null; then
	skip "no tmpfs can be mounted"
else
	run "$PPTRACE" run -q -o full/x.db sh -c 'i=0; while [ $i -lt 3000 ]; do /bin/true; i=$((i+1)); done; echo finished; exit 3'
	expect_status 3
	expect_out finished
	expect_err 'recording'
	expect_eq "$(grep -c . err)" 1 "lines on stderr"
	umount full
fi
end
