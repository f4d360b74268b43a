/* Properties of the cells of a column, as counts. Internal to init. */
#ifndef MAPPINGS_INIT_INIT_LOOK_H
#define MAPPINGS_INIT_INIT_LOOK_H

#include "mappings/names/names.h"
#include "sync/base/arena.h"
#include "sync/model/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct look {
    size_t filled;          /* cells that hold something once they are cleaned; everything below counts among them */
    size_t runs;            /* runs of blanks or line breaks inside */
    size_t capitals, small; /* words without one letter of the other case */
    size_t spaced;          /* several words */
    size_t html, combining; /* tags or entities; accents that stand apart from their letter */
    size_t emails, wrapped; /* addresses; those that the step `email` has to take out of "Name <a@b>", "a@b;" and the like */
    size_t at_signs;        /* an @ anywhere */
    size_t profiles;        /* pages at LinkedIn and the like */
    size_t numbers, digits; /* JSON numbers that survive as such; 0 and 1 among them */
    size_t whole;           /* numbers without a fraction */
    size_t dot_groups;      /* 1.234: a thousand and more, or one and a bit */
    size_t blank_groups;    /* 1 234: a number beside others of its kind only, it may be anything */
    size_t comma_groups, comma_groups_sure;     /* 1,234 and 1,234.50: the second can only be a thousand and more */
    size_t comma_decimals, comma_decimals_sure; /* 12,345 and 1.234,5: the second can only be a fraction */
    size_t booleans, answers;                   /* true, no, 1, …; the same in other languages, and x */
    size_t interests, uuids;                    /* values of lt_interest_status, UUIDs */
    size_t bare_hosts, urls;                    /* "example.com"; "https://…" */
    size_t scientific;                          /* "4.9E+11": what a spreadsheet makes of a phone number */
    size_t long_ones;                           /* more than 200 bytes: prose */
};

enum { TOTALS_MAX = 4 };

struct mapping_init {
    struct arena arena;
    struct str *columns; /* those that can be mapped, in order */
    size_t *cells;       /* the cell of each */
    struct look *looks;
    size_t n;        /* of them */
    size_t source_n; /* columns of the source */
    size_t left_out; /* leadsync's own, or no text */
    size_t twins;    /* columns whose name another one has, too; they are left out */
    size_t rows, defects;
    size_t footer_rows;   /* at the end of what was seen */
    uint64_t footer_line; /* of the first of these */
    struct total {        /* rows of sums, by the word that begins them; the first of each */
        const char *word; /* static */
        size_t column;
        uint64_t line;
    } totals[TOTALS_MAX];
    size_t totals_n;
    size_t
        *short_rows; /* rows per number of cells, for rows that end early; they are usable if these cells hold the address */
    struct names_use *uses; /* by names_assign() */
    struct arena scratch;
    uint64_t *seen; /* hashes of addresses, to notice that some come twice; a table with gaps */
    size_t seen_n, repeated;
    size_t email; /* column of the addresses once known, else n */
};

/* Adds one cell's text, which is not blank; a placeholder such as NULL counts as nothing. 0/-1 (memory). */
int look_at(struct look *look, struct str text, struct arena *scratch);

/* How to convert the cells to numbers. */
enum look_number {
    LOOK_NO_NUMBER,      /* impossible */
    LOOK_NUMBER,         /* they are, as they stand */
    LOOK_DOTS,           /* ambiguous: the dots may separate thousands */
    LOOK_COMMA_GROUPS,   /* without their commas */
    LOOK_COMMA_DECIMALS, /* with a dot for the comma, and without dots */
};
/* `sure`: at least one cell leaves no other reading. */
enum look_number look_number(const struct look *look, bool *sure);

/* Adds what was seen in another column. */
void look_add(struct look *to, const struct look *from);

/* Are all of the seen cells such, and is there one at all? */
bool look_all(const struct look *look, size_t count);
/* True for at least one cell in twenty, which justifies a step. */
bool look_some(const struct look *look, size_t count);

#endif
