/* file_words.c - look for words in the bytes of files. */
/* SPDX-License-Identifier: MIT */
#include "base/file_words.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
	PIECE = 1 << 18,  /* so much is read at once */
	KNOWN_MAX = 4096, /* so many files are remembered */
};

/* Reads piece by piece: what is mapped could be cut short meanwhile. */
static unsigned search(int fd, file_look *look)
{
	_cleanup_free_ char *data = xmalloc(PIECE + FILE_WORDS_KEPT);
	unsigned found = 0;
	size_t kept = 0;
	ssize_t n;

	while ((n = read(fd, data + kept, PIECE)) > 0) {
		size_t len = kept + (size_t)n;

		found |= look(data, len, found);
		kept = len < FILE_WORDS_KEPT ? len : FILE_WORDS_KEPT;
		memmove(data, data + len - kept, kept);
	}
	return found;
}

static uint64_t key_of(const struct stat *st, unsigned which)
{
	return hash_mix(hash_mix(st->st_dev, st->st_ino, (uint64_t)st->st_mtim.tv_sec),
		(uint64_t)st->st_size, which);
}

int file_words_known(const char *path, unsigned which, struct hash *seen, unsigned *ret)
{
	struct stat st;
	uintptr_t known;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	known = (uintptr_t)hash_get(seen, key_of(&st, which));
	if (known)
		*ret = (unsigned)known - 1;
	return known != 0;
}

unsigned file_words(int fd, file_look *look, unsigned which, struct hash *seen)
{
	struct stat st;
	uintptr_t known;
	uint64_t key;
	unsigned found;

	if (fd < 0 || fstat(fd, &st) < 0 || !st.st_size)
		return 0;
	key = key_of(&st, which);
	known = (uintptr_t)hash_get(seen, key);
	if (known)
		return (unsigned)known - 1;
	found = search(fd, look);
	if (seen->len >= KNOWN_MAX)
		hash_done(seen);
	(void)hash_set(seen, key, (void *)((uintptr_t)found + 1));
	return found;
}
