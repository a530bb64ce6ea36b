#!/usr/bin/env bash
# distros.sh - Debian's other releases, by debootstrap: built and checked there; and the library built here in their programs.
# SPDX-License-Identifier: MIT
#
# Run by `make test-distros`. The systems stay in build/distros, so that a second run is quick.
# SUITES="trixie" tries only these. bullseye's libbpf is too old: there it is built with EBPF=0.
. "$(dirname "$0")/../lib.sh"

SUITES=${SUITES:-bullseye trixie sid}
KEEP=${KEEP:-$ROOT/build/distros}

# inside ROOT COMMAND: runs it there, with /proc, /sys, /dev and an environment of its own.
inside()
{
	# shellcheck disable=SC2016
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 unshare --mount --pid --fork --mount-proc="$1/proc" \
		sh -c 'mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" && mount -t tmpfs none "$1/tmp" && exec chroot "$1" sh -c "$2"' \
		sh "$1" "$2"
}

# system_make SUITE: a system of that release in $KEEP/SUITE.
system_make()
{
	[ ! -e "$KEEP/$1/made" ] || return 0
	rm -rf "${KEEP:?}/$1"
	debootstrap --variant=minbase --include=ca-certificates,make "$1" "$KEEP/$1" http://deb.debian.org/debian >"$TMP/log" 2>&1 || return 1
	# A snapshot of sid may be older than its lists allow.
	echo 'Acquire::Check-Valid-Until "false";' >"$KEEP/$1/etc/apt/apt.conf.d/90old"
	touch "$KEEP/$1/made"
}

mkdir -p "$KEEP"
for suite in $SUITES; do
	root=$KEEP/$suite
	begin "$suite: a system can be made"
	if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null || ! unshare -m true 2>/dev/null; then
		skip "needs root, debootstrap and namespaces"
		end
		continue
	fi
	system_make "$suite" || { fail "debootstrap" "$(tail -n 5 "$TMP/log")"; end; continue; }
	end

	begin "$suite: programs start with the library that was built here, and are recorded"
	mkdir -p "$root$BUILD"
	cp "$BUILD/libpptrace-shim.so" "$root$BUILD/"
	echo hello >"$root/greeting"
	for backend in auto shim; do
		LIMIT=30 run "$PPTRACE" run -q --backend="$backend" -o d.db chroot "$root" sh -c 'cat /greeting | cat; (exit 3); exit 4'
		expect_status 4
		expect_eq "$(cat out)" hello "output"
		expect_eq "$(cat err)" "" "stderr"
		expect_sql d.db "SELECT complete, lost FROM trace" "1|0"
	done
	expect_eq "$(chroot "$root" env LD_PRELOAD="$BUILD/libpptrace-shim.so" sh -c 'echo fine; exit 5' 2>&1; echo $?)" $'fine\n5' "preloaded"
	rm -rf "${root:?}$BUILD" "$root/greeting"
	end

	ebpf=EBPF=$([ "$suite" = bullseye ]; echo $?)
	begin "$suite: make deps all check $ebpf, and a demo"
	rm -rf "$root/src"
	mkdir "$root/src"
	git -C "$ROOT" archive HEAD | tar -x -C "$root/src"
	inside "$root" "cd /src && make deps $ebpf && make -j2 all $ebpf && make check $ebpf && build/pptrace demo philosophers" >out 2>err </dev/null
	status=$?
	[ "$status" = 0 ] || fail "status $status" "$(tail -n 30 out)" "$(tail -n 10 err)"
	expect_out ' 0 failed'
	end
done
