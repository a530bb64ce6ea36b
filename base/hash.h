/* hash.h - a hash table from 64-bit keys to pointers. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Open addressing with linear probing; a zeroed struct is an empty table. The
 * table owns its slots and nothing that they point to. Values are never NULL:
 * NULL means "not there". Adding or removing moves slots, so a walk with
 * hash_next may only remove by ending the walk.
 */
struct hash {
	struct hash_slot *slots;
	size_t len;
	size_t cap;
};

struct hash_slot {
	uint64_t key;
	void *value;
};

void hash_done(struct hash *h);

/* Returns the value of key, or NULL. */
void *hash_get(const struct hash *h, uint64_t key);

/* Sets the value of key (not NULL) and returns the value it had, or NULL. */
void *hash_set(struct hash *h, uint64_t key, void *value);

/* Removes key and returns the value it had, or NULL. */
void *hash_del(struct hash *h, uint64_t key);

/* Walks all slots in no order: *pos starts at 0; returns NULL at the end. */
struct hash_slot *hash_next(const struct hash *h, size_t *pos);

/* Returns a well-mixed key for up to three numbers, or for a string of bytes. */
uint64_t hash_mix(uint64_t a, uint64_t b, uint64_t c);
uint64_t hash_bytes(const void *data, size_t len);

#endif
