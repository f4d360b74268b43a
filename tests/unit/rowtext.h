/* A whole source as text, for tests to compare: "1 [a][b]\n2 ragged_row [x](null)\n", and "error 65 …" at its end. */
#ifndef TESTS_UNIT_ROWTEXT_H
#define TESTS_UNIT_ROWTEXT_H

#include "connectors/source.h"

/* Opens, reads to the end and closes. The watermark, when there is one, comes as "watermark …\n" last. */
void rowtext_read(const struct source_spec *spec, const struct source_read *read, struct clock *clock, struct buf *out);

/* The same, held against `want`; `want` may end in the middle of an error message. */
void rowtext_check(const struct source_spec *spec, const struct source_read *read, struct clock *clock, const char *want);

/* The type that a watermark has now, as it is stored; "" when the source cannot be opened. */
void rowtext_mark_type(const struct source_spec *spec, struct clock *clock, char *out, size_t out_n);

/* The same with a time budget, where `want` says that it ended: the smallest of some tenths to twenty seconds in which this
 * machine comes so far. What is waited for must take a minute; that it returns in time is checked, too. */
void rowtext_check_late(const struct source_spec *spec, struct clock *clock, const char *want);

#endif
