/* What is wrong with something that a mapping says (an expression, a template, the arguments of a step): filled by the
 * compilers of this room, shown by the loader as file:line:column with a caret. Never about a row's data. */
#ifndef MAPPINGS_CONVERT_FLAW_H
#define MAPPINGS_CONVERT_FLAW_H

#include <stddef.h>

struct flaw {
    const char *text; /* lower case, ends in what to do; static or from the arena the compiler was given */
    size_t arg;       /* which argument it is about, from 0; FLAW_WHOLE: the step as a whole (its name, their number) */
    size_t offset;    /* bytes into that argument (or into the template) where the caret belongs */
};

#define FLAW_WHOLE ((size_t)-1)

#endif
