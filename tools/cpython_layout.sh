#!/bin/sh
# cpython_layout.sh - write tracer/runtime/cpython_layout.def from the headers of CPython releases.
# SPDX-License-Identifier: MIT
#
# usage: tools/cpython_layout.sh INCLUDE...    each a folder with Python.h and internal/, as Debian's packages
#        libpython3.9-dev, libpython3.11-dev, libpython3.13-dev and libpython3.14-dev have it, and what make install
#        puts there of 3.10 and 3.12 (include/python3.10)
set -eu
cd "$(dirname "$0")/.."
out=tracer/runtime/cpython_layout.def
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
{
	cat <<'END'
/* cpython_layout.def - where the structures of CPython releases have their members. */
/* SPDX-License-Identifier: MIT */
/*
 * Written by tools/cpython_layout.sh from the releases' own headers, for 64-bit x86 without debugging
 * or free threading. LAYOUT(major, minor, members of struct cpython_layout); -1: there is none.
 */
/* clang-format off */
END
	for include; do
		# pyconfig.h of a package stands in a folder named by the machine, beside or inside the headers.
		config=$(find "$include" "${include%/*}" -name pyconfig.h -path "*$(basename "$include")/*" | head -1)
		${CC:-cc} -w -I"$include" -I"$include/internal" -I"$(dirname "$config")" -I"$(dirname "$(dirname "$config")")" \
			-o "$tmp/layout" tools/cpython_layout.c
		"$tmp/layout"
	done
} >"$tmp/def"
mv "$tmp/def" "$out"
