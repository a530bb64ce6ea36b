/* ci.h - findings in the forms that services for continuous integration read. */
/* SPDX-License-Identifier: MIT */
/*
 * To be read in this order: place.c (where in the source a finding is, and its text), then one file for each
 * form: sarif.c, junit.c, github.c.
 */
#ifndef VERDICT_CI_CI_H
#define VERDICT_CI_CI_H

#include <stdbool.h>

#include "verdict/verdict.h"

/* What is told, and how. All is borrowed. */
struct ci_input {
	struct sqlite3 *db; /* the recording */
	const struct findings *findings;
	const char *
		base; /* paths below that directory are told as seen from there; NULL: as they are */
	const char *version;      /* of pptrace */
	const char *const *rules; /* NULL-terminated: the rules that were asked for; NULL: all */
	bool (*fails)(
		const void *arg, const struct finding *f); /* says whether a finding is a failure */
	const void *arg;
};

/* Adds a SARIF 2.1.0 log with one run: a result for each finding, the rules with their lessons. */
void ci_sarif(struct buf *out, const struct ci_input *in);

/*
 * Adds JUnit XML: a test case for each finding, failed if it fails, else with its text as output; and a passed one
 * for each rule that found nothing.
 */
void ci_junit(struct buf *out, const struct ci_input *in);

/* Adds workflow commands of GitHub Actions, one for each finding: "::error file=a.c,line=3,title=...::text". */
void ci_github(struct buf *out, const struct ci_input *in);

#endif
