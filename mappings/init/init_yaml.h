/* Puts YAML together of small parts; errors stick and are asked for once. Internal to init. */
#ifndef MAPPINGS_INIT_INIT_YAML_H
#define MAPPINGS_INIT_INIT_YAML_H

#include "sync/base/buf.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct mapping_init;
struct mapping_init_file;

struct init_writer {
    const struct mapping_init *init;
    const struct mapping_init_file *file;
    struct buf *out; /* borrowed */
    size_t line;     /* where the line begins that is being written */
    bool failed;     /* the buffer was full, or memory short */
    bool foreign;    /* a scalar was not UTF-8, which no YAML file can say */
};

void init_put(struct init_writer *w, const char *text);
void init_put_bytes(struct init_writer *w, const char *p, size_t n);
void init_end_line(struct init_writer *w);
/* A comment at the end of the line, in a column of its own if there is room. */
void init_put_note(struct init_writer *w, const char *text);

/* The first part of the file (init_head.c): what it is, its name, source and target. */
void init_put_head(struct init_writer *w);

/* Text as a scalar, in quotes where it must be. Letters of other alphabets stay readable in them. */
void init_put_scalar(struct init_writer *w, struct str s);
void init_put_text(struct init_writer *w, const char *text);
/* Several lines as a block under a key that is indented by four; ends the line. */
void init_put_block(struct init_writer *w, const char *text);
/* A foreign text inside a comment: nothing in it may end the line. */
void init_put_shown(struct init_writer *w, struct str s);
/* Does it mean itself without quotes, to old readers of YAML too? */
bool init_is_plain(struct str s);

#endif
