#!/usr/bin/env bash
# fallback.sh - eBPF fails at every step there is: the command runs as ever, and one sentence names the cause.
# SPDX-License-Identifier: MIT
# LONG=1 (make test-long) tries each error and each limit; else some of them.
. "$(dirname "$0")/../../lib.sh"

# Values of the first argument of bpf(2).
MAP_CREATE=0 MAP_LOOKUP=1 MAP_UPDATE=2 MAP_DELETE=3 PROG_LOAD=5 TEST_RUN=10 OBJ_INFO=15
RAW_TP_OPEN=17 BTF_LOAD=18 BTF_BY_ID=19 MAP_FREEZE=22 LINK_CREATE=28
WINDOW_BYTES=$((4 << 20)) # of the ring, that are mapped at a time

need_ebpf()
{
	[ -n "$have_ebpf" ] || skip "eBPF cannot be used here as it is"
	[ -n "$have_ebpf" ]
}

# traced [WRAPPER...]: runs a command whose output and status are known, and says what recorded it.
traced()
{
	rm -f f.db*
	run "$@" "$PPTRACE" run -o f.db sh -c 'echo hello; (exit 3); (exit 5)'
	backend=$(sql f.db "SELECT backend FROM trace")
}

# Output and status are those of the command, and it was recorded by one way or the other.
expect_recorded()
{
	[ "$status" = 5 ] || fail "$*: status $status" "$(show)"
	[ "$(cat out)" = hello ] || fail "$*: output" "$(show)"
	[ "$(sql f.db 'SELECT complete, count(*) FROM trace, process')" = '1|3' ] ||
		fail "$*: recorded $(sql f.db 'SELECT complete, count(*) FROM trace, process')" "$(show)"
	case $backend in
	shim) grep -q '^pptrace: eBPF cannot be used (.*): recording with the preload library$' err ||
		fail "$*: no reason" "$(show)" ;;
	ebpf | ebpf+shim) ! grep -q 'cannot be used' err || fail "$*: a wrong reason" "$(show)" ;;
	*) fail "$*: backend '$backend'" "$(show)" ;;
	esac
}

traced
have_ebpf=
case $backend in ebpf*) have_ebpf=1 ;; esac

begin "each command of bpf(2) fails with each error: the command runs, recorded, and the reason is said"
if need_ebpf; then
	for command in $MAP_CREATE $MAP_LOOKUP $MAP_UPDATE $MAP_DELETE $PROG_LOAD $TEST_RUN $OBJ_INFO $RAW_TP_OPEN \
		$BTF_LOAD $BTF_BY_ID $MAP_FREEZE $LINK_CREATE; do
		for error in EPERM E2BIG ${LONG:+EINVAL ENOMEM EMFILE}; do
			traced "$PROGRAMS/refuse" "bpf:0=$command=$error" --
			expect_recorded "bpf command $command, $error"
		done
	done
fi
end

begin "the reason is the true one"
if need_ebpf; then
	for step in $MAP_CREATE $PROG_LOAD $MAP_UPDATE; do
		traced "$PROGRAMS/refuse" "bpf:0=$step=ENOMEM" --
		expect_err 'eBPF cannot be used \(there is not enough memory'
		traced "$PROGRAMS/refuse" "bpf:0=$step=EMFILE" --
		expect_err 'eBPF cannot be used \(pptrace may have only [0-9]+ files open at once'
		traced "$PROGRAMS/refuse" "bpf:0=$step=EPERM" --
		expect_err 'eBPF cannot be used \(the kernel refuses eBPF programs to this user'
		traced "$PROGRAMS/refuse" "bpf:0=$step=EINVAL" --
		expect_err "eBPF cannot be used \\(this kernel \\($(uname -r)\\) rejects .*Invalid argument"
	done
	traced "$PROGRAMS/refuse" bpf=ENOSYS --
	expect_err 'eBPF cannot be used \(there is no system call bpf here'
fi
end

begin "the ring cannot be mapped"
if need_ebpf; then
	traced "$PROGRAMS/refuse" "mmap:1=$WINDOW_BYTES=ENOMEM" --
	expect_recorded "mmap"
	expect_eq "$backend" shim backend
	expect_err 'not enough memory'
fi
end

begin "the window of the ring cannot be moved where it stands: it is mapped anew, nothing is lost"
if need_ebpf; then
	# PROT_READ, MAP_SHARED | MAP_FIXED: each but the first.
	run "$PROGRAMS/refuse" "mmap:1=$WINDOW_BYTES:2=1:3=17=ENOMEM" -- "$PPTRACE" run --backend=ebpf --locks=off -o w.db \
		sh -c 'dd if=/dev/zero bs=64 count=60000 2>/dev/null | cat >/dev/null; exit 5'
	expect_status 5
	expect_sql w.db "SELECT complete, lost FROM trace" "1|0"
	expect_sql w.db "SELECT end_kind, exit_code FROM process ORDER BY id LIMIT 1" "exit|5"
fi
end

begin "the command cannot be handed to the programs"
if need_ebpf; then
	for error in ENOSYS EPERM EMFILE; do
		traced "$PROGRAMS/refuse" "pidfd_open=$error" --
		expect_recorded "pidfd_open, $error"
		expect_eq "$backend" shim backend
	done
fi
end

begin "what is useful but not needed may fail"
if need_ebpf; then
	for call in perf_event_open epoll_create1 clone3; do
		traced "$PROGRAMS/refuse" "$call=EPERM" --
		expect_recorded "$call"
		[ "$backend" != shim ] || fail "$call: eBPF was given up" "$(show)"
	done
