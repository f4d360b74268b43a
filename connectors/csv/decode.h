/* Bytes of a text file to UTF-8, chunk by chunk.
 *
 * Which encoding: a byte order mark says it; else the mapping does; else the first character that is not ASCII decides:
 * if it is valid UTF-8, the file is UTF-8 from there to its end; if not, charset.c judges the text that follows. Nothing
 * is ever replaced or left out: what does not fit is an error. A file that is not text is refused by its kind
 * (file_kind.c). Knows nothing of lines and rows, so a message says which bytes, and the reader adds where. Blocks as its
 * input does. */
#ifndef CONNECTORS_CSV_DECODE_H
#define CONNECTORS_CSV_DECODE_H

#include "connectors/csv/charset.h"
#include "connectors/input.h"

struct decoder;

struct decode_spec {
    const char *encoding;   /* an iconv name, borrowed until decoder_free(); NULL: find it */
    bool uncertain_is_fine; /* an encoding that had to be guessed among several is used; else it is an error */
    bool bytes_as_they_are; /* what is not UTF-8 is handed through, for sources whose rows are judged one by one */
};

enum decode_event {
    DECODE_ERROR = -1,
    DECODE_END,
    DECODE_TEXT,    /* bytes were added */
    DECODE_FOREIGN, /* no bytes: what follows is not UTF-8 and is read as decoder_guess() says; returned once */
};

enum { DECODE_ROOM_MIN = 64 }; /* bytes that decoder_read() needs to get on */

/* Reads the first bytes. Borrows `in` until decoder_free().
 * Errors: XS_CONFIG (no such encoding), XS_SOURCE (a byte order mark says otherwise, no text file, or no byte at all). */
int decoder_new(struct input *in, const struct decode_spec *spec, struct decoder **out, struct err *e);
void decoder_free(struct decoder *d); /* NULL is fine */

/* Writes at most `room` bytes of whole, valid characters to `dst`. Everything before a bad byte is handed out before
 * the error. Errors: XS_SOURCE (NUL, bytes that do not fit the encoding, an uncertain encoding), those of input_read(). */
enum decode_event decoder_read(struct decoder *d, char *dst, size_t room, size_t *got, struct err *e);

/* How the encoding was found, after DECODE_FOREIGN; NULL before, and when it was declared. Borrowed. */
const struct charset_guess *decoder_guess(const struct decoder *d);

#endif
