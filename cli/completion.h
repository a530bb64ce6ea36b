/* completion.h - scripts that let a shell complete pptrace's command lines. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

/* Shells that there is a script for, in the order of their numbers; NULL at the end. */
extern const char *const completion_shells[];

/* Prints the script for a shell. */
void completion_print(int shell);

#endif
