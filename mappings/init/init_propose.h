/* What `init` proposes for one column: steps that clean its cells, a type, and doubts for the reader. Pure; internal to
 * init. All texts are static. `field` is a lead field, or LEAD_FIELD_N for a custom variable. */
#ifndef MAPPINGS_INIT_INIT_PROPOSE_H
#define MAPPINGS_INIT_INIT_PROPOSE_H

#include "mappings/init/init_look.h"

struct steps {
    const char *text[8];
    size_t n;
    const char *why;
};

/* Adds a step if `wanted`; `why` becomes the comment; NULL: none. */
void propose_add(struct steps *steps, bool wanted, const char *text, const char *why);
/* In an order that lets each step see what the one before left. */
struct steps propose_steps(const struct look *look, int field);
/* The comment for a proposed column; NULL: none. */
const char *propose_doubt(const struct look *look, int field);
/* True if the cells fit a field that accepts no text. Otherwise such a field would reject every row. */
bool propose_fits(const struct look *look, int field);
/* The type of a custom variable, NULL for text; adds the steps that it takes to get there, and says what is unsure. */
const char *propose_type(const struct look *look, struct steps *steps, const char **unsure);

#endif
