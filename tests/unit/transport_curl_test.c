#include "config.h"

/* libcurl against a peer that dies, lies and dawdles. The question is always the same: does the transport know whether
 * bytes left, and did they leave more than once? */
#include "tests/unit/transport_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

START_TEST(what_is_sent)
{
    open_peer(NULL, 0);
    post(0);
    get(1);
    struct transport_request r = request("DELETE", "{\"ids\":[]}", 2);
    go(&r);
    r = request("DELETE", "", 3);
    go(&r);
    r = request("PATCH", "{\"a\":1}", 4);
    go(&r);
    get(5); /* a handle that sent a body before */
    close_all();
    const char *q = peer.requests[0];
    ck_assert(has(q, "POST /api/v2/leads/add HTTP/1.1\r\n"));
    ck_assert(has(q, "\r\nAuthorization: Bearer sesame\r\n"));
    ck_assert(has(q, "\r\nUser-Agent: leadsync/test\r\n"));
    ck_assert(has(q, "\r\nx-as-workspace: 0a-workspace\r\n"));
    ck_assert(has(q, "\r\nContent-Type: application/json\r\n"));
    ck_assert(has(q, "\r\nContent-Length: 17\r\n"));
    ck_assert(has(q, "\r\nAccept-Encoding: gzip\r\n"));
    ck_assert(!has(q, "Expect") && !has(q, "chunked"));
    ck_assert(has(q, "\r\n\r\n{\"leads\":[1,2,3]}"));
    static const size_t gets[] = {1, 5};
    for (size_t i = 0; i < 2; i++) {
        q = peer.requests[gets[i]];
        ck_assert(has(q, "GET /api/v2/leads/add HTTP/1.1\r\n") && has(q, "Authorization: Bearer sesame"));
        ck_assert(!has(q, "Content-Type") && !has(q, "Content-Length"));
    }
    q = peer.requests[2];
    ck_assert(has(q, "DELETE /api") && has(q, "Content-Type: application/json") && has(q, "\r\n\r\n{\"ids\":[]}"));
    q = peer.requests[3];
    ck_assert(has(q, "DELETE /api") && !has(q, "Content-Type") && !has(q, "Content-Length"));
    ck_assert(has(peer.requests[4], "PATCH /api") && has(peer.requests[4], "\r\n\r\n{\"a\":1}"));
    ck_assert_uint_eq(peer.connections_n, 2); /* one kept alive, one fresh for the write without a body */
    peer_free(&peer);
}
END_TEST

START_TEST(large_body_without_expect)
{
    open_peer(NULL, 0);
    size_t n = 1200000; /* libcurl would ask first from a mebibyte on */
    char *body = malloc(n);
    memset(body, 'b', n);
    struct transport_request r = request("POST", "", 0);
    r.body = (struct str){body, n};
    struct result *result = go(&r);
    close_all();
    ck_assert_int_eq(result->end, TRANSPORT_ANSWERED);
    ck_assert(!has(peer.requests[0], "Expect"));
    ck_assert_uint_ge(strlen(peer.requests[0]), n);
    ck_assert_int_eq(memcmp(strstr(peer.requests[0], "\r\n\r\n") + 4, body, n), 0);
    free(body);
    peer_free(&peer);
}
END_TEST

