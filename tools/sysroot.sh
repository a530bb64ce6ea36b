#!/bin/sh
# sysroot.sh - fetch the headers and libraries of another processor, for `make CROSS=...`: nothing is installed.
# SPDX-License-Identifier: MIT
# usage: tools/sysroot.sh aarch64 DIR PACKAGE...
#
# With an apt of its own, which knows the other architecture and thinks that no
# package is installed: this machine's packages and sources stay as they are.
set -eu
case $1 in
aarch64) arch=arm64 ;;
*) echo "sysroot.sh: $1: this processor is not known" >&2; exit 1 ;;
esac
root=$2
shift 2
[ ! -e "$root/made" ] || exit 0
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
rm -rf "$root"
mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial"
root=$(cd "$root" && pwd)
echo "deb http://deb.debian.org/debian $suite main" >"$root/apt/sources.list"
: >"$root/apt/status"
cat >"$root/apt/apt.conf" <<X
Dir::Etc::sourcelist "$root/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$root/apt/lists";
Dir::State::status "$root/apt/status";
Dir::Cache "$root/apt/cache";
APT::Architecture "$arch";
APT::Architectures "$arch";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
X
export APT_CONFIG="$root/apt/apt.conf"
if ! { apt-get -q update && apt-get -q -y --download-only install "$@"; } >"$root/log" 2>&1; then
	tail -n 5 "$root/log" >&2
	exit 1
fi
# Files that belong into /lib lie in /usr/lib, where the links of the compiler's own paths lead.
mkdir -p "$root/usr/lib" "$root/usr/bin" "$root/usr/sbin"
for dir in lib bin sbin; do ln -s "usr/$dir" "$root/$dir"; done
for deb in "$root"/apt/cache/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink
done
rm -rf "$root/apt"
touch "$root/made"
