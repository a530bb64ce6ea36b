#!/bin/sh
# deps.sh - install the Debian packages named as arguments, those that are missing.
# SPDX-License-Identifier: MIT
#
# PACKAGE:COMMAND is there if the command is, whatever package brought it.
# As root on Debian or Ubuntu it names them and runs apt-get. Elsewhere it
# prints what to install, and fails only if something is really missing.

missing=
if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "pptrace needs the equivalents of these Debian packages:" "$@"
	exit 0
fi
for wanted; do
	package=${wanted%%:*}
	if [ "$package" != "$wanted" ] && command -v "${wanted#*:}" >/dev/null 2>&1; then
		continue
	fi
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "missing packages; as root: apt-get install$missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# The lists of a fresh machine may be empty or old: refresh them once.
apt-get -q update >/dev/null || exit 1
install=
for package in $missing; do
	if apt-cache show "$package" >/dev/null 2>&1; then
		install="$install $package"
	else
		# Another release of the distribution: what really needs it says so, or skips.
		echo "not in this distribution: $package" >&2
	fi
done
[ -n "$install" ] || exit 0
echo "installing:$install"
exec apt-get -q -y --no-install-recommends install $install >/dev/null
