#!/usr/bin/env bash
# without_ebpf.sh - a pptrace that was built with EBPF=0.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

begin "EBPF=0: builds without libbpf, records with the library, and says so"
mkdir -p "$TMP/src/build"
# What differs is which files are linked: all other objects are there.
(cd "$ROOT" && find . -maxdepth 1 ! -name . ! -name build ! -name .git -exec cp -a {} "$TMP/src/" \; &&
	find build -maxdepth 1 ! -name build ! -name 'san-*' ! -name fuzz ! -name distros ! -name tests ! -name pptrace -exec cp -a {} "$TMP/src/build/" \;)
status=0
make -C "$TMP/src" EBPF=0 BPFTOOL=false CLANG=false build/pptrace >out 2>&1 || { status=$?; fail "make: $status" "$(tail -n 5 out)"; }
expect_eq "$(objdump -p "$TMP/src/build/pptrace" | grep -c 'NEEDED.*libbpf')" 0 "needs libbpf"
run "$TMP/src/build/pptrace" run --timeout 3 --on-deadlock=kill -o d.db "$BUILD/demos/deadlock-abba"
expect_err 'eBPF cannot be used \(this pptrace was built with EBPF=0\): recording with the preload library'
expect_err 'deadlock-abba\.c:17 \(left\)'
expect_sql d.db "SELECT backend, complete FROM trace" "shim|1"
run "$TMP/src/build/pptrace" run --backend=ebpf true
expect_status 125
expect_err '^pptrace: eBPF cannot be used: this pptrace was built with EBPF=0$'
run "$TMP/src/build/pptrace" doctor
expect_out 'no +eBPF programs of pptrace'
expect_out 'why: +this pptrace was built with EBPF=0'
end