static const struct {
    struct peer_step step;
    enum transport_end end;
    int status;
    const char *body;
} answer_rows[] = {
    {{.bytes = OK_BYTES}, TRANSPORT_ANSWERED, 200, "{}"},
    {{.bytes = OK_BYTES, .split_at = 20, .delay_ms = 50}, TRANSPORT_ANSWERED, 200, "{}"},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":1}"},
     TRANSPORT_ANSWERED,
     200,
     "{\"a\":1}"},
    {{.bytes = "HTTP/1.1 100 Continue\r\n\r\n" OK_BYTES}, TRANSPORT_ANSWERED, 200, "{}"},
    {{.bytes = "HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n" OK_BYTES}, TRANSPORT_ANSWERED, 200, "{}"},
    {{.bytes = "HTTP/1.1 204 No Content\r\n\r\n"}, TRANSPORT_ANSWERED, 204, ""},
    {{.bytes = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"},
     TRANSPORT_ANSWERED,
     302,
     ""},
    {{.bytes = "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nbusy"}, TRANSPORT_ANSWERED, 503, "busy"},
    {{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"}, TRANSPORT_ANSWERED, 200, "{}"},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"},
     TRANSPORT_LOST,
     0,
     ""},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"},
     TRANSPORT_LOST,
     0,
     ""},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":"}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_ANSWER_RESET, .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":"}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "HTTP/1.1 200 OK\r\nContent-Le"}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "HTTP/9.9 lol\r\n\r\n"}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "SSH-2.0-OpenSSH\r\n"}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "\x16\x03\x01 no http at all"}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"},
     TRANSPORT_LOST,
     0,
     ""},
    {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", .repeat_n = 3000000}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_ANSWER_CLOSE, .bytes = "HTTP/1.1 200 OK\r\n\r\n", .repeat_n = 3000000}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_CLOSE}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_RESET}, TRANSPORT_LOST, 0, ""},
    {{.act = PEER_CLOSE_EARLY}, TRANSPORT_LOST, 0, ""},
};

START_TEST(answers)
{
    open_peer(&answer_rows[_i].step, 1);
    struct result *r = post(0);
    close_all();
    ck_assert_msg(r->end == answer_rows[_i].end, "%s: end %d, %s", answer_rows[_i].step.bytes, (int)r->end, r->detail);
    if (r->end == TRANSPORT_ANSWERED) {
        ck_assert_int_eq(r->status, answer_rows[_i].status);
        ck_assert_str_eq(r->body, answer_rows[_i].body);
        ck_assert_int_eq(r->retry_after_ms, -1);
    } else {
        ck_assert_str_ne(r->detail, "");
        ck_assert_ptr_null(strstr(r->detail, "sesame"));
    }
    ck_assert_uint_eq(peer.requests_n, 1);
    ck_assert_uint_eq(r->left_n, 1);
    peer_free(&peer);
}
END_TEST

/* The connection was fine for the first request and dies with the second, read whole and perhaps carried out: libcurl
 * would send that one again by itself. */
START_TEST(a_reused_connection_dies_under_a_write)
{
    const struct peer_step steps[] = {{.bytes = OK_BYTES}, {.act = _i == 0 ? PEER_CLOSE : PEER_RESET}, {.bytes = OK_BYTES}};
    open_peer(steps, 3);
    ck_assert_int_eq(post(0)->end, TRANSPORT_ANSWERED);
    struct result *r = post(1);
    ck_assert_int_eq(r->end, TRANSPORT_LOST);
    ck_assert_int_eq(post(2)->end, TRANSPORT_ANSWERED);
    close_all();
    ck_assert_uint_eq(peer.requests_n, 3); /* one each */
    peer_free(&peer);
}
END_TEST

START_TEST(a_write_without_a_body_is_alone_on_its_connection)
{
    const struct peer_step steps[] = {{.bytes = OK_BYTES}, {.act = PEER_CLOSE}, {.bytes = OK_BYTES}};
    open_peer(steps, 3);
    ck_assert_int_eq(post(0)->end, TRANSPORT_ANSWERED);
    struct transport_request q = request("DELETE", "", 1);
    ck_assert_int_eq(go(&q)->end, TRANSPORT_LOST);
    close_all();
    ck_assert_uint_eq(peer.requests_n, 2);
    peer_free(&peer);
}
END_TEST

/* Closed while idle: nobody saw the request, a new connection carries it. */
START_TEST(an_idle_connection_closed_in_time)
{
    const struct peer_step steps[] = {{.act = PEER_ANSWER_CLOSE, .bytes = OK_BYTES}, {.bytes = OK_BYTES}};
    open_peer(steps, 2);
    ck_assert_int_eq(post(0)->end, TRANSPORT_ANSWERED);
    while (atomic_load(&peer.ended_n) == 0)
        usleep(1000);
    ck_assert_int_eq(post(1)->end, TRANSPORT_ANSWERED);
    close_all();
    ck_assert_uint_eq(peer.requests_n, 2);
    peer_free(&peer);
}
END_TEST

