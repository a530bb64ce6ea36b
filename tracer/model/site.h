/* site.h - what the model's files share: places in the code. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_MODEL_SITE_H
#define TRACER_MODEL_SITE_H

#include "tracer/model/state.h"

/* Returns the id of the site of a code address, STORE_NULL for address 0. is_return: it is a return address. */
int64_t model_site(struct model *m, struct proc *p, uint64_t addr, bool is_return);
/* Returns the site of an address unless that lies in a library: STORE_NULL. */
int64_t model_own_site(struct model *m, struct proc *p, uint64_t addr);
/*
 * Says whether the futex call that ends at ip is the program's own, so that it
 * waits for none of the C library's objects. False if that is not known.
 */
bool model_is_own_futex(struct model *m, struct proc *p, uint64_t ip);
/* Returns the site of a line of a language that is not machine code; language is static. */
int64_t model_place(
	struct model *m, const char *language, const char *file, const char *function, int line);
/* Returns the name of a variable, which the caller frees, or NULL. */
char *model_variable(struct model *m, struct proc *p, uint64_t addr);
/* Sees to it that the mappings of a process have been read once while it lives. */
void model_map(struct model *m, struct proc *p);
void model_module(struct model *m, const struct rec_MODULE *rec);
void model_sites_fork(struct model *m, struct proc *child, struct proc *parent);
void model_sites_exec(struct model *m, struct proc *p);
void model_sites_done(struct model *m);

#endif
