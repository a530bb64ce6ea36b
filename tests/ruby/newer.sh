#!/usr/bin/env bash
# newer.sh - Ruby 3.3 from another release of Debian, in a folder to chroot into: for tests/e2e/languages/ruby.sh.
# SPDX-License-Identifier: MIT
# usage: tests/ruby/newer.sh [FOLDER]   (build/ruby-3.3); as root, with access to Debian's archive
set -eu
folder=$(realpath -m "${1:-build/ruby-3.3}")
apt=$folder/apt
options=(-o "Dir::Etc::sourcelist=$apt/list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$apt/lists"
	-o "Dir::Cache=$apt/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root)

[ ! -x "$folder/run" ] || exit 0
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >"$apt/list"
apt-get "${options[@]}" -q update >/dev/null
(cd "$apt/debs" && apt-get "${options[@]}" -q download ruby3.3 libruby3.3 libc6 zlib1g libgcc-s1 libcrypt1 libgmp10 libyaml-0-2 libffi8 libssl3t64 \
	dash coreutils libselinux1 libpcre2-8-0 libacl1 libattr1 libcap2 libsystemd0 libzstd1 >/dev/null)
mkdir -p "$folder/usr/lib" "$folder/usr/lib64" "$folder/usr/bin" "$folder/proc" "$folder/tmp" "$folder/dev"
ln -sfn usr/lib "$folder/lib"
ln -sfn usr/lib64 "$folder/lib64"
ln -sfn usr/bin "$folder/bin"
for deb in "$apt"/debs/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$folder" --keep-directory-symlink
done
rm -r "$apt"
cp "$(dirname "$0")/cases.rb" "$folder"
# In its root, with /proc and /dev of its own mount namespace.
cat >"$folder/run" <<'RUN'
#!/bin/sh
root=$(dirname "$(realpath "$0")")
exec unshare -m sh -c 'mount --bind /proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" /usr/bin/ruby3.3 "$@"' "$root" "$@"
RUN
chmod +x "$folder/run"
"$folder/run" -v