START_TEST(reads_that_libcurl_repeats_are_reported)
{
    const struct peer_step steps[] = {{.bytes = OK_BYTES}, {.act = PEER_CLOSE}, {.bytes = OK_BYTES}};
    open_peer(steps, 3);
    get(0);
    struct result *r = get(1);
    close_all();
    ck_assert_int_eq(r->end, TRANSPORT_ANSWERED);
    ck_assert_uint_eq(peer.requests_n, 3);
    ck_assert_uint_eq(r->left_n, 2); /* the pacer hears of both */
    peer_free(&peer);
}
END_TEST

static const struct {
    const char *headers;
    int64_t retry_after_ms, date_ms;
} header_rows[] = {
    {"", -1, 0},
    {"Retry-After: 7\r\n", 7000, 0},
    {"retry-after:7\r\n", 7000, 0},
    {"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:47 GMT\r\n", 10000, 784111777000},
    {"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:07 GMT\r\n", 0, 784111777000},
    {"Retry-After: 99999999999999999999\r\n", 600000, 0},
    {"Retry-After: never\r\nDate: today\r\n", -1, 0},
};

START_TEST(headers_of_time)
{
    char bytes[512];
    snprintf(bytes, sizeof bytes, "HTTP/1.1 429 Too Many Requests\r\n%sContent-Length: 0\r\n\r\n", header_rows[_i].headers);
    struct peer_step step = {.bytes = bytes};
    open_peer(&step, 1);
    struct result *r = post(0);
    close_all();
    ck_assert_int_eq(r->status, 429);
    ck_assert_int_eq(r->retry_after_ms, header_rows[_i].retry_after_ms);
    ck_assert_int_eq(r->date_ms, header_rows[_i].date_ms);
    peer_free(&peer);
}
END_TEST

START_TEST(gzip)
{
    /* {"a":1} as gzip -n makes it */
    static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                           0x03, 0xab, 0x56, 0x4a, 0x54, 0xb2, 0x32, 0xac, 0x05,
                                           0x00, 0xaf, 0xac, 0x1b, 0x56, 0x07, 0x00, 0x00, 0x00};
    static char bytes[256];
    int head = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                        sizeof packed);
    memcpy(bytes + head, packed, sizeof packed);
    struct peer_step step = {.bytes = bytes, .bytes_n = (size_t)head + sizeof packed};
    open_peer(&step, 1);
    struct result *r = post(0);
    close_all();
    ck_assert_msg(r->end == TRANSPORT_ANSWERED, "%s", r->detail);
    ck_assert_str_eq(r->body, "{\"a\":1}");
    peer_free(&peer);
}
END_TEST

/* A text that no two windows have alike. */
static size_t make_body(char *out, size_t n, uint32_t *sum)
{
    uint32_t random = 1;
    *sum = 0;
    for (size_t i = 0; i < n; i++) {
        random = random * 1103515245 + 12345;
        out[i] = (char)('a' + (random >> 16) % 16);
        *sum = *sum * 31 + (unsigned char)out[i];
    }
    return n;
}

static size_t pack(const char *body, size_t n, char *out, size_t room)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)body,
                  .avail_in = (uInt)n,
                  .next_out = (Bytef *)out,
                  .avail_out = (uInt)room};
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t packed = z.total_out;
    deflateEnd(&z);
    return packed;
}

enum { LARGE_N = 300000, LARGE_ROOM = LARGE_N + 1000 };

