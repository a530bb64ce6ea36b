/* private.h - what the forms for continuous integration share. */
/* SPDX-License-Identifier: MIT */
#ifndef VERDICT_CI_PRIVATE_H
#define VERDICT_CI_PRIVATE_H

#include "verdict/ci/ci.h"

/* A place in the source. */
struct ci_place {
	char *file, *function; /* function: NULL if it is not known */
	int line;
};

/* Finds the source line of a member; false if it is not known. Filled or not, freed with ci_place_done. */
bool ci_place_of(const struct ci_input *in, const struct finding_member *m, struct ci_place *ret);

/* Finds that of the first member that has one: where a reader should look first. */
bool ci_place_first(const struct ci_input *in, const struct finding *f, struct ci_place *ret);
void ci_place_done(struct ci_place *p);

/* Adds the finding as text: its summary, then the story, line by line. */
void ci_text(struct buf *out, const struct ci_input *in, const struct finding *f);

#endif
