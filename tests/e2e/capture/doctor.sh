#!/usr/bin/env bash
# doctor.sh - what pptrace says about the machine, and when it may not record.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# Runs as the user nobody, with only these capabilities ("-all,+bpf").
limited()
{
	local ambient=${1#-all}
	shift
	ambient=${ambient#,}
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		${ambient:+--inh-caps="$ambient" --ambient-caps="$ambient"} -- "$@"
}

# What an ordinary user may write to.
mkdir open
chmod 777 open

begin "every capability works, or says why not, what happens instead and what to do"
run "$PPTRACE" doctor --no-cost
expect_status 0
expect_out '^works eBPF programs of pptrace'
expect_out '^works preload library'
expect_out '^pptrace run records with '
expect_eq "$(grep -c '^no ' out)" "$(grep -c '^      why: ' out)" "reasons"
# Each use begins in one column: no name is longer than its place.
expect_eq "$(grep -cE '^(works|no   ) [^ ].{27} [^ ]' out)" "$(grep -cE '^(works|no) ' out)" "lines whose use stands in its column"
end

begin "what the recording cannot contain is said"
expect_out '^what such a recording cannot contain'
if [ "$(id -u)" = 0 ]; then
	limited -all "$PPTRACE" doctor --no-cost
fi
expect_out 'Static programs, programs of another C library'
expect_out 'System calls made without the C library are not recorded'
end

begin "costs are measured"
if [ "$(id -u)" != 0 ]; then skip "no eBPF permission"; else
	run "$PPTRACE" doctor
	expect_status 0
	expect_out 'a system call of a program that is not traced, meanwhile +[0-9]+ ns natively'
	expect_out 'through uprobes .* ns natively'
	expect_out 'through the preload library .* ns natively'
	# Recording saves no time: what is below the accuracy of the measurement is said to be.
	expect_eq "$(grep -cE 'natively, (\+[0-9]+ ns|no measurable difference)$' out)" 4 "costs with a sign"
fi
end

begin "unknown arguments"
run "$PPTRACE" doctor now
expect_status 2
run "$PPTRACE" doctor --now
expect_status 2
end

begin "an ordinary user learns what eBPF needs, and gets the preload library instead"
if [ "$(id -u)" != 0 ]; then skip "needs root to become nobody"; else
	limited -all "$PPTRACE" run --backend=ebpf -o open/x.db true
	expect_status 125
	expect_err 'eBPF cannot be used: .*cap_bpf,cap_perfmon'
	[ ! -e open/x.db ] || fail "a file was made"
	limited -all "$PPTRACE" run -o open/x.db sh -c 'exit 3'
	expect_status 3
	expect_err 'recording with the preload library'
	expect_sql open/x.db "SELECT backend, complete FROM trace" "shim|1"
	limited -all "$PPTRACE" doctor --no-cost
	expect_status 0
	expect_out '^no +loading BPF programs'
	expect_out 'setcap cap_bpf,cap_perfmon'
	expect_out '^pptrace run records with shim'
fi
end

begin "CAP_BPF and CAP_PERFMON are enough for everything"
if [ "$(id -u)" != 0 ]; then skip "needs root to become nobody"; else
	for locks in futex uprobe shim; do
		limited -all,+bpf,+perfmon "$PPTRACE" run --backend=ebpf --locks=$locks -o open/y.db sh -c 'true | true; exit 3'
		expect_status 3
		expect_sql open/y.db "SELECT complete, lost FROM trace" "1|0"
		expect_sql open/y.db "SELECT count(*) FROM process" 3
	done
fi
end

begin "file capabilities (setcap) are enough for an ordinary user, as doctor advises"
setcap=$(command -v setcap || echo /sbin/setcap)
mkdir -p given/bin
cp "$PPTRACE" "$BUILD/libpptrace-shim.so" given/bin
if [ "$(id -u)" != 0 ]; then skip "needs root to become nobody"
elif ! "$setcap" cap_bpf,cap_perfmon=ep given/bin/pptrace 2>/dev/null; then skip "file capabilities cannot be set here"
else
	limited -all given/bin/pptrace doctor
	expect_status 0
	# tracefs is not needed; only root may read it.
	expect_eq "$(grep '^no ' out | grep -v tracefs)" "" "what does not work"
	expect_out '^pptrace run records with ebpf\+shim; locks by the preload library$'
	! grep -q 'setcap\|gains privileges' out || fail "advice that was followed, or a sentence about pptrace itself" "$(show)"
	limited -all given/bin/pptrace run -o open/cap.db "$DEMOS/philosophers" --fixed
	expect_status 0
	expect_err 'open/cap.db'
	expect_sql open/cap.db "SELECT backend, complete, lost FROM trace" "ebpf+shim|1|0"
	expect_sql open/cap.db "SELECT count(*) > 4 FROM lock_hold" 1
	limited -all given/bin/pptrace run --on-deadlock=kill -o open/dead.db "$DEMOS/deadlock-abba"
	expect_status 124
	# With such a file an ordinary user gets nothing of root's.
	sleep 1000 &
	limited -all given/bin/pptrace attach -o open/root.db $!
	expect_status 125
	limited -all given/bin/pptrace why $!
	expect_status 2
	kill $!
	limited -all given/bin/pptrace run -o /etc/pptrace-test.db true
	expect_status 125
	[ ! -e /etc/pptrace-test.db ] || fail "a file was made where this user may make none"
fi
end

begin "a static program is recorded by the kernel's side alone"
cat >static.c <<'C'
int main(void) { return 4; }
C
if ! cc -static -o static static.c 2>/dev/null; then skip "no static libc"; else
	if [ "$(id -u)" = 0 ]; then
		run "$PPTRACE" run -o s.db ./static
		expect_status 4
		expect_err 'is static'
		expect_sql s.db "SELECT lock_source FROM exec" futex
	fi
	run "$PPTRACE" run --backend=shim -o s2.db ./static
	expect_status 125
	expect_err 'is static'
fi
end