/* Nothing of what was put off is lost or comes twice, packed or not, and it comes when another exchange has ended. */
START_TEST(what_is_put_off_comes_later)
{
    static char body[LARGE_N], bytes[LARGE_ROOM];
    uint32_t sum;
    size_t n = make_body(body, sizeof body, &sum);
    bool packed = _i % 2 == 1;
    static char content[LARGE_ROOM];
    size_t content_n = packed ? pack(body, n, content, sizeof content) : n;
    if (!packed)
        memcpy(content, body, n);
    int head = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n",
                        packed ? "Content-Encoding: gzip\r\n" : "", content_n);
    memcpy(bytes + head, content, content_n);
    const struct peer_step steps[] = {{.bytes = bytes, .bytes_n = (size_t)head + content_n}, {.bytes = OK_BYTES}};
    open_peer(steps, 2);
    results[0].put_off = &results[1];
    results[0].put_off_at = _i < 2 ? 0 : 100000;
    struct transport_request q = request("GET", "", 0);
    ck_assert_int_eq(transport->start(transport, &q, on_done, NULL, &e), 0);
    while (results[0].put_off_n == 0)
        ck_assert_int_eq(transport->poll(transport, 100, &e), 0);
    size_t before = results[0].body_n;
    ck_assert_uint_lt(before, n);
    ck_assert_int_eq(transport->poll(transport, 20, &e), 0);
    ck_assert_uint_eq(results[0].body_n, before); /* nothing is read meanwhile */
    get(1);
    while (results[0].n == 0)
        ck_assert_int_eq(transport->poll(transport, 100, &e), 0);
    close_all();
    ck_assert_msg(results[0].end == TRANSPORT_ANSWERED, "%s", results[0].detail);
    ck_assert_uint_eq(results[0].body_n, n);
    ck_assert_uint_eq(results[0].body_sum, sum);
    peer_free(&peer);
}
END_TEST

/* What was put off may be refused when it comes. */
START_TEST(what_was_put_off_is_too_much)
{
    const struct peer_step steps[] = {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1500000\r\n\r\n", .repeat_n = 1500000},
                                      {.bytes = OK_BYTES}};
    open_peer(steps, 2);
    results[0].put_off = &results[1];
    struct transport_request q = request("GET", "", 0);
    ck_assert_int_eq(transport->start(transport, &q, on_done, NULL, &e), 0);
    while (results[0].put_off_n == 0)
        ck_assert_int_eq(transport->poll(transport, 100, &e), 0);
    get(1);
    while (results[0].n == 0)
        ck_assert_int_eq(transport->poll(transport, 100, &e), 0);
    close_all();
    ck_assert_int_eq(results[0].end, TRANSPORT_LOST);
    ck_assert_str_eq(results[0].detail, "the answer is too large");
    peer_free(&peer);
}
END_TEST

/* Packed answers that are cut, go on behind their end, or are none. */
START_TEST(gzip_that_is_none)
{
    static const struct {
        size_t cut, more;
        const char *detail;
    } rows[] = {
        {5, 0, "the answer ends before its last byte"},
        {0, 3, "the response says that it is gzip, and is not"},
        {SIZE_MAX, 20, "the response says that it is gzip, and is not"},
    };
    char content[256], bytes[512];
    size_t n = pack("{\"a\":1}", 7, content, sizeof content);
    n = rows[_i].cut > n ? 0 : n - rows[_i].cut;
    memset(content + n, 'x', rows[_i].more);
    n += rows[_i].more;
    int head = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", n);
    memcpy(bytes + head, content, n);
    const struct peer_step step = {.bytes = bytes, .bytes_n = (size_t)head + n};
    open_peer(&step, 1);
    struct result *r = post(0);
    close_all();
    ck_assert_int_eq(r->end, TRANSPORT_LOST);
    ck_assert_str_eq(r->detail, rows[_i].detail);
    peer_free(&peer);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("transport_curl");
    TCase *t = tcase_create("transport_curl");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, what_is_sent);
    tcase_add_test(t, large_body_without_expect);
    tcase_add_loop_test(t, answers, 0, (int)(sizeof answer_rows / sizeof answer_rows[0]));
    tcase_add_loop_test(t, a_reused_connection_dies_under_a_write, 0, 2);
    tcase_add_test(t, a_write_without_a_body_is_alone_on_its_connection);
    tcase_add_test(t, an_idle_connection_closed_in_time);
    tcase_add_test(t, reads_that_libcurl_repeats_are_reported);
    tcase_add_loop_test(t, headers_of_time, 0, (int)(sizeof header_rows / sizeof header_rows[0]));
    tcase_add_test(t, gzip);
    tcase_add_loop_test(t, gzip_that_is_none, 0, 3);
    tcase_add_loop_test(t, what_is_put_off_comes_later, 0, 4);
    tcase_add_test(t, what_was_put_off_is_too_much);
    suite_add_tcase(s, t);
    return unit_run(s);
}
