/* sha256.h - a hash, for the Content-Security-Policy of a page. */
/* SPDX-License-Identifier: MIT */
#ifndef VIEWER_PAGE_SHA256_H
#define VIEWER_PAGE_SHA256_H

#include <stddef.h>

struct buf;

/* Adds "sha256-" and the hash of the bytes in base64. */
void sha256_add(struct buf *b, const void *data, size_t len);

#endif
