/* The steps of `apply:`: each turns one text into another.
 *
 * Pure value functions over valid UTF-8; they know nothing of rows, columns or the mapping file, do no I/O and never
 * block. A step is compiled once, then run for every row: when it changes nothing it returns its input, not a copy.
 * An empty value passes every step unchanged. */
#ifndef MAPPINGS_CONVERT_TRANSFORM_H
#define MAPPINGS_CONVERT_TRANSFORM_H

#include "mappings/convert/flaw.h"
#include "sync/base/arena.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum transform_op {
#define TRANSFORM(id, name, args_n, args, help) TRANSFORM_##id,
#include "mappings/convert/transform.def"
#undef TRANSFORM
    TRANSFORM_N
};

/* One row of the table that the loader, the JSON Schema and the help read. */
struct transform_row {
    const char *name;
    unsigned args_n;  /* 0: written as a plain word; 1 and 2: `name: X`, `name: [X, Y]` */
    const char *args; /* what they are, for messages: "a number", "[regex, text]"; "" without */
    const char *help; /* one sentence */
};
extern const struct transform_row transform_table[TRANSFORM_N];

struct transform_step {
    enum transform_op op;
    union {
        size_t graphemes;   /* truncate */
        struct {            /* clean; set by the owner of a compiled step */
            bool of_person; /* a first or last name */
            bool website;   /* a page at LinkedIn is none, and becomes empty */
        } clean;
        bool as_spelled;                 /* email: the domain keeps its case; set by the owner, too */
        struct transform_replace *regex; /* replace; owns memory outside the arena */
        const struct transform_date *date;
    } as;
};

/* Compiles one step. The step borrows from `arena`, which must outlive it; the arguments may go. 0, or -1 with
 * flaw->text (unknown name with the nearest one, wrong arguments, a regex or date format that does not compile with the
 * byte offset into its argument) or, when memory is short, flaw->text "out of memory". */
int transform_compile(struct str name, const struct str *args, size_t args_n, struct arena *arena,
                      struct transform_step *out, struct flaw *flaw);

/* Frees what steps hold outside the arena (regular expressions). Steps that were never compiled must be zeroed. */
void transform_free(struct transform_step *steps, size_t n);

/* Runs steps in order. `in` is valid UTF-8. `*out` borrows from `in` or from `scratch`. 0 with `*why` NULL; 0 with `*why`
 * set when a step refuses this value (static text that completes "the value …"; the caller rejects the row as
 * type_invalid); -1 when the arena is exhausted. Not reentrant for the same steps: a regex keeps its match data. */
int transform_run(const struct transform_step *steps, size_t n, struct str in, struct arena *scratch, struct str *out,
                  const char **why);

#endif
