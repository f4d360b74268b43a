/* The steps themselves, one function each, behind transform.h. Internal to the mappings.
 *
 * All run functions: `in` is not empty and valid UTF-8; 0 with *out (the input itself when nothing changes) or with *why
 * set, -1 when memory is short. Compile functions: 0, or -1 with the flaw. */
#ifndef MAPPINGS_CONVERT_TRANSFORM_STEPS_H
#define MAPPINGS_CONVERT_TRANSFORM_STEPS_H

#include "mappings/convert/transform.h"

#include <stdbool.h>
#include <stdint.h>

enum { TRANSFORM_OUTPUT_MAX = 1 << 20 }; /* bytes; limit for steps whose output can be longer than their input */

typedef int transform_fn(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                         const char **why);
typedef int transform_compile_fn(const struct str *args, struct arena *arena, struct transform_step *out, struct flaw *flaw);

/* transform_text.c */
transform_fn transform_trim, transform_squeeze, transform_lower, transform_upper, transform_nfc, transform_digits,
    transform_truncate;
transform_compile_fn transform_truncate_compile;
/* clean.c */
transform_fn transform_clean;
/* transform_title.c */
transform_fn transform_title;
/* transform_web.c */
transform_fn transform_email, transform_domain, transform_url;
/* transform_html.c */
transform_fn transform_strip_html;
/* transform_replace.c */
transform_fn transform_replace;
transform_compile_fn transform_replace_compile;
void transform_replace_free(struct transform_step *step);
/* transform_date.c */
transform_fn transform_date;
transform_compile_fn transform_date_compile;

/* Takes a result of libunistring (malloced; NULL: it failed) into the arena, or hands back `in` when they are equal. */
int transform_keep(uint8_t *result, size_t n, struct str in, struct arena *scratch, struct str *out);

/* Blanks as people see them: White_Space of Unicode, and the zero-width characters that come along when text is copied. */
bool transform_is_blank(uint32_t c);

/* Sets the flaw; returns -1. */
int transform_flaw(struct flaw *flaw, size_t arg, size_t offset, const char *text);

#endif
