# lib_release.sh - for scripts that fetch programs of another release of Debian; as root, with access to its archive.
# SPDX-License-Identifier: MIT

# release_unpack SUITE ROOT PACKAGE...: unpacks these packages of a release, and all that they depend on, into a folder to
# chroot into.
release_unpack()
{
	local suite=$1 root=$2 apt=$2/apt deb
	local options=(-o "Dir::Etc::sourcelist=$apt/list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$apt/lists"
		-o "Dir::Cache=$apt/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false)

	shift 2
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" >"$apt/list"
	apt-get "${options[@]}" -q update >/dev/null
	# Where nothing is installed, what would be is all that they need.
	apt-get "${options[@]}" -q -y --no-install-recommends --download-only install "$@" >/dev/null
	mkdir -p "$root/usr/lib" "$root/usr/lib64" "$root/usr/bin" "$root/usr/sbin" "$root/proc" "$root/dev" "$root/tmp"
	ln -sfn usr/lib "$root/lib"
	ln -sfn usr/lib64 "$root/lib64"
	ln -sfn usr/bin "$root/bin"
	ln -sfn usr/sbin "$root/sbin"
	for deb in "$apt"/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink
	done
	rm -r "$apt"
}

# release_library ROOT: puts the preload library into it, under the path that it has here: a program that has changed its root there
# is given it, and recorded by it alone if /dev/shm is there too.
release_library()
{
	mkdir -p "$1$BUILD"
	cp "$BUILD/libpptrace-shim.so" "$1$BUILD/"
}

# release_cannot LANGUAGE VERSION: fetches the releases of a language for make test-long, and says why one is not in $BUILD/LANGUAGE/VERSION.
release_cannot()
{
	local why="make test-long fetches it"

	if [ -n "${LONG:-}" ]; then
		if [ "$(id -u)" != 0 ]; then
			why="only root can change the root"
		else
			timeout 1800 "$ROOT/tests/releases.sh" "$1" "$BUILD/$1" >releases.log 2>&1
			why="it cannot be fetched: $(tail -n 1 releases.log)"
		fi
	fi
	[ -s "$BUILD/$1/$2/program" ] && [ "$(id -u)" = 0 ] || echo "$why"
}
