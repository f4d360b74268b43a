/* Cases as text files: sections that begin with a line "== NAME", in a folder below tests/cases. */
#ifndef TESTS_UNIT_MAPPING_CASES_H
#define TESTS_UNIT_MAPPING_CASES_H

#include "sync/base/buf.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum { CASES_MAX = 512, CASE_BYTES_MAX = 4 << 20 };

struct cases {
    char *folder;
    char *names[CASES_MAX]; /* sorted */
    size_t n;
};

/* Files with this ending in a folder below the sources; aborts the test program when it cannot be read. */
void cases_list(struct cases *cases, const char *folder, const char *ending);
void cases_free(struct cases *cases);

struct case_file {
    char *path;
    struct buf bytes;
};
void case_open(const struct cases *cases, size_t i, struct case_file *out);
void case_close(struct case_file *c);
/* A section's text without the line that names it; STR_NONE and false when there is none. */
bool case_section(const struct case_file *c, const char *name, struct str *out);
/* Compares with the section, the last line end aside; prints both to stderr when they differ. With $CASES_UPDATE the
 * section is rewritten instead. */
bool case_expect(struct case_file *c, const char *section, struct str actual);

/* Writes a file in the current folder. */
void case_write(const char *name, struct str text);

#endif
