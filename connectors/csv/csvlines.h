/* The physical lines of a CSV text: a window over what was decoded, where its lines end, and where its quotes stand.
 *
 * Knows line ends (CR, LF, CRLF) and nothing of rows and cells: a line end inside quotes is a line end here. Blocks as
 * its input does; memory is one window, which grows up to the limit of a row. */
#ifndef CONNECTORS_CSV_CSVLINES_H
#define CONNECTORS_CSV_CSVLINES_H

#include "connectors/csv/decode.h"

#define NOWHERE SIZE_MAX

/* The next place of one byte in the window: searched once, however often it is asked for. */
struct place {
    char byte;
    size_t at;       /* NOWHERE: not in what was searched */
    size_t searched; /* up to here */
};

struct csvlines {
    struct input *in;
    struct decoder *decoder; /* owned */
    char *text;              /* owned; the window: decoded, up to `end` */
    size_t cap, max;
    size_t at, end; /* what is before `at` was read; the reader moves it */
    bool ended;     /* nothing comes after the window */
    uint64_t done;  /* physical lines that end before `at`; the reader counts */
    struct place lf, cr, quote;
};

/* A physical line in the window. */
struct line {
    const char *p;
    size_t n;    /* without its end */
    size_t next; /* offset behind its end */
};

/* As decoder_new(); `max`: bytes of the longest row. Free after a failure, too. */
int csvlines_init(struct csvlines *l, struct input *in, const struct decode_spec *spec, size_t max, struct err *e);
void csvlines_free(struct csvlines *l); /* fine on a zeroed one */

/* Adds text to the window; offsets move when what was read before `at` goes. 1, 0 at the end or without room, -1.
 * Logs when the encoding had to be guessed. Errors: those of decoder_read(), with the line they are met on. */
int csvlines_fill(struct csvlines *l, struct err *e);
/* The line at `at`. false: its end is not in the window yet. At the end of everything it is empty. */
bool csvlines_find(struct csvlines *l, struct line *line);
/* Where the first quote at or behind `from` stands in the window, or NOWHERE. `from` only grows. */
size_t csvlines_quote(struct csvlines *l, size_t from);

#endif
