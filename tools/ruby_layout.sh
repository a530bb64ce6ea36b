#!/bin/sh
# ruby_layout.sh - write tracer/runtime/ruby/layout.def from the source of Ruby releases.
# SPDX-License-Identifier: MIT
#
# usage: tools/ruby_layout.sh SOURCE CONFIG...    the unpacked source of a release (apt-get source ruby3.1), and the folder
#        that has its ruby/config.h, as the package ruby3.1-dev has it: /usr/include/x86_64-linux-gnu/ruby-3.1.0
set -eu
cd "$(dirname "$0")/.."
out=tracer/runtime/ruby/layout.def
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
{
	cat <<'END'
/* layout.def - where the structures of Ruby releases have their members. */
/* SPDX-License-Identifier: MIT */
/*
 * Written by tools/ruby_layout.sh from the releases' own source, for 64-bit x86.
 * LAYOUT(major, minor, members of struct ruby_layout); -1: there is none.
 */
/* clang-format off */
END
	while [ $# -ge 2 ]; do
		${CC:-cc} -w -I"$1" -I"$1/include" -I"$2" -o "$tmp/layout" tools/ruby_layout.c
		"$tmp/layout"
		shift 2
	done
} >"$tmp/def"
mv "$tmp/def" "$out"
