/* Typed values: text that is sent as a JSON number or boolean.
 *
 * Pure and free of allocation. Each returns NULL with `*out` set, or why the value does not fit (static text that
 * completes "the value …"); blanks around a value do not fit (use `apply: [trim]`). Callers do not pass empty values. */
#ifndef MAPPINGS_CONVERT_TYPED_H
#define MAPPINGS_CONVERT_TYPED_H

#include "sync/base/str.h"

/* JSON's grammar, passed on verbatim: 1e5, -0.5 and twenty-digit ids are valid; 007, +5, 1,234.50, NaN and numbers that no
 * double can hold (1e400) are not. `*out` is `in`. */
const char *typed_number(struct str in, struct str *out);

/* true/false, yes/no, t/f, 1/0 in any case. `*out` is the static "true" or "false". */
const char *typed_boolean(struct str in, struct str *out);

/* A value of lt_interest_status: 0 to 4 and -1 to -4. `*out` is `in`. */
const char *typed_interest(struct str in, struct str *out);

#endif