fi
end

begin "--backend=ebpf is refused with the same reason, and nothing runs"
if need_ebpf; then
	for options in --backend=ebpf "--locks=futex" "--locks=uprobe"; do
		run "$PROGRAMS/refuse" "bpf:0=$PROG_LOAD=ENOMEM" -- "$PPTRACE" run $options -o g.db touch ran
		expect_status 125
		expect_err '^pptrace: eBPF cannot be used: there is not enough memory'
		expect_eq "$(wc -l <err)" 1 "lines of stderr"
		[ ! -e ran ] || fail "$options: the command ran"
	done
fi
end

begin "doctor says what run will say, and why"
if need_ebpf; then
	run "$PPTRACE" doctor --no-cost
	expect_status 0
	expect_out '^works eBPF programs of pptrace'
	expect_out '^pptrace run records with ebpf'
	for step in $MAP_UPDATE $PROG_LOAD $MAP_CREATE $MAP_FREEZE; do
		run "$PROGRAMS/refuse" "bpf:0=$step=E2BIG" -- "$PPTRACE" doctor --no-cost
		expect_status 0
		expect_out '^no +eBPF programs of pptrace'
		expect_out '^pptrace run records with shim'
		expect_out '^      why: +this kernel .*Argument list too long'
	done
fi
end

begin "a kernel without BTF"
if ! need_ebpf; then :; elif ! unshare -m mount -t tmpfs none /sys/kernel/btf 2>/dev/null; then
	skip "no mount namespace can be made"
else
	traced unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh
	expect_recorded "no BTF"
	expect_err 'eBPF cannot be used \(this kernel does not describe its types'
	# That it may not be read is something else.
	run unshare -m sh -c 'mount -t tmpfs -o mode=700 none /sys/kernel/btf && exec "$@"' sh \
		"${nobody[@]}" "$PPTRACE" run --backend=ebpf -o /dev/null true
	expect_status 125
	expect_err 'eBPF cannot be used: /sys/kernel/btf/vmlinux cannot be read: Permission denied'
fi
end

begin "a root without capabilities"
if ! need_ebpf; then :; elif [ "$(id -u)" != 0 ]; then skip "needs root"; else
	for drop in bpf perfmon bpf,-perfmon,-sys_admin; do
		traced setpriv --bounding-set "-sys_admin,-${drop}" --inh-caps "-all" --
		expect_recorded "without $drop"
		[ "$backend" != shim ] || expect_err 'the kernel refuses eBPF programs to this user.*this root lacks them'
	done
fi
end

# Each resource that can run out: pptrace either records, or says that it cannot and runs nothing.
expect_sound()
{
	case $status in
	5) [ "$(cat out)" = hello ] || fail "$*: output" "$(show)" ;;
	125 | 127)
		grep -Eq '^pptrace: |error while loading shared libraries' err || fail "$*: no reason" "$(show)"
		# Without memory to go on, the recording ends in the middle; the command does not.
		[ ! -s out ] || grep -q '^pptrace: out of memory' err || fail "$*: output of a command that did not run" "$(show)"
		;;
	*) fail "$*: status $status" "$(show)" ;;
	esac
}

# limited OPTION VALUE: under that limit of the shell.
limited()
{
	traced sh -c 'ulimit "$1" "$2" && shift 2 && exec "$@"' sh "$1" "$2"
}

begin "few open files: limits from 3 to 64"
ran=0 limits=$(seq 3 $((${LONG:-3})) 64)
for n in $limits; do
	limited -n "$n"
	expect_sound "ulimit -n $n"
	if [ "$status" = 5 ]; then
		ran=$((ran + 1))
		[ "$backend" != shim ] || [ -z "$have_ebpf" ] || grep -q "only $n files open" err ||
			fail "ulimit -n $n: not the true cause" "$(show)"
	fi
done
[ "$ran" -gt $(($(wc -w <<<"$limits") * 2 / 3)) ] || fail "it ran with $ran limits only"
end

begin "little address space: no crash, and the command is as it would be"
for n in $(seq 60000 20000 400000); do
	limited -v "$n"
	expect_sound "ulimit -v $n"
done
end

begin "the command's own limits are those that pptrace was started with"
run sh -c 'ulimit -S -n 100; ulimit -S -l 64; "$@"' sh "$PPTRACE" run -o l.db \
	sh -c 'ulimit -S -n; ulimit -H -n; ulimit -S -l; ulimit -H -l'
expect_status 0
expect_eq "$(cat out)" "$(sh -c 'ulimit -S -n 100; ulimit -S -l 64; ulimit -S -n; ulimit -H -n; ulimit -S -l; ulimit -H -l')" limits
end

begin "a kernel that cannot be asked for pages (before 5.14): the preload library records all the same"
for backend in shim auto; do
	# MADV_POPULATE_READ and MADV_POPULATE_WRITE
	run "$PROGRAMS/refuse" madvise:2=22=EINVAL madvise:2=23=EINVAL -- \
		"$PPTRACE" run --backend="$backend" -o m.db "$DEMOS/philosophers" --fixed
	expect_status 0
	expect_sql m.db "SELECT complete, lost, (SELECT count(*) FROM thread) FROM trace" "1|0|6"
	expect_sql m.db "SELECT count(*) > 4 FROM lock_hold" 1
done
end
