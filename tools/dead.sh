#!/usr/bin/env bash
# dead.sh - print functions and data that the program links in but never reaches.
# SPDX-License-Identifier: MIT
#
# usage: tools/dead.sh LOG     what ld --gc-sections --print-gc-sections said of a
# build with -ffunction-sections -fdata-sections. Exits 1 if there are any.

set -u
# What tests alone call: the size of a record that they check, what a merge still holds, a broken promise of a fuzzer,
# an edition of the eBPF programs by name. gen/ is made by protoc-c: more than is used.
for_tests="bug_at merge_bytes record_size ebpf_begin_with ebpf_edition_name"

# What builds it links files of its own, with less of them.
dead=$(sed '1,/ LINK  *build\/dead\/pptrace$/d' "$1" | sed -nE "s|.*removing unused section '\.(text\|data\|bss\|rodata)\.([a-z_][A-Za-z0-9_]*)' in file 'build/dead/([^']*)\.o'.*|\3.c: \2|p" |
	grep -vE ": (${for_tests// /|}|unlikely|cst[0-9]+)$" | grep -v '__func__\|__PRETTY_FUNCTION__\|^gen/' | sort -u)
[ -z "$dead" ] && exit 0
echo "nothing reaches:" >&2
echo "$dead" >&2
exit 1
