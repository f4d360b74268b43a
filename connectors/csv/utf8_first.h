/* Is a file UTF-8, whatever was declared? For a file that replaces another for one run (--input): rejects, which
 * leadsync writes as UTF-8, come back from an editor as UTF-8 or in the encoding of the file that they are from.
 *
 * Knows nothing of CSV. */
#ifndef CONNECTORS_CSV_UTF8_FIRST_H
#define CONNECTORS_CSV_UTF8_FIRST_H

#include "connectors/input.h"

/* Reads the regular file `fd` from where it stands to its end, and leaves it where it stood. 1: it is UTF-8, with at
 * least one character beyond ASCII (a byte order mark is one); 0: it is not, or every encoding reads it alike;
 * -1: XS_NO_SOURCE. */
int utf8_first_look(int fd, const char *label, struct err *e);

/* Reads all of a pipe into an unlinked temporary file, from which it can be read twice. The file's descriptor, at its
 * start, which is the caller's to close; -1 with the errors of input_read(), or XS_IO. Blocks as the pipe does. */
int utf8_first_spool(struct input *in, struct err *e);

#endif
