/* replace: every match of a regular expression (PCRE2, UTF, Unicode properties) becomes a text.
 *
 * Interpreted, not JIT-compiled: whether a row is refused because its match takes too long must not depend on whether
 * the machine allows writable code. */
#include "config.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include "mappings/convert/transform_steps.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MATCH_STEPS_MAX = 100000, /* at one starting point; (a+)+$ passes it with some twenty letters */
    MATCH_DEPTH_MAX = 10000,
    MATCH_HEAP_KIB_MAX = 16384,
    ERROR_TEXT_N = 200,
};

struct transform_replace {
    pcre2_code *code; /* these three are malloced: transform_free() */
    pcre2_match_data *match;
    pcre2_match_context *limits;
    struct str text; /* the replacement, in the arena */
};

static bool transform_replace_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool transform_replace_is_word(char c)
{
    return transform_replace_is_digit(c) || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Is there a group of this name or number? */
static bool group_exists(const pcre2_code *code, struct str group)
{
    char name[33]; /* PCRE2 has no longer names */
    uint32_t groups = 0, v = 0;

    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (transform_replace_is_digit(group.p[0])) {
        for (size_t i = 0; i < group.n; i++) {
            if (!transform_replace_is_digit(group.p[i]) || v > groups)
                return false;
            v = v * 10 + (uint32_t)(group.p[i] - '0');
        }
        return v <= groups;
    }
    if (group.n >= sizeof name)
        return false;
    memcpy(name, group.p, group.n);
    name[group.n] = 0;
    int number = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);
    return number >= 0 || number == PCRE2_ERROR_NOUNIQUESUBSTRING;
}

/* Checks the replacement now, so that no row can fail because of it: $$, $1, $name, ${1}, ${name}. */
static int check_text(const pcre2_code *code, struct str text, struct flaw *flaw)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '$')
            continue;
        size_t dollar = i++;
        if (i < text.n && text.p[i] == '$')
            continue;
        bool braces = i < text.n && text.p[i] == '{';
        size_t start = i += braces;
        bool number = i < text.n && transform_replace_is_digit(text.p[i]);
        while (i < text.n && (number ? transform_replace_is_digit(text.p[i]) : transform_replace_is_word(text.p[i])))
            i++;
        if (i == start || (braces && (i == text.n || text.p[i] != '}')))
            return transform_flaw(flaw, 1, dollar, "$ begins a group, as in $1 or ${name}; write $$ for a dollar");
        if (!group_exists(code, (struct str){text.p + start, i - start}))
            return transform_flaw(flaw, 1, dollar, "the regex has no such group; write $$ for a dollar");
        i -= !braces; /* the loop steps over the last byte */
    }
    return 0;
}

static int regex_flaw(int error, size_t offset, struct arena *arena, struct flaw *flaw)
{
    unsigned char reason[ERROR_TEXT_N] = "";
    pcre2_get_error_message(error, reason, sizeof reason);
    char *text = arena_alloc(arena, ERROR_TEXT_N + 64);
    if (text == NULL)
        return transform_flaw(flaw, 0, offset, "out of memory");
    snprintf(text, ERROR_TEXT_N + 64, "the regex does not compile: %s", (const char *)reason);
    return transform_flaw(flaw, 0, offset, text);
}

int transform_replace_compile(const struct str *args, struct arena *arena, struct transform_step *out, struct flaw *flaw)
{
    struct transform_replace *r = arena_calloc(arena, 1, sizeof *r);
    int error = 0;
    size_t offset = 0;

    /* arena_dup: an empty replacement still needs an address, older PCRE2 refuse NULL. */
    const char *text = r != NULL ? arena_dup(arena, args[1].p, args[1].n) : NULL;
    if (text == NULL)
        return transform_flaw(flaw, FLAW_WHOLE, 0, "out of memory");
    r->text = (struct str){text, args[1].n};
    if (args[0].n == 0)
        return transform_flaw(flaw, 0, 0, "the regex is empty; give it something to find");
    r->code = pcre2_compile((PCRE2_SPTR)args[0].p, args[0].n, PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error,
                            &offset, NULL);
    if (r->code == NULL)
        return regex_flaw(error, offset < args[0].n ? offset : args[0].n, arena, flaw);
    out->as.regex = r;
    r->match = pcre2_match_data_create_from_pattern(r->code, NULL);
    r->limits = pcre2_match_context_create(NULL);
    int rc = r->match != NULL && r->limits != NULL ? check_text(r->code, args[1], flaw)
                                                   : transform_flaw(flaw, FLAW_WHOLE, 0, "out of memory");
    if (rc != 0) {
        transform_replace_free(out);
        return -1;
    }
    pcre2_set_match_limit(r->limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(r->limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(r->limits, MATCH_HEAP_KIB_MAX);
    return 0;
}

void transform_replace_free(struct transform_step *step)
{
    struct transform_replace *r = step->as.regex;
    if (r == NULL)
        return;
    pcre2_code_free(r->code);
    pcre2_match_data_free(r->match);
    pcre2_match_context_free(r->limits);
    step->as.regex = NULL; /* the struct itself is the arena's */
}

/* -1 when memory is short, 0 with the verdict when the value's bytes caused the failure. */
static int match_error(int rc, const char **why)
{
    if (rc == PCRE2_ERROR_NOMEMORY)
        return -1;
    *why = rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT
               ? "takes the regex of replace too many steps; simplify the regex"
               : "cannot be searched by the regex of replace";
    return 0;
}

int transform_replace(const struct transform_step *step, struct str in, struct arena *scratch, struct str *out,
                      const char **why)
{
    const struct transform_replace *r = step->as.regex;
    const uint32_t options = PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH;
    size_t cap = in.n + r->text.n + 32;

    *out = in;
    /* Most rows do not match and need no memory for a result. */
    int rc = pcre2_match(r->code, (PCRE2_SPTR)in.p, in.n, 0, 0, r->match, r->limits);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return match_error(rc, why);
    /* A second turn knows the exact size of the result. */
    for (int turn = 0; turn < 2; turn++) {
        size_t n = cap;
        PCRE2_UCHAR *to = arena_alloc(scratch, cap);
        if (to == NULL)
            return -1;
        rc = pcre2_substitute(r->code, (PCRE2_SPTR)in.p, in.n, 0, options, r->match, r->limits, (PCRE2_SPTR)r->text.p,
                              r->text.n, to, &n);
        if (rc >= 0) {
            *out = (struct str){(const char *)to, n};
            return 0;
        }
        if (rc != PCRE2_ERROR_NOMEMORY || turn == 1)
            break;
        if (n == PCRE2_UNSET)
            break; /* the match itself ran out of memory */
        if (n > TRANSFORM_OUTPUT_MAX) {
            *why = "becomes larger than 1 MiB in replace";
            return 0;
        }
        cap = n;
    }
    return match_error(rc, why);
}
