/* A borrowed run of bytes. Not NUL-terminated; who owns the bytes and for how long is said where one is handed out. */
#ifndef SYNC_BASE_STR_H
#define SYNC_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){0, 0})
/* For printf: "%.*s", STR_ARG(s). Messages cut what they show anyway; n above INT_MAX shows INT_MAX bytes. */
#define STR_ARG(s) str_len_int(s), (s).p

int str_len_int(struct str s);
struct str str_from(const char *text); /* NULL gives STR_NONE */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *text);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b);        /* bytewise, shorter first */
struct str str_trim(struct str s);              /* ASCII blanks: space \t \r \n \v \f, and U+00A0, U+FEFF */
/* Where `what` first stands in `in`; NULL when it does not, or is empty. */
const char *str_find(struct str in, struct str what);
char *str_dup(struct str s); /* NUL-terminated copy, caller frees; NULL when out of memory */

/* The candidate nearest to `word` by edit distance, when near enough to be a typing slip; NULL otherwise. */
const char *str_nearest(struct str word, const char *const *candidates, size_t n);
/* The same for words that do something when they are repeated without thought: one slip in a word of four letters or
 * more, two in one of eight or more. */
const char *str_near_miss(struct str word, const char *const *candidates, size_t n);

#endif
