/* rule.h - names of rules on the command line. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_RULE_H
#define CLI_COMMON_RULE_H

/* Says that no rule is called that, and which one is near. */
void rule_unknown(const char *name);

#endif
