/* Options from one declarative table a command: parsing (getopt_long, any order), --help, "did you mean", and what the
 * man page check and completions read. */
#ifndef SYNC_BASE_OPT_H
#define SYNC_BASE_OPT_H

#include "sync/base/buf.h"
#include "sync/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum opt_kind {
    OPT_FLAG,     /* bool * */
    OPT_COUNT,    /* int *: each use adds one */
    OPT_TEXT,     /* const char **: borrowed from argv */
    OPT_INT,      /* int64_t *: within min..max */
    OPT_DURATION, /* int64_t *: milliseconds; "10m" or seconds */
    OPT_CHOICE,   /* int *: index into choices */
    OPT_LIST,     /* struct opt_list *: each use appends */
};

struct opt_list {
    const char **v; /* the array is owned, the strings are argv's */
    size_t n;
};

/* The parts of --help, in this order. */
enum opt_section {
    OPT_INHERIT, /* the section of the table that the row stands in; in a table of its own, the first one */
    OPT_WHAT,
    OPT_SOURCE,
    OPT_SAFETY,
    OPT_DRY_RUN, /* how `sync --dry-run` shows a diff */
    OPT_OUTPUT,
    OPT_CONNECTION,
    OPT_CSV, /* settings of a CSV file that has no mapping */
    OPT_SECTION_N
};

/* How much of a value a record may have: all, nothing (a key, an address that must stay unknown, a person's data), or the name
 * before the = (the rest is a person's data). Plain true is OPT_SECRET. */
enum opt_secrecy { OPT_RECORDED, OPT_SECRET, OPT_SECRET_VALUE };

struct opt {
    const char *name; /* long name without dashes */
    char letter;      /* short name, 0: none */
    enum opt_kind kind;
    void *dest;
    const char *arg;            /* name of the argument in help, e.g. "FILE"; NULL for flags */
    const char *help;           /* one sentence, lower case, no full stop */
    int64_t min, max;           /* OPT_INT; both 0: any. OPT_TEXT: min 1 refuses an empty one */
    const char *const *choices; /* OPT_CHOICE: NULL-terminated */
    enum opt_section section;
    enum opt_secrecy secret; /* of its value, in a line of opt_show() */
};

/* Parses argv[1..]; non-options are moved to `operands` (caller frees the array; at most argc). Unknown options and
 * bad values: XS_USAGE with a suggestion. Tables are NULL-terminated arrays of tables, each ending in a NULL name. */
int opt_parse(int argc, char **argv, const struct opt *const *tables, const char ***operands, size_t *operands_n,
              struct err *e);
void opt_list_free(struct opt_list *list);
/* Appends what was typed after the command, for a record: " --name value" for each option, by its long name, quoted for a
 * shell where it needs that. "..." stands for what may be secret or a person: values of secret options, words with an
 * address, operands like name=value, the id of a lead as an operand, and of a URL all but scheme and host. A line of more than `max` bytes ends in " ...".
 * Call it after opt_parse() of the same words. 0/-1 (memory) */
int opt_show(int argc, char **argv, const struct opt *const *tables, size_t max, struct buf *out);
/* Appends a word as a shell would have to be given it. 0/-1 (memory) */
int opt_show_quoted(const char *word, struct buf *out);
/* Appends the next word of such a line, without its quotes, and moves `line` past it. 1, 0 there is none, -1 (memory) */
int opt_next_word(const char **line, struct buf *out);
/* The option part of --help, in sections: name, argument, text, wrapped at `columns`. */
void opt_help(FILE *out, const struct opt *const *tables, unsigned columns);

#endif
