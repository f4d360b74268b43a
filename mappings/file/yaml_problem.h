/* libyaml's problems with their place, and help for those who write a mapping. Internal to yaml_tree.c. */
#ifndef MAPPINGS_FILE_YAML_PROBLEM_H
#define MAPPINGS_FILE_YAML_PROBLEM_H

#include "mappings/file/diag.h"

/* What libyaml said, and what was read last: an unclosed quote often shows only in what follows it. */
struct yaml_problem {
    const char *problem, *context; /* as libyaml words them; may be NULL */
    size_t at, context_at;         /* bytes */
    bool quoted;                   /* the last scalar stood in quotes … */
    size_t quoted_at, quoted_end;  /* … from here to here */
};

void yaml_problem_explain(struct diags *d, const struct yaml_problem *problem);

/* Bytes that no YAML may hold: not UTF-8, NUL, control characters, UTF-16. 0, or -1 with the first of them in `d`. */
int yaml_problem_bytes(struct diags *d);

#endif
