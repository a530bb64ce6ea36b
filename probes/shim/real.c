/* real.c - find the functions that the wrappers stand in front of. */
/* SPDX-License-Identifier: MIT */
#include "probes/shim/shim.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

/*
 * dlsym would do, but takes the loader's lock: a thread whose first wait runs
 * while another is inside dlopen, in a constructor that waits for it, would
 * hang. So the symbol tables are read directly. Only libraries that follow
 * this one in the loader's list are searched; those that were there at the
 * start come first and are never unloaded.
 */
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

struct image {
	const struct link_map *map;
	const uint32_t *hash;
	const ElfW(Sym) * syms;
	const char *strings;
	const ElfW(Half) * versions;
	const ElfW(Verdef) * verdefs;
	ElfW(Xword) n_verdefs;
};

static const void *dyn_ptr(const struct link_map *map, ElfW(Addr) p)
{
	return (const void *)(p < map->l_addr ? p + map->l_addr : p);
}

static bool image_open(struct image *im, const struct link_map *map)
{
	*im = (struct image){.map = map};
	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_GNU_HASH)
			im->hash = dyn_ptr(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_SYMTAB)
			im->syms = dyn_ptr(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRTAB)
			im->strings = dyn_ptr(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_VERSYM)
			im->versions = dyn_ptr(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_VERDEF)
			im->verdefs = dyn_ptr(map, d->d_un.d_ptr);
		else if (d->d_tag == DT_VERDEFNUM)
			im->n_verdefs = d->d_un.d_val;
	}
	return im->hash && im->syms && im->strings;
}

/* Says whether symbol i has the wanted version: the named one, or the default. */
static bool version_fits(const struct image *im, uint32_t i, const char *version)
{
	const ElfW(Verdef) *v = im->verdefs;

	if (!im->versions || !v)
		return true;
	if (!version)
		return !(im->versions[i] & 0x8000);
	for (ElfW(Xword) n = 0; n < im->n_verdefs; n++) {
		const ElfW(Verdaux) *aux = (const ElfW(Verdaux) *)((const char *)v + v->vd_aux);

		if (v->vd_ndx == (im->versions[i] & 0x7fff))
			return (v->vd_flags & VER_FLG_BASE) ||
			       !strcmp(im->strings + aux->vda_name, version);
		v = (const ElfW(Verdef) *)((const char *)v + v->vd_next);
	}
	return (im->versions[i] & 0x7fff) <= 1;
}

/* The layout: nbuckets, first symbol, bloom words, bloom shift, bloom, buckets, chains. */
static const ElfW(Sym) *
	image_find(const struct image *im, const char *name, uint32_t hash, const char *version)
{
	uint32_t n_buckets = im->hash[0], first = im->hash[1], n_bloom = im->hash[2];
	const uint32_t *buckets = im->hash + 4 + n_bloom * (sizeof(ElfW(Addr)) / 4);
	const uint32_t *chains = buckets + n_buckets;
	uint32_t i = n_buckets ? buckets[hash % n_buckets] : 0;

	if (i < first)
		return NULL;
	for (;; i++) {
		const ElfW(Sym) *s = &im->syms[i];

		if ((chains[i - first] | 1) == (hash | 1) && s->st_shndx != SHN_UNDEF &&
			!strcmp(im->strings + s->st_name, name) && version_fits(im, i, version))
			return s;
		if (chains[i - first] & 1)
			return NULL;
	}
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (unsigned char)*name;
	return h;
}

/* Returns the next definition, and the library that it lies in. */
static void *find_next(struct image *ret_im, const char *name, const char *version)
{
	const struct link_map *map = _r_debug.r_map;
	uint32_t hash = gnu_hash(name);

	while (map && map->l_ld != _DYNAMIC)
		map = map->l_next;
	for (map = map ? map->l_next : NULL; map; map = map->l_next) {
		const ElfW(Sym) * s;

		if (!image_open(ret_im, map))
			continue;
		s = image_find(ret_im, name, hash, version);
		if (!s)
			continue;
		if (ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC)
			return ((void *(*)(void))(map->l_addr + s->st_value))();
		return (void *)(map->l_addr + s->st_value);
	}
	return NULL;
}

void *shim_resolve(void **cache, const char *name, const char *version)
{
	struct image im;
	void *p = find_next(&im, name, version);

	if (p)
		__atomic_store_n(cache, p, __ATOMIC_RELAXED);
	return p;
}

bool shim_next_is_libc(const char *name)
{
	/* Before glibc 2.34 libpthread.so.0 had read and write too. */
	static const char *const only_there[] = {
		"gnu_get_libc_version", "__pthread_initialize_minimal"};
	struct image im;

	if (!find_next(&im, name, NULL))
		return false;
	for (size_t i = 0; i < sizeof only_there / sizeof *only_there; i++)
		if (image_find(&im, only_there[i], gnu_hash(only_there[i]), NULL))
			return true;
	return false;
}
