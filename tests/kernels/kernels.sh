#!/usr/bin/env bash
# kernels.sh - Debian's cloud kernels in an emulated machine: what works on which. Run by `make test-kernels`.
# SPDX-License-Identifier: MIT
#
# The kernels are Debian packages, fetched into build/kernels with an apt of its own:
# nothing is installed and the machine's sources stay as they are. What was measured goes
# into doc/platforms.md. MACHINES="sid:amd64 bookworm:arm64" tries only these. For arm64 pptrace is built first
# (make CROSS=aarch64-linux-gnu-), with what tools/sysroot.sh fetches.
. "$(dirname "$0")/../lib.sh"

ALL="bullseye:amd64 bookworm:amd64 trixie:amd64 sid:amd64 bookworm:arm64"
MACHINES=${MACHINES:-$ALL}
BACKENDS="ebpf auto shim"
TESTS="doctor fork-count deadlock-abba pipes philosophers philosophers-fixed pipe-leak output-and-status kill-9"
CACHE=$BUILD/kernels
INSNS_MOST=500000 # half of what the verifier accepts

# apt_root MACHINE: prints the options of an apt that knows this suite and processor alone.
apt_root()
{
	local root=$CACHE/$1 suite=${1%:*}
	mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
	{
		echo "deb http://deb.debian.org/debian $suite main"
		[ "$suite" = sid ] || echo "deb http://deb.debian.org/debian-security $suite-security main"
	} >"$root/sources.list"
	cat >"$root/apt.conf" <<-X
		Dir::Etc::sourcelist "$root/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$root/lists";
		Dir::Cache "$root/cache";
		APT::Architecture "${1#*:}";
		APT::Architectures "${1#*:}";
		Acquire::Languages "none";
		APT::Sandbox::User "root";
	X
	echo "$root/apt.conf"
}

# depends CONFIG PACKAGE PATTERN: the package that it depends on with such a name.
depends()
{
	APT_CONFIG=$1 apt-cache depends "$2" 2>/dev/null | sed -nE "s/^ *Depends: ($3)\$/\\1/p" | head -n 1
}

