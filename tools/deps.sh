#!/bin/sh
# deps.sh - install the Debian packages named as arguments, those that are missing.
# SPDX-License-Identifier: MIT
#
# PACKAGE:COMMAND is there if the command is, whatever package brought it.
# PACKAGE? is a part that some releases have in a package of its own; the others have no such package.
# As root on Debian or Ubuntu it names them and runs apt-get. Elsewhere it
# prints what to install, and fails only if something is really missing.

missing=
if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "pptrace needs the equivalents of these Debian packages:" "$@"
	exit 0
fi
parts=
for wanted; do
	package=${wanted%%:*}
	case $wanted in
	*\?) parts="$parts ${wanted%?}"; continue ;;
	esac
	if [ "$package" != "$wanted" ] && command -v "${wanted#*:}" >/dev/null 2>&1; then
		continue
	fi
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)
	[ "$status" = installed ] || missing="$missing $package"
done
for package in $parts; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)
	# Lists of packages that are there, or will be once something else is fetched.
	if [ "$status" != installed ] && { [ -n "$missing" ] || apt-cache show "$package" >/dev/null 2>&1; }; then
		missing="$missing $package"
	fi
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
	elif ! echo " $parts " | grep -q " $package "; then
		# Another release of the distribution: what really needs it says so, or skips.
		echo "not in this distribution: $package" >&2
	fi
done
[ -n "$install" ] || exit 0
echo "installing:$install"
exec apt-get -q -y --no-install-recommends install $install >/dev/null
