/* What the mock answers: just enough of the bulk endpoints, at the price of a scan instead of a parse.
 *
 * Every lead that is sent counts as created, and every lead that is asked for is there, with the id that person.h gives
 * to its number: nothing is remembered. For the behaviour of the API ask the sandbox; this one is for figures. */
#ifndef TESTS_BENCH_MOCK_ANSWER_H
#define TESTS_BENCH_MOCK_ANSWER_H

#include <stddef.h>

struct text {
    char *p; /* owned; NUL-terminated when n > 0 */
    size_t n, room;
};

enum mock_kind { MOCK_OTHER, MOCK_ADD, MOCK_PATCH, MOCK_LIST, MOCK_KINDS_N };

struct mock_request {
    const char *method, *path; /* path without the query */
    const char *body;
    size_t body_n;
};

/* Which endpoint this is. */
enum mock_kind mock_kind_of(const struct mock_request *q);
/* Replaces `out` by the answer's body and sets the number of leads that came or went. Returns the HTTP status, -1 when
 * memory runs out. */
int mock_answer(const struct mock_request *q, struct text *out, size_t *leads);

/* Appends; 0/-1 (memory). */
int text_add(struct text *t, const char *p, size_t n);
__attribute__((format(printf, 2, 3))) int text_addf(struct text *t, const char *format, ...);

#endif
