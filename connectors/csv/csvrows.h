/* Rows of CSV text from any descriptor: a file, stdin, a command's output.
 *
 * Knows RFC 4180 as people really have it: byte order marks and encodings (decode.h), four delimiters (delimiter.h),
 * CR, LF and CRLF, quotes (csvparse.h), line ends inside quotes, ragged rows. A row of nothing but blanks is no row. Does not know where the bytes come from or whether
 * they change meanwhile. Blocks as its input does; memory is one window plus one row, both bounded. */
#ifndef CONNECTORS_CSV_CSVROWS_H
#define CONNECTORS_CSV_CSVROWS_H

#include "connectors/input.h"
#include "connectors/source.h"

struct csvrows;

enum {
    CSVROWS_COLUMNS_MAX = 16384,           /* a wider header is refused; surplus cells of a ragged row are dropped */
    CSVROWS_ROW_MIN_MAX = 4 * 1024 * 1024, /* bytes of a row that are kept: this, or four times field_max if more */
};

struct csvrows_format {
    char delimiter;            /* 0: find it */
    bool delimiter_may_differ; /* with a named one: look for another if it does not divide the first row */
    const char *encoding;      /* NULL: find it */
    bool uncertain_encoding;   /* one that had to be guessed among several is used; else it is an error */
    bool rows_judged_alone;    /* bytes that are not UTF-8 spoil their row (REASON_NOT_UTF8), not the file */
    bool header;               /* the first row names the columns */
    const struct str *names;   /* without a header: the columns */
    size_t names_n;
    bool header_may_stand; /* with names: a first row of nothing but them, and columns of ours, is a header after all */
    size_t field_max;      /* bytes of a cell */
    bool silent;           /* what is odd about the first rows is not logged */
    bool embedded_rows;    /* a cell may hold whole rows (csvdialect_embeds_rows()) */
};

/* Reads up to the first data row. Borrows `in` and the format's strings until free. Logs the encoding when it had to be
 * assumed. Errors: XS_SOURCE (empty, NUL, undecodable, no header, stray quote, quotes of another kind),
 * XS_CONFIG (delimiter unclear, unknown encoding, names of the format that are blank or stand twice), and those of
 * input_read(). The header's names may be blank or stand twice. */
int csvrows_new(struct input *in, const struct csvrows_format *format, struct csvrows **out, struct err *e);
void csvrows_free(struct csvrows *r); /* NULL is fine */

/* Borrowed until free. */
const struct column *csvrows_columns(const struct csvrows *r, size_t *n);
char csvrows_delimiter(const struct csvrows *r);
/* The encoding that was taken because neither a mark nor the mapping said one and UTF-8 did not fit; NULL: none was. */
const char *csvrows_assumed(const struct csvrows *r);

/* Did the row that was handed out last end with the file, and not with its line? Of a file that is written to, it may be
 * a part of one. */
bool csvrows_is_open(const struct csvrows *r);

/* 1 with the row, whose cells are valid until the next call; 0 at the end; -1. Cells of a row with a defect are as found,
 * but for what passes the limit of a row. Errors: XS_SOURCE: a stray or unclosed quote, or a cell that holds whole rows
 * (with the line on which its row starts), or bytes that cannot be decoded (with theirs), and those of input_read(). After an error there is no next. */
int csvrows_next(struct csvrows *r, struct row *out, struct err *e);

#endif
