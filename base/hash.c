/* hash.c - a hash table from 64-bit keys to pointers. */
/* SPDX-License-Identifier: MIT */
#include "base/hash.h"
#include "base/mem.h"

/* The finaliser of MurmurHash3: every input bit changes every output bit. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

uint64_t hash_mix(uint64_t a, uint64_t b, uint64_t c)
{
	return mix(a + 0x9e3779b97f4a7c15ULL * mix(b + 0x9e3779b97f4a7c15ULL * mix(c)));
}

/* FNV-1a, then mixed. */
uint64_t hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t x = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		x = (x ^ p[i]) * 0x100000001b3ULL;
	return mix(x);
}

void hash_done(struct hash *h)
{
	free(h->slots);
	*h = (struct hash){0};
}

/* Returns the slot of key, or the empty slot where it would go. */
static struct hash_slot *probe(const struct hash *h, uint64_t key)
{
	size_t i = (size_t)mix(key) & (h->cap - 1);

	while (h->slots[i].value && h->slots[i].key != key)
		i = (i + 1) & (h->cap - 1);
	return &h->slots[i];
}

static void grow(struct hash *h)
{
	struct hash old = *h;

	h->cap = old.cap ? old.cap * 2 : 16;
	h->slots = xcalloc(h->cap, sizeof *h->slots);
	for (size_t i = 0; i < old.cap; i++) {
		if (old.slots[i].value)
			*probe(h, old.slots[i].key) = old.slots[i];
	}
	free(old.slots);
}

void *hash_get(const struct hash *h, uint64_t key)
{
	return h->cap ? probe(h, key)->value : NULL;
}

void *hash_set(struct hash *h, uint64_t key, void *value)
{
	struct hash_slot *slot;
	void *had;

	if ((h->len + 1) * 4 > h->cap * 3)
		grow(h);
	slot = probe(h, key);
	had = slot->value;
	if (!had)
		h->len++;
	*slot = (struct hash_slot){key, value};
	return had;
}

void *hash_del(struct hash *h, uint64_t key)
{
	struct hash_slot *slot;
	void *had;
	size_t hole, i;

	if (!h->cap)
		return NULL;
	slot = probe(h, key);
	had = slot->value;
	if (!had)
		return NULL;
	h->len--;
	/* Close the gap, so that later members of the run are still found. */
	hole = i = (size_t)(slot - h->slots);
	for (;;) {
		size_t home;

		i = (i + 1) & (h->cap - 1);
		if (!h->slots[i].value)
			break;
		home = (size_t)mix(h->slots[i].key) & (h->cap - 1);
		if (((i - home) & (h->cap - 1)) >= ((i - hole) & (h->cap - 1))) {
			h->slots[hole] = h->slots[i];
			hole = i;
		}
	}
	h->slots[hole].value = NULL;
	return had;
}

struct hash_slot *hash_next(const struct hash *h, size_t *pos)
{
	while (*pos < h->cap) {
		struct hash_slot *slot = &h->slots[(*pos)++];

		if (slot->value)
			return slot;
	}
	return NULL;
}