# kernel_fetch MACHINE: leaves the kernel in $CACHE/MACHINE/vmlinuz. Returns 1 if it cannot be had.
kernel_fetch()
{
	local root=$CACHE/$1 config package binary deb
	[ -z "$(find "$root/vmlinuz" -mtime -7 2>/dev/null)" ] || return 0
	config=$(apt_root "$1")
	APT_CONFIG=$config apt-get -q update >"$root/log" 2>&1 || return 1
	package=$(depends "$config" "linux-image-cloud-${1#*:}" 'linux-image-[0-9][^ ]*')
	[ -n "$package" ] || return 1
	# Since 7.x the kernel itself is in a package of its own.
	binary=$(depends "$config" "$package" 'linux-binary-[0-9][^ ]*')
	rm -f "$root"/*.deb
	(cd "$root" && APT_CONFIG=$config apt-get -q download "${binary:-$package}") >>"$root/log" 2>&1 || return 1
	deb=$(ls "$root"/*.deb)
	rm -rf "$root/files"
	mkdir "$root/files"
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root/files" --wildcards '*vmlinuz*' || return 1
	find "$root/files" -name 'vmlinuz*' -type f -exec cp {} "$root/vmlinuz" \;
	touch "$root/vmlinuz"
}

# libraries ROOT TRIPLET FILE...: what they are linked with, as found in the system at ROOT.
libraries()
{
	local root=$1 triplet=$2 found=" " name path queue
	shift 2
	queue=("$@")
	while [ ${#queue[@]} -gt 0 ]; do
		set -- "${queue[@]}"
		queue=()
		for name in $(readelf -dl "$@" 2>/dev/null | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p; s/.*program interpreter: (.*)\]/\1/p' | sort -u); do
			[[ $found != *" $name "* ]] || continue
			found="$found$name "
			case $name in
			/*) path=$name ;;
			*) path=/lib/$triplet/$name ;;
			esac
			[ -e "$root$path" ] || path=/usr$path
			[ -e "$root$path" ] || continue
			echo "$path"
			queue+=("$root$path")
		done
	done
}

# build_for ARCH: sets root (of its system), triplet and build; for another processor than this it is built first.
build_for()
{
	root='' triplet=x86_64-linux-gnu build=$BUILD
	[ "$1" = arm64 ] || return 0
	root=$ROOT/build/sysroot/aarch64 triplet=aarch64-linux-gnu build=$ROOT/build/aarch64
	make --no-print-directory -C "$ROOT" -j2 CROSS=aarch64-linux-gnu- sysroot >"$CACHE/build.log" 2>&1 &&
		make --no-print-directory -C "$ROOT" -j2 CROSS=aarch64-linux-gnu- all build/aarch64/tests/kernels/insns >>"$CACHE/build.log" 2>&1
}

# initrd_make ARCH: what its machines start with: busybox, pptrace, the demos and what they are linked with.
initrd_make()
{
	local top=$TMP/$1 file root triplet build
	build_for "$1" || return 1
	mkdir -p "$top"/{bin,sbin,proc,sys,dev,tmp,pp/demos}
	cp "$root/bin/busybox" "$top/bin/busybox"
	for file in mount poweroff kill grep sed sort tail head tr timeout uname mkdir seq rm; do
		ln -s busybox "$top/bin/$file"
	done
	# Linked with the C library, as what is traced must be for the preload library.
	cp "$root/bin/dash" "$root/bin/cat" "$root/bin/sleep" "$top/bin/"
	# doctor tries the preload library in the shell.
	ln -s dash "$top/bin/sh"
	cp "$build/pptrace" "$build/libpptrace-shim.so" "$build/tests/kernels/insns" "$top/pp/"
	find "$build/demos" -maxdepth 1 -type f -exec cp {} "$top/pp/demos/" \;
	libraries "$root" "$triplet" "$top"/pp/{pptrace,libpptrace-shim.so,insns} "$top"/pp/demos/* "$top"/bin/{busybox,dash,cat,sleep} | sort -u |
		while read -r file; do
			mkdir -p "$top$(dirname "$file")"
			cp -L "$root$file" "$top$file"
		done
	cp "$ROOT/tests/kernels/guest.sh" "$top/init"
	chmod +x "$top/init"
	(cd "$top" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$TMP/$1.initrd"
}

# boot MACHINE: what it says goes to $CACHE/MACHINE.log.
boot()
{
	# Where each processor has a thread of its own, one of them may still run an instruction that another has replaced
	# since: Linux 6.12 and 7.2 panicked ("Oops: int3") when a static branch was switched on a busy machine.
	local console=ttyS0 qemu=(qemu-system-x86_64 -M q35 -cpu max -accel "tcg,thread=single")
	[ "${1#*:}" != arm64 ] || console=ttyAMA0 qemu=(qemu-system-aarch64 -M virt -cpu "max,pauth-impdef=on")
	timeout -k 5 "${KERNEL_LIMIT:-6600}" "${qemu[@]}" -smp 2 -m 1500M -display none \
		-no-reboot -nodefaults -serial stdio -kernel "$CACHE/$1/vmlinuz" -initrd "$TMP/${1#*:}.initrd" \
		-append "console=$console quiet panic=-1 mitigations=off no_timer_check" </dev/null >"$CACHE/$1.raw" 2>&1
	tr -d '\r' <"$CACHE/$1.raw" >"$CACHE/$1.log"
}

# edition_wanted MACHINE: the edition of the eBPF programs that its kernel must take.
edition_wanted()
{
	case $1 in
	bullseye:*) echo old ;;
	bookworm:*) echo plain ;; # bpf_rdonly_cast is there from Linux 6.2 on
	*) echo casts ;;
	esac
}

# said MACHINE TEST BACKEND: "ok", "no", or nothing if it was not tried.
said()
{
	sed -n "s/^= $2 $3 \\(ok\\|no\\).*/\\1/p" "$CACHE/$1.log" | head -n 1
}

# detail MACHINE TEST: what stands behind the ok.
detail()
{
	sed -n "s/^= $2 - ok //p" "$CACHE/$1.log" | head -n 1
}

# row TEST BACKEND: one line of the table.
row()
{
	local suite
	printf '| %s | %s |' "$1" "$2"
	for suite in $tried; do printf ' %s |' "$(said "$suite" "$1" "$2" | grep . || echo "not tried")"; done
	echo
}

