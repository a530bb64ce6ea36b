/* nearest.h - the word that somebody meant who typed another one. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

/*
 *	_cleanup_nearest_ struct nearest n = {.typed = word};
 *
 *	for (each name)
 *		nearest_try(&n, name);
 *	if (n.best) ...
 */
struct nearest {
	const char *typed;
	char *best;     /* the nearest so far, if it is near; its copy */
	unsigned least; /* how far that is */
};

/* Compares one more word: one that differs in up to two letters, if these are less than half of it, or that begins with what was typed. */
void nearest_try(struct nearest *n, const char *word);

void nearest_done(struct nearest *n);
#define _cleanup_nearest_ __attribute__((cleanup(nearest_done)))

#endif
