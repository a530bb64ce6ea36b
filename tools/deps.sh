#!/bin/sh
# deps.sh - install the Debian packages named as arguments, those that are missing.
# SPDX-License-Identifier: MIT
#
# As root on Debian or Ubuntu it names them and runs apt-get. Elsewhere it
# prints what to install, and fails only if something is really missing.

missing=
if command -v dpkg-query >/dev/null 2>&1; then
	for package; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)
		[ "$status" = installed ] || missing="$missing $package"
	done
else
	echo "pptrace needs the equivalents of these Debian packages:" "$@"
	exit 0
fi
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "missing packages; as root: apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# The lists of a fresh machine may be empty or old: refresh them once, then try.
apt-get -q update >/dev/null &&
	apt-get -q -y --no-install-recommends install $missing >/dev/null