# title MACHINE: how the table calls it.
title()
{
	[ "${1#*:}" = amd64 ] && echo "${1%:*}" || echo "${1%:*}, ${1#*:}"
}

document()
{
	local suite test backend
	cat <<-'X'
		# What works on which kernel

		Written by `make test-kernels` from what it measured: Debian's cloud kernels, each started in an emulated
		machine (qemu, 2 processors) with pptrace as it was built here. Do not edit.

	X
	printf '| | |'
	for suite in $tried; do printf ' %s |' "$(title "$suite")"; done
	printf '\n|---|---|'
	for suite in $tried; do printf '%s' '---|'; done
	printf '\n| kernel | |'
	for suite in $tried; do printf ' %s |' "$(detail "$suite" kernel)"; done
	printf '\n| edition of the eBPF programs | |'
	for suite in $tried; do printf ' %s |' "$(detail "$suite" edition)"; done
	printf '\n| largest program, instructions verified (of 1,000,000) | |'
	for suite in $tried; do printf ' %s |' "$(detail "$suite" insns)"; done
	echo
	for test in $TESTS; do
		for backend in $BACKENDS; do row "$test" "$backend"; done
	done
	row why -
	row attach ebpf
	cat <<-'X'

		`auto` is the default: eBPF, and the preload library for locks. The editions are in `probes/ebpf/kernel/edition.h`.
		`output-and-status`: a pipeline's output and exit status are those without pptrace. `kill-9`: pptrace is killed;
		the command goes on to its end, and what was recorded can be read.
	X
}

missing=
for tool in qemu-system-x86_64 busybox cpio dpkg-deb apt-get readelf; do
	command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || missing="$missing x86-64"
[[ $MACHINES != *arm64* ]] || command -v qemu-system-aarch64 >/dev/null || missing="$missing qemu-system-aarch64"
if [ -n "$missing" ]; then
	begin "Debian's kernels"
	skip "not here:$missing (make deps-long)"
	end
	exit
fi

mkdir -p "$CACHE"
tried=
for machine in $MACHINES; do
	[ -e "$TMP/${machine#*:}.initrd" ] || initrd_make "${machine#*:}" || {
		begin "$machine"
		fail "pptrace cannot be built for it" "$(tail -n 5 "$CACHE/build.log")"
		end
		continue
	}
	if kernel_fetch "$machine"; then
		tried="$tried $machine"
		boot "$machine" &
	else
		begin "$machine"
		skip "its kernel cannot be fetched: $(tail -n 1 "$CACHE/$machine/log" 2>/dev/null)"
		end
	fi
done
wait
for machine in $tried; do
	begin "$machine"
	grep -q '^= end - ok' "$CACHE/$machine.log" || fail "it did not come to its end:" "$(tail -n 5 "$CACHE/$machine.log")"
	for line in $TESTS; do
		for backend in $BACKENDS; do
			[ "$(said "$machine" "$line" "$backend")" = ok ] ||
				fail "$line, $backend: $(grep "^= $line $backend" "$CACHE/$machine.log")"
		done
	done
	[ "$(said "$machine" why -)" = ok ] || fail "why: $(grep "^= why" "$CACHE/$machine.log")"
	[ "$(said "$machine" attach ebpf)" = ok ] || fail "attach: $(grep "^= attach" "$CACHE/$machine.log")"
	echo "# $machine: $(detail "$machine" kernel), edition $(detail "$machine" edition), most instructions: $(detail "$machine" insns)"
	[ "$(detail "$machine" edition)" = "$(edition_wanted "$machine")" ] ||
		fail "it takes the edition $(detail "$machine" edition):" "$(grep ' refused: ' "$CACHE/$machine.log" | head -n 5)"
	n=$(detail "$machine" insns | sed 's/.* //')
	[ "${n:-$INSNS_MOST}" -lt $INSNS_MOST ] || fail "a program needs ${n:-an unknown number of} instructions of the verifier"
	end
done

begin "what was measured is written down"
if [ "$tried" = " $ALL" ]; then
	document >"$ROOT/doc/platforms.md"
else
	skip "not all kernels were tried:$tried"
fi
end
