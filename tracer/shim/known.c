/* known.c - which processes the model knows. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/private.h"

void shim_known_done(struct shim_known *k)
{
	hash_done(&k->recorded);
	hash_done(&k->adopted);
}

bool shim_knows(const struct shim_known *k, uint64_t pid)
{
	return hash_get(&k->recorded, pid) != NULL;
}

void shim_known_add(struct shim_known *k, uint64_t pid)
{
	(void)hash_set(&k->recorded, pid, k);
}

void shim_known_adopt(struct shim_known *k, uint64_t pid)
{
	shim_known_add(k, pid);
	(void)hash_set(&k->adopted, pid, k);
}

bool shim_known_release(struct shim_known *k, uint64_t pid)
{
	return k->adopted.len && hash_del(&k->adopted, pid);
}
