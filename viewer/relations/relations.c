/* relations.c - the table of pictures. */
/* SPDX-License-Identifier: MIT */
#include "viewer/relations/relations.h"

#include "base/mem.h"

static const struct relations_picture pictures[] = {
#define PICTURE(name, when, summary, title, caption) {#name, title, caption, name##_sketch},
#include "viewer/relations/pictures.def"
#undef PICTURE
};

const struct relations_picture *relations_next(size_t *pos)
{
	return *pos < ARRAY_SIZE(pictures) ? &pictures[(*pos)++] : NULL;
}
