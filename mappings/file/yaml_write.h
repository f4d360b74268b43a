/* Puts YAML together of small parts; errors stick and are asked for once. For the file that init writes, and for notes that show a line of YAML. */
#ifndef MAPPINGS_FILE_YAML_WRITE_H
#define MAPPINGS_FILE_YAML_WRITE_H

#include "sync/base/buf.h"
#include "sync/base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct yaml_writer {
    struct buf *out; /* borrowed */
    size_t line;     /* where the line begins that is being written */
    bool failed;     /* the buffer was full, or memory short */
    bool foreign;    /* a scalar was not UTF-8, which no YAML file can say */
};

void yaml_put(struct yaml_writer *w, const char *text);
void yaml_put_bytes(struct yaml_writer *w, const char *p, size_t n);
void yaml_end_line(struct yaml_writer *w);
/* A comment at the end of the line, in a column of its own if there is room. */
void yaml_put_note(struct yaml_writer *w, const char *text);

/* Text as a scalar, in quotes where it must be. Letters of other alphabets stay readable in them. */
void yaml_put_scalar(struct yaml_writer *w, struct str s);
void yaml_put_text(struct yaml_writer *w, const char *text);
/* Several lines as a block under a key that is indented by four; ends the line. */
void yaml_put_block(struct yaml_writer *w, const char *text);
/* A foreign text inside a comment: nothing in it may end the line. */
void yaml_put_shown(struct yaml_writer *w, struct str s);
/* Does it mean itself without quotes, to old readers of YAML too? */
bool yaml_is_plain(struct str s);

#endif
