# titles.sh - what processes call themselves (setproctitle), and when.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

title=$BUILD/tests/programs/title
room=a-long-word-that-leaves-room-for-titles-of-every-kind

for backend in ebpf shim; do
	begin "$backend: each process is called what it calls itself, as it was at that time"
	case " $(backends) " in
	*" $backend "*) ;;
	*)
		skip "needs root"
		continue
		;;
	esac
	run "$PPTRACE" run --backend=$backend --watch=50ms -o $backend.db "$title" $room
	expect_status 0
	# Of what a process became when it was about to end only eBPF knows.
	for n in 1 2; do
		expect_sql $backend.db "SELECT count(DISTINCT title) FROM title WHERE title IN ('title: worker $n idle', 'title: worker $n UPDATE waiting')" 2
		expect_sql $backend.db "SELECT count(*) FROM process WHERE title LIKE 'title: worker $n %'" 1
	done
	expect_sql $backend.db "SELECT count(*) FROM title WHERE title NOT LIKE 'title: %'" 0
	idle=$(sql $backend.db "SELECT max(ts_ns) FROM title WHERE title LIKE '%idle'")
	update=$(sql $backend.db "SELECT max(ts_ns) FROM title WHERE title LIKE '%UPDATE waiting'")
	# A worker that calls itself idle is about to read.
	run "$PPTRACE" waits -T txt --at $((idle + 1000000))ns $backend.db
	expect_out '^title: worker 1 idle  pid'
	run "$PPTRACE" waits -T txt --at $((update + 1000000))ns $backend.db
	expect_out '^title: worker 2 UPDATE waiting  pid'
	run "$PPTRACE" events -k title $backend.db
	expect_out 'calls itself title: worker 1 UPDATE waiting'
	# Who is asked for by the name of the program is found whatever it calls itself.
	run "$PPTRACE" events -p title -k title $backend.db
	expect_out 'calls itself title: worker 1 UPDATE waiting'
	end
done

begin "what was said on the way out is there, and arguments that are put back are no title"
if [ ! -e ebpf.db ]; then
	skip "needs root"
else
	expect_sql ebpf.db "SELECT count(*) FROM process WHERE title LIKE 'title: worker % gone'" 2
	expect_sql ebpf.db "SELECT title IS NULL FROM process WHERE parent_id IS NULL" 1
	run "$PPTRACE" tree -T txt ebpf.db
	expect_out 'title: worker 1 gone'
fi
end

begin "a hostile title stays a text"
run "$PPTRACE" run --watch=50ms -o evil.db python3 -c '
import ctypes, os, time
start = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[45])
ctypes.memmove(start, b"\x1b[31m<script>\xff\n\"; DROP\0", 24)
time.sleep(0.4)' "$room" "$room"
expect_status 0
expect_sql evil.db "SELECT count(*) FROM title WHERE title LIKE '%<script>%'" 1
for view in "tree -T txt" "timeline -T txt" "events -k title"; do
	run "$PPTRACE" $view evil.db
	expect_status 0
	! grep -q "$(printf '\033')\[31m<script>" out || fail "$view: an escape sequence"
	iconv -f utf-8 -t utf-8 out >/dev/null || fail "$view: no UTF-8"
done
run "$PPTRACE" report -o evil.html evil.db
expect_status 0
! grep -q '<script>[^"]*DROP' evil.html || fail "markup"
end

begin "why: a process that was found is called by its title"
background "$title" $room
pid=$!
until tr '\0' '\n' <"/proc/$pid/cmdline" | grep -q 'title: master'; do :; done
run "$PPTRACE" why $pid
expect_out "^title: master process\[$pid\]\$"
wait_end $pid
end
