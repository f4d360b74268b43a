/* What the tests of the curl transport share: a peer that says what it is told, a transport to it, and what came back. */
#ifndef TESTS_UNIT_TRANSPORT_KIT_H
#define TESTS_UNIT_TRANSPORT_KIT_H

#include "sync/api/http/transport.h"
#include "tests/harness/peer.h"
#include "tests/unit/harness.h"

#define OK_BYTES "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

extern struct peer peer;
extern struct transport *transport;
extern struct err e;

extern struct result {
    unsigned n, left_n;
    enum transport_end end;
    int status;
    int64_t retry_after_ms, date_ms, latency_us;
    size_t body_n;
    uint32_t body_sum;            /* of all bytes, in order */
    char body[256], detail[256];  /* its start */
    const struct result *put_off; /* pieces are put off until this one has ended; NULL: never */
    size_t put_off_at;            /* from so many bytes on */
    unsigned put_off_n;
} results[8];

void on_done(void *queue, const struct transport_request *request, const struct transport_answer *answer);
enum { BODY_MAX = 1 << 20 }; /* of the answers that are taken */
void open_transport(const char *url);
void open_peer(const struct peer_step *steps, size_t n);
void close_all(void);
/* One whose outcome goes to results[number]. */
struct transport_request request(const char *method, const char *body, size_t number);
/* Sends it and waits for its end. */
struct result *go(const struct transport_request *r);
struct result *post(size_t number);
struct result *get(size_t number);
bool has(const char *text, const char *part);

#endif
