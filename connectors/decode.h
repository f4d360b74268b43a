/* Bytes of a text file to UTF-8, chunk by chunk.
 *
 * Which encoding: a byte order mark says it; else the mapping does; else the first character that is not ASCII decides:
 * valid UTF-8, and the file is UTF-8 from there to its end; anything else, and it is Windows-1252. Nothing is ever
 * replaced or left out: what does not fit is an error. Knows nothing of lines and rows, so a message says which bytes,
 * and the reader adds where. Blocks as its input does. */
#ifndef CONNECTORS_DECODE_H
#define CONNECTORS_DECODE_H

#include "connectors/input.h"

struct decoder;

enum decode_event {
    DECODE_ERROR = -1,
    DECODE_END,
    DECODE_TEXT,    /* bytes were added */
    DECODE_FOREIGN, /* no bytes: what follows is not UTF-8 and is read as Windows-1252 from here on; told once */
};

enum { DECODE_ROOM_MIN = 64 }; /* bytes that decoder_read() needs to get on */

/* `encoding` is an iconv name or NULL to find it; `bytes_as_they_are` hands through what is not UTF-8, for sources whose
 * rows are judged one by one. Reads the first bytes. Borrows `in` and `encoding` until free.
 * Errors: XS_CONFIG (no such encoding), XS_SOURCE (a byte order mark says otherwise, or there is no byte at all). */
int decoder_new(struct input *in, const char *encoding, bool bytes_as_they_are, struct decoder **out, struct err *e);
void decoder_free(struct decoder *d); /* NULL is fine */

/* Writes at most `room` bytes of whole, valid characters to `dst`. Everything before a bad byte is handed out before
 * the error. Errors: XS_SOURCE (NUL, or bytes that do not fit the encoding), and those of input_read(). */
enum decode_event decoder_read(struct decoder *d, char *dst, size_t room, size_t *got, struct err *e);

/* The name of the encoding in use, for messages. */
const char *decoder_encoding(const struct decoder *d);
/* The same, but only where it was assumed (after DECODE_FOREIGN); else NULL. */
const char *decoder_assumed(const struct decoder *d);

#endif
