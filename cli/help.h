/* help.h - the list of commands, for people. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

/* Prints how pptrace is used and its commands, one line each. */
void help_print(FILE *f);

#endif
