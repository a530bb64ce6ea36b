/* file_words.h - look for words in the bytes of files. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_WORDS_H
#define BASE_FILE_WORDS_H

#include <stddef.h>

struct hash;

#define FILE_WORDS_KEPT 24 /* of each piece so many bytes stand once more before the next one */

/*
 * Looks at a piece of a file, in which words were found so far. Returns those that are in this one, as bits.
 */
typedef unsigned file_look(const char *data, size_t len, unsigned found);

/*
 * Returns the bits that were found in an open file; 0 for a descriptor below 0. What is known of it already, by the same look (which
 * says which), is not read again; seen remembers that.
 */
unsigned file_words(int fd, file_look *look, unsigned which, struct hash *seen);

/*
 * The same of a file by its name, which is not opened: 1 and the bits if they are known, 0 if they are not, -1 if there is
 * no such regular file.
 */
int file_words_known(const char *path, unsigned which, struct hash *seen, unsigned *ret);

#endif
