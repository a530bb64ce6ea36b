/* types.c - walk the types that a kernel or an object describes (BTF). */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <limits.h>

#include "base/mem.h"

/* One type in so many has its place noted; from there to the others it is a few steps. */
enum { STRIDE = 16 };

/* A kind has five bits. */
enum { KINDS = 32 };

/* What a type of a kind takes, and each of what is listed in it; 0: of an unknown kind. */
static const struct {
	uint8_t head, each;
} sizes[KINDS] = {
	[BTF_KIND_PTR] = {sizeof(struct btf_type), 0},
	[BTF_KIND_FWD] = {sizeof(struct btf_type), 0},
	[BTF_KIND_TYPEDEF] = {sizeof(struct btf_type), 0},
	[BTF_KIND_CONST] = {sizeof(struct btf_type), 0},
	[BTF_KIND_VOLATILE] = {sizeof(struct btf_type), 0},
	[BTF_KIND_RESTRICT] = {sizeof(struct btf_type), 0},
	[BTF_KIND_FUNC] = {sizeof(struct btf_type), 0},
	[BTF_KIND_FLOAT] = {sizeof(struct btf_type), 0},
	[BTF_KIND_TYPE_TAG] = {sizeof(struct btf_type), 0},
	[BTF_KIND_INT] = {sizeof(struct btf_type) + sizeof(uint32_t), 0},
	[BTF_KIND_ARRAY] = {sizeof(struct btf_type) + sizeof(struct btf_array), 0},
	[BTF_KIND_STRUCT] = {sizeof(struct btf_type), sizeof(struct btf_member)},
	[BTF_KIND_UNION] = {sizeof(struct btf_type), sizeof(struct btf_member)},
	[BTF_KIND_ENUM] = {sizeof(struct btf_type), sizeof(struct btf_enum)},
	[BTF_KIND_ENUM64] = {sizeof(struct btf_type), sizeof(struct btf_enum64)},
	[BTF_KIND_FUNC_PROTO] = {sizeof(struct btf_type), sizeof(struct btf_param)},
	[BTF_KIND_VAR] = {sizeof(struct btf_type) + sizeof(struct btf_var), 0},
	[BTF_KIND_DATASEC] = {sizeof(struct btf_type), sizeof(struct btf_var_secinfo)},
	[BTF_KIND_DECL_TAG] = {sizeof(struct btf_type) + sizeof(struct btf_decl_tag), 0},
};

size_t types_bytes(const struct btf_type *type)
{
	uint32_t kind = btf_kind(type);

	return sizes[kind].head + (size_t)btf_vlen(type) * sizes[kind].each;
}

/* Finds both sections. */
static int sections(struct types *t, const void *bytes, size_t size, uint32_t *ret_types_len)
{
	const struct types_head *head = bytes;
	size_t rest;

	if (size < sizeof *head || head->magic != TYPES_MAGIC || head->hdr_len < sizeof *head ||
		head->hdr_len > size)
		return -EINVAL;
	rest = size - head->hdr_len;
	if (head->type_off > rest || head->type_len > rest - head->type_off ||
		head->str_off > rest || head->str_len > rest - head->str_off || !head->str_len)
		return -EINVAL;
	t->types = (const char *)bytes + head->hdr_len + head->type_off;
	t->strings = (const char *)bytes + head->hdr_len + head->str_off;
	t->strings_len = head->str_len;
	*ret_types_len = head->type_len;
	if ((uintptr_t)t->types % sizeof(uint32_t) || t->strings[t->strings_len - 1])
		return -EINVAL;
	return 0;
}

int types_index(struct types *ret, const void *bytes, size_t size)
{
	struct types t = {.count = 1};
	uint32_t len, at = 0;
	int rc = sections(&t, bytes, size, &len);

	if (rc)
		return rc;
	t.at = xcalloc(len / sizeof(struct btf_type) / STRIDE + 1, sizeof *t.at);
	while (at < len) {
		size_t n = len - at < sizeof(struct btf_type)
				   ? SIZE_MAX
				   : types_bytes((const void *)(t.types + at));

		if (n == 0 || n > len - at) {
			types_done(&t);
			return n ? -EINVAL : -ENOTSUP;
		}
		if ((t.count - 1) % STRIDE == 0)
			t.at[(t.count - 1) / STRIDE] = at;
		t.count++;
		at += (uint32_t)n;
	}
	*ret = t;
	return 0;
}

void types_done(struct types *t)
{
	free(t->at);
	*t = (struct types){0};
}

const struct btf_type *types_get(const struct types *t, uint32_t id)
{
	const char *at;

	if (!id || id >= t->count)
		return NULL;
	at = t->types + t->at[(id - 1) / STRIDE];
	for (uint32_t i = (id - 1) % STRIDE; i > 0; i--)
		at += types_bytes((const void *)at);
	return (const void *)at;
}

const char *types_name(const struct types *t, uint32_t place)
{
	return place < t->strings_len ? t->strings + place : "";
}

size_t types_name_len(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = len > 4 ? len - 4 : 0; i > 0; i--)
		if (name[i - 1] != '_' && !strncmp(name + i, "___", 3) && name[i + 3] != '_')
			return i;
	return len;
}

static bool is_name(const struct type_wanted *w, const char *name)
{
	return !strncmp(name, w->name, w->len) &&
	       (!name[w->len] || !strncmp(name + w->len, "___", 3));
}

/* Most names begin with two characters that none of the wanted begins with. */
static unsigned beginning(const char *name)
{
	unsigned second = name[0] ? (unsigned char)name[1] : 0;

	return ((unsigned char)name[0] * 31u + second) % (UCHAR_MAX + 1);
}

void types_find(const struct types *t, struct type_wanted *wanted, size_t n)
{
	bool begins[UCHAR_MAX + 1] = {false};
	const char *at = t->types;
	uint32_t kinds = 0;

	for (size_t i = 0; i < n; i++) {
		begins[beginning(wanted[i].name)] = true;
		kinds |= 1u << wanted[i].kind;
	}
	for (uint32_t id = 1; id < t->count; id++) {
		const struct btf_type *type = (const void *)at;
		uint32_t kind = btf_kind(type);
		const char *name;

		at += types_bytes(type);
		if (!(kinds >> kind & 1))
			continue;
		name = types_name(t, type->name_off);
		if (!begins[beginning(name)])
			continue;
		for (size_t i = 0; i < n; i++) {
			struct type_wanted *w = &wanted[i];

			if (w->kind != kind || !is_name(w, name))
				continue;
			if (w->n < TYPES_SAME_NAME)
				w->ids[w->n] = id;
			w->n++;
		}
	}
}
