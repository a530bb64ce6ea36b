#!/usr/bin/env bash
# kernels.sh - Debian's cloud kernels in an emulated machine: what works on which. Run by `make test-kernels`.
# SPDX-License-Identifier: MIT
#
# The kernels are Debian packages, fetched into build/kernels with an apt of its own:
# nothing is installed and the machine's sources stay as they are. What was measured goes
# into doc/platforms.md. SUITES="bullseye sid" tries only these.
. "$(dirname "$0")/../lib.sh"

SUITES=${SUITES:-bullseye bookworm trixie sid}
BACKENDS="ebpf auto shim"
TESTS="doctor fork-count deadlock-abba pipes philosophers philosophers-fixed pipe-leak output-and-status kill-9"
CACHE=$BUILD/kernels
INSNS_MOST=500000 # half of what the verifier accepts

# apt_root SUITE: prints the options of an apt that knows this suite alone.
apt_root()
{
	local root=$CACHE/$1
	mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
	{
		echo "deb http://deb.debian.org/debian $1 main"
		[ "$1" = sid ] || echo "deb http://deb.debian.org/debian-security $1-security main"
	} >"$root/sources.list"
	cat >"$root/apt.conf" <<-X
		Dir::Etc::sourcelist "$root/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$root/lists";
		Dir::Cache "$root/cache";
		APT::Architecture "amd64";
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

# kernel_fetch SUITE: leaves the kernel in $CACHE/SUITE/vmlinuz. Returns 1 if it cannot be had.
kernel_fetch()
{
	local root=$CACHE/$1 config package binary deb
	[ -z "$(find "$root/vmlinuz" -mtime -7 2>/dev/null)" ] || return 0
	config=$(apt_root "$1")
	APT_CONFIG=$config apt-get -q update >"$root/log" 2>&1 || return 1
	package=$(depends "$config" linux-image-cloud-amd64 'linux-image-[0-9][^ ]*')
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

# initrd_make: what the machine starts with: busybox, pptrace, the demos and what they are linked with.
initrd_make()
{
	local top=$TMP/root file library
	mkdir -p "$top"/{bin,sbin,proc,sys,dev,tmp,pp/demos}
	cp "$(command -v busybox)" "$top/bin/busybox"
	for file in sh mount poweroff kill grep sed sort tail head tr timeout uname mkdir seq rm; do
		ln -s busybox "$top/bin/$file"
	done
	# Linked with the C library, as what is traced must be for the preload library.
	cp "$(command -v dash)" "$(command -v cat)" "$(command -v sleep)" "$top/bin/"
	cp "$PPTRACE" "$BUILD/libpptrace-shim.so" "$BUILD/tests/kernels/insns" "$top/pp/"
	cp "$DEMOS"/* "$top/pp/demos/"
	for file in "$top"/pp/* "$top"/pp/demos/* "$top"/bin/{dash,cat,sleep}; do
		[ -d "$file" ] || ldd "$file" 2>/dev/null
	done | sed -nE 's/.*=> (\/[^ ]*) .*/\1/p; s/^[[:space:]](\/[^ ]*) .*/\1/p' | sort -u |
		while read -r library; do
			mkdir -p "$top$(dirname "$library")"
			cp -L "$library" "$top$library"
		done
	cp "$ROOT/tests/kernels/guest.sh" "$top/init"
	chmod +x "$top/init"
	(cd "$top" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$TMP/initrd"
}

# boot SUITE: what the machine says goes to $CACHE/SUITE.log.
boot()
{
	timeout -k 5 "${KERNEL_LIMIT:-3600}" qemu-system-x86_64 -M q35 -cpu max -smp 2 -m 1500M -display none \
		-no-reboot -nodefaults -serial stdio -kernel "$CACHE/$1/vmlinuz" -initrd "$TMP/initrd" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off" </dev/null >"$CACHE/$1.raw" 2>&1
	tr -d '\r' <"$CACHE/$1.raw" >"$CACHE/$1.log"
}

# said SUITE TEST BACKEND: "ok", "no", or nothing if it was not tried.
said()
{
	sed -n "s/^= $2 $3 \\(ok\\|no\\).*/\\1/p" "$CACHE/$1.log" | head -n 1
}

# detail SUITE TEST: what stands behind the ok.
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

document()
{
	local suite test backend
	cat <<-'X'
		# What works on which kernel

		Written by `make test-kernels` from what it measured: Debian's cloud kernels, each started in an emulated
		machine (qemu, x86-64, 2 processors) with pptrace as it was built here. Do not edit.

	X
	printf '| | |'
	for suite in $tried; do printf ' %s |' "$suite"; done
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

		`auto` is the default: eBPF, and the preload library for locks. The editions are in `probes/ebpf/edition.h`.
		`output-and-status`: a pipeline's output and exit status are those without pptrace. `kill-9`: pptrace is killed;
		the command goes on to its end, and what was recorded can be read.
	X
}

missing=
for tool in qemu-system-x86_64 busybox cpio dpkg-deb apt-get; do
	command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || missing="$missing x86-64"
if [ -n "$missing" ]; then
	begin "Debian's kernels"
	skip "not here:$missing (make deps-long)"
	end
	exit
fi

mkdir -p "$CACHE"
initrd_make
tried=
for suite in $SUITES; do
	if kernel_fetch "$suite"; then
		tried="$tried $suite"
		boot "$suite" &
	else
		begin "$suite"
		skip "the kernel of $suite cannot be fetched: $(tail -n 1 "$CACHE/$suite/log" 2>/dev/null)"
		end
	fi
done
wait
for suite in $tried; do
	begin "$suite"
	grep -q '^= end - ok' "$CACHE/$suite.log" || fail "it did not come to its end:" "$(tail -n 5 "$CACHE/$suite.log")"
	for line in $TESTS; do
		for backend in $BACKENDS; do
			[ "$(said "$suite" "$line" "$backend")" = ok ] ||
				fail "$line, $backend: $(grep "^= $line $backend" "$CACHE/$suite.log")"
		done
	done
	[ "$(said "$suite" why -)" = ok ] || fail "why: $(grep "^= why" "$CACHE/$suite.log")"
	[ "$(said "$suite" attach ebpf)" = ok ] || fail "attach: $(grep "^= attach" "$CACHE/$suite.log")"
	echo "# $suite: $(detail "$suite" kernel), edition $(detail "$suite" edition), most instructions: $(detail "$suite" insns)"
	n=$(detail "$suite" insns | sed 's/.* //')
	[ "${n:-$INSNS_MOST}" -lt $INSNS_MOST ] || fail "a program needs ${n:-an unknown number of} instructions of the verifier"
	end
done

begin "what was measured is written down"
if [ "$tried" = " bullseye bookworm trixie sid" ]; then
	document >"$ROOT/doc/platforms.md"
else
	skip "not all kernels were tried:$tried"
fi
end
