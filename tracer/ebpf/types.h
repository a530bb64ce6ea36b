/* types.h - walk the types that a kernel or an object describes (BTF). */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_EBPF_TYPES_H
#define TRACER_EBPF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf_type;

/* The head of a description, as kernels have had it from the first: newer versions of linux/btf.h know of more at its end. */
enum { TYPES_MAGIC = 0xeb9f, TYPES_VERSION = 1 };
struct types_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len;
	uint32_t type_off, type_len;
	uint32_t str_off, str_len;
};

/* A description whose bytes stay the caller's; types_done frees what was made of them. */
struct types {
	const char *types, *strings;
	uint32_t strings_len;
	uint32_t *at;   /* where some of the types begin */
	uint32_t count; /* the number after the last type's; 0 is void */
};

/*
 * Finds where the types are. The bytes, at a multiple of 4, may be anything. Returns 0; or -EINVAL if they are no
 * description for this machine, -ENOTSUP if a type is of a kind that is not known.
 */
int types_index(struct types *ret, const void *bytes, size_t size);
void types_done(struct types *t);

/* Returns a type with all that belongs to it, or NULL if there is none of that number. */
const struct btf_type *types_get(const struct types *t, uint32_t id);

/* Returns a name, "" if the place is outside. */
const char *types_name(const struct types *t, uint32_t place);

/* Returns the bytes that a type takes with all that belongs to it; 0: of an unknown kind. */
size_t types_bytes(const struct btf_type *type);

/* A name that is looked for. */
enum { TYPES_SAME_NAME = 4 };
struct type_wanted {
	const char *name;
	uint32_t len; /* of that, how much counts */
	uint32_t kind;
	uint32_t ids[TYPES_SAME_NAME]; /* the types of that name and kind ... */
	uint32_t n;                    /* ... and how many there are, which may be more */
};

/* Returns how much of a name counts: what follows three underscores sets apart versions of one type (CO-RE). */
size_t types_name_len(const char *name);

/* Looks through all types for those that are wanted. */
void types_find(const struct types *t, struct type_wanted *wanted, size_t n);

#endif
