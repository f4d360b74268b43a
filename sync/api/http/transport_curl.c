/* libcurl's multi interface, HTTP/1.1 forced: uploads over HTTP/2 with libcurl 7.88 cost twenty times the processor
 * time and lose requests when a server recycles its connections.
 *
 * libcurl repeats a request by itself when a reused connection dies before the first byte of an answer; for a POST with
 * its body in memory the server may get it twice while libcurl reports success. So a body comes by read callback and
 * nothing can rewind it: the repetition fails with CURLE_SEND_FAIL_REWIND and the exchange is LOST. A write without a
 * body gets a connection of its own. */
#include "config.h"

#include "sync/api/http/transport.h"

#include "sync/api/http/http_time.h"
#include "sync/api/http/transport_advice.h"
#include "sync/api/http/unpack.h"
#include "sync/base/clock.h"
#include "sync/base/log.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    CONNECT_TIMEOUT_MS = 10000,
    UPLOAD_BUFFER_BYTES = 512 * 1024,
    RECEIVE_BUFFER_BYTES = 128 * 1024,
    IDLE_MAX_S = 20, /* one that was idle for longer may be dead at the far end: a new one beats an unknown outcome */
    HEADER_MAX = 128,
};

struct exchange {
    struct curl_transport *transport;
    CURL *easy;
    const struct transport_request *request;
    transport_done_fn *done;
    void *queue;
    size_t body_at;  /* bytes of the body handed to libcurl */
    bool left;       /* an open connection was about to get the first byte */
    bool put_off;    /* its next piece is not wanted yet */
    bool resuming;   /* that piece is being offered again */
    bool unwanted;   /* a piece was refused finally */
    bool head_whole; /* the blank line after the headers was seen */
    bool packed;     /* the answer is a gzip stream */
    struct unpack unpack;
    char retry_after[HEADER_MAX], date[HEADER_MAX], error[CURL_ERROR_SIZE];
    struct exchange *prev, *next; /* of those under way, or the spare ones */
};

struct curl_transport {
    struct transport base;
    CURLM *multi;
    struct curl_slist *plain_headers, *body_headers;
    char *base_url, *user_agent, *ca_file, *ca_folder;
    bool https;
    struct buf url;
    struct exchange *under_way, *spare;
};

/* ---- callbacks of libcurl ---- */

/* Hands out the body from where it stands and never from the start again; see above. */
static size_t on_read(char *to, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    struct str body = x->request->body;
    size_t room = size * n, rest = body.n - x->body_at;
    if (room > rest)
        room = rest;
    if (room > 0)
        memcpy(to, body.p + x->body_at, room);
    x->body_at += room;
    return room;
}

static enum transport_take offer(void *ctx, struct str piece)
{
    struct exchange *x = ctx;
    long status = 0;
    if (x->request->take == NULL)
        return TRANSPORT_TAKE_MORE;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    return x->request->take(x->queue, x->request, (int)status, piece);
}

static size_t on_write(char *from, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    size_t bytes = size * n;
    struct str piece = {from, bytes};
    if (x->unwanted)
        return x->resuming ? bytes : bytes + 1;
    switch (x->packed ? unpack_piece(&x->unpack, piece, offer, x) : offer(x, piece)) {
    case TRANSPORT_TAKE_LATER: x->put_off = true; return CURL_WRITEFUNC_PAUSE;
    case TRANSPORT_TAKE_NEVER:
        x->unwanted = true;
        /* A count that was not given ends the exchange, but not from within curl_easy_pause(). */
        return x->resuming ? bytes : bytes + 1;
    case TRANSPORT_TAKE_MORE: break;
    }
    return bytes;
}

/* Longer than any time is: dropped. */
static void keep_header(char out[HEADER_MAX], const char *line, size_t n)
{
    if (n >= HEADER_MAX)
        n = 0;
    memcpy(out, line, n);
    out[n] = '\0';
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
    static const char date[] = "Date:", retry[] = "Retry-After:", packing[] = "Content-Encoding:";
    struct exchange *x = ctx;
    size_t bytes = size * n;
    if (bytes >= 5 && strncmp(line, "HTTP/", 5) == 0) { /* the answer after a 100 or 103 starts again */
        x->date[0] = x->retry_after[0] = '\0';
        x->head_whole = x->packed = false;
    } else if (line[0] == '\r' || line[0] == '\n')
        x->head_whole = true;
    else if (bytes >= sizeof date && strncasecmp(line, date, sizeof date - 1) == 0)
        keep_header(x->date, line + sizeof date - 1, bytes - sizeof date + 1);
    else if (bytes >= sizeof retry && strncasecmp(line, retry, sizeof retry - 1) == 0)
        keep_header(x->retry_after, line + sizeof retry - 1, bytes - sizeof retry + 1);
    else if (bytes >= sizeof packing && strncasecmp(line, packing, sizeof packing - 1) == 0)
        x->packed = str_eq_nocase(str_trim((struct str){line + sizeof packing - 1, bytes - sizeof packing + 1}),
                                  STR("gzip"));
    return bytes;
}

/* The last moment before the first byte: connected, TLS agreed, nothing sent yet. */
static int on_connected(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct exchange *x = ctx;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    x->left = true;
    if (x->request->left != NULL)
        x->request->left(x->queue, x->request);
    return CURL_PREREQFUNC_OK;
}

/* libcurl's own words, without the header that holds the key and without bodies. */
static int on_debug(CURL *easy, curl_infotype kind, char *text, size_t n, void *ctx)
{
    (void)easy, (void)ctx;
    if (kind == CURLINFO_TEXT)
        log_debug("curl: %.*s", STR_ARG(str_trim((struct str){text, n})));
    return 0;
}

/* ---- exchanges ---- */

static void exchange_free(struct exchange *x)
{
    if (x == NULL)
        return;
    if (x->easy != NULL)
        curl_easy_cleanup(x->easy);
    unpack_free(&x->unpack);
    free(x);
}

/* Options that hold for every request of a handle. */
static CURLcode set_up(struct curl_transport *t, struct exchange *x)
{
    CURLcode r = CURLE_OK;
#define SET(option, value) (r = r != CURLE_OK ? r : curl_easy_setopt(x->easy, option, value))
    SET(CURLOPT_PRIVATE, x);
    SET(CURLOPT_ERRORBUFFER, x->error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, t->https ? "https" : "http");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_USERAGENT, t->user_agent);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
    SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, x);
    SET(CURLOPT_WRITEFUNCTION, on_write);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, x);
    if (!t->https)
        SET(CURLOPT_PROXY, ""); /* plain http is for this machine: no proxy gets to see the key */
    if (t->ca_file != NULL)
        SET(CURLOPT_CAINFO, t->ca_file);
    if (t->ca_folder != NULL)
        SET(CURLOPT_CAPATH, t->ca_folder);
    if (log_enabled(LOG_DEBUG)) {
        SET(CURLOPT_DEBUGFUNCTION, on_debug);
        SET(CURLOPT_VERBOSE, 1L);
    }
    return r;
}

/* Options of this request. A handle keeps its options, so every option that varies is set again. No low-speed
 * limit: the API is silent while it thinks, a minute and more for a large list; the total timeout bounds a stalled
 * exchange. */
static CURLcode set_request(struct curl_transport *t, struct exchange *x)
{
    CURLcode r = CURLE_OK;
    const struct transport_request *q = x->request;
    bool get = strcmp(q->method, "GET") == 0;
    SET(CURLOPT_URL, t->url.p);
    if (q->body.n > 0) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, get ? NULL : q->method);
    SET(CURLOPT_HTTPHEADER, q->body.n > 0 ? t->body_headers : t->plain_headers);
    SET(CURLOPT_TIMEOUT_MS, (long)q->timeout_ms);
    SET(CURLOPT_FRESH_CONNECT, q->write && q->body.n == 0 ? 1L : 0L);
#undef SET
    return r;
}

/* Handles are kept: a new one costs a resolver, buffers and two dozen options. */
static struct exchange *exchange_take(struct curl_transport *t)
{
    struct exchange *x = t->spare;
    if (x != NULL) {
        t->spare = x->next;
        return x;
    }
    x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    x->transport = t;
    x->easy = curl_easy_init();
    if (x->easy != NULL && set_up(t, x) == CURLE_OK)
        return x;
    exchange_free(x);
    return NULL;
}

static void exchange_reserve(struct curl_transport *t, struct exchange *x)
{
    x->request = NULL;
    x->next = t->spare;
    t->spare = x;
}

static void unlink_exchange(struct curl_transport *t, struct exchange *x)
{
    *(x->prev != NULL ? &x->prev->next : &t->under_way) = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
}

static int curl_start(struct transport *self, const struct transport_request *request, transport_done_fn *done, void *queue,
                      struct err *e)
{
    struct curl_transport *t = (struct curl_transport *)self;
    struct exchange *x = exchange_take(t);
    if (x == NULL)
        return err_oom(e);
    x->request = request;
    x->done = done;
    x->queue = queue;
    x->body_at = 0;
    x->left = x->put_off = x->resuming = x->unwanted = x->head_whole = x->packed = false;
    unpack_reset(&x->unpack);
    x->error[0] = x->date[0] = x->retry_after[0] = '\0';
    buf_reset(&t->url);
    if (buf_adds(&t->url, t->base_url) != 0 || buf_adds(&t->url, request->path) != 0 || buf_cstr(&t->url) == NULL) {
        exchange_reserve(t, x);
        return err_set(e, XS_INTERNAL, "%s: the address is too long", request->method);
    }
    CURLcode set = set_request(t, x);
    CURLMcode added = set == CURLE_OK ? curl_multi_add_handle(t->multi, x->easy) : CURLM_OUT_OF_MEMORY;
    if (added != CURLM_OK) {
        exchange_reserve(t, x);
        return err_set(e, XS_API, "libcurl: %s", set != CURLE_OK ? curl_easy_strerror(set) : curl_multi_strerror(added));
    }
    x->prev = NULL;
    x->next = t->under_way;
    if (t->under_way != NULL)
        t->under_way->prev = x;
    t->under_way = x;
    return 0;
}

/* ---- ends ---- */

/* Whether bytes left is decided by one fact: was there ever an open connection to write them to? In doubt they did. */
static void transport_curl_judge(struct exchange *x, CURLcode result, struct transport_answer *answer)
{
    long status = 0;
    curl_off_t total_us = 0;
    const char *type = NULL;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(x->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type);
    answer->latency_us = (int64_t)total_us;
    answer->retry_after_ms = -1;
    /* A connection that ends amid the headers is an empty answer to libcurl. */
    bool cut = result == CURLE_OK && !x->head_whole;
    bool unpacked = !x->packed || !x->unpack.begun || x->unpack.ended;
    if (result != CURLE_OK || cut || x->unwanted || !unpacked) {
        answer->end = x->left ? TRANSPORT_LOST : TRANSPORT_NOT_SENT;
        answer->detail = x->unpack.broken                  ? "the response says that it is gzip, and is not"
                         : x->unwanted                     ? "the answer is too large"
                         : result == CURLE_OK && !unpacked ? "the answer ends before its last byte"
                         : cut                             ? "the answer ends amid its headers"
                         /* libcurl's own words could quote a part of a password. */
                         : result == CURLE_COULDNT_RESOLVE_PROXY ? "the proxy's name cannot be resolved"
                         : x->error[0] != '\0'                   ? x->error
                                                                 : curl_easy_strerror(result);
        if (!x->left)
            transport_advise(x->easy, result, x->error, answer);
        return;
    }
    answer->end = TRANSPORT_ANSWERED;
    answer->status = (int)status;
    answer->content_type = str_from(type);
    if (http_date_parse(str_from(x->date), &answer->date_ms) != 0)
        answer->date_ms = 0;
    int64_t now_ms = answer->date_ms != 0 ? answer->date_ms : clock_system()->wall_ms(clock_system());
    answer->retry_after_ms = retry_after_parse(str_from(x->retry_after), now_ms);
}

/* Offers the postponed piece again. libcurl calls on_write() from within, which can postpone it again. */
static void resume_all(struct curl_transport *t)
{
    for (struct exchange *x = t->under_way; x != NULL; x = x->next) {
        if (!x->put_off)
            continue;
        x->put_off = false;
        x->resuming = true;
        curl_easy_pause(x->easy, CURLPAUSE_CONT);
        x->resuming = false;
    }
}

/* Calls back what has ended. Returns how many. */
static unsigned take_ended(struct curl_transport *t)
{
    unsigned n = 0;
    int left;
    CURLMsg *msg;
    while ((msg = curl_multi_info_read(t->multi, &left)) != NULL) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURL *easy = msg->easy_handle;
        CURLcode result = msg->data.result; /* msg goes with the handle */
        struct exchange *x = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&x);
        curl_multi_remove_handle(t->multi, easy);
        unlink_exchange(t, x);
        struct transport_answer answer = {0};
        transport_curl_judge(x, result, &answer);
        x->done(x->queue, x->request, &answer);
        exchange_reserve(t, x);
        n++;
    }
    if (n > 0)
        resume_all(t);
    return n;
}

/* Nothing that has ended is kept waiting for time to pass; the wait itself ends with a signal, and the caller looks at
 * its stop flag. */
static int curl_poll(struct transport *self, int64_t timeout_ms, struct err *e)
{
    struct curl_transport *t = (struct curl_transport *)self;
    int running;
    CURLMcode r = curl_multi_perform(t->multi, &running);
    if (r == CURLM_OK && take_ended(t) == 0 && timeout_ms > 0) {
        r = curl_multi_poll(t->multi, NULL, 0, (int)(timeout_ms < 3600000 ? timeout_ms : 3600000), NULL);
        if (r == CURLM_OK)
            r = curl_multi_perform(t->multi, &running);
        take_ended(t);
    }
    return r == CURLM_OK ? 0 : err_set(e, XS_API, "libcurl: %s", curl_multi_strerror(r));
}

/* ---- birth and end ---- */

static void curl_free_transport(struct transport *self)
{
    struct curl_transport *t = (struct curl_transport *)self;
    for (struct exchange *x = t->under_way, *next; x != NULL; x = next) {
        next = x->next;
        curl_multi_remove_handle(t->multi, x->easy);
        exchange_free(x);
    }
    for (struct exchange *x = t->spare, *next; x != NULL; x = next) {
        next = x->next;
        exchange_free(x);
    }
    if (t->multi != NULL)
        curl_multi_cleanup(t->multi);
    curl_slist_free_all(t->plain_headers);
    curl_slist_free_all(t->body_headers);
    buf_free(&t->url);
    free(t->base_url);
    free(t->user_agent);
    free(t->ca_file);
    free(t->ca_folder);
    free(t);
    curl_global_cleanup();
}

/* A copy of the key is wiped here; libcurl's own lives as long as the client. */
static int add_header(struct curl_slist **list, const char *name, const char *value)
{
    struct buf line = BUF_INIT(16384);
    struct curl_slist *longer = NULL;
    if (buf_adds(&line, name) == 0 && buf_adds(&line, value) == 0 && buf_cstr(&line) != NULL)
        longer = curl_slist_append(*list, line.p);
    if (line.p != NULL)
        explicit_bzero(line.p, line.n);
    buf_free(&line);
    if (longer == NULL)
        return -1;
    *list = longer;
    return 0;
}

static int make_headers(struct curl_transport *t, const struct transport_curl_config *c)
{
    struct curl_slist **lists[] = {&t->plain_headers, &t->body_headers};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if ((c->key[0] != '\0' && add_header(lists[i], "Authorization: Bearer ", c->key) != 0) ||
            add_header(lists[i], "Accept: application/json", "") != 0 ||
            add_header(lists[i], "Accept-Encoding: gzip", "") != 0 ||
            (c->workspace != NULL && add_header(lists[i], "x-as-workspace: ", c->workspace) != 0))
            return -1;
    /* "Expect:" takes out the 100-continue that libcurl adds to large bodies and waits a second for. */
    return add_header(&t->body_headers, "Content-Type: application/json", "") != 0 ||
                   add_header(&t->body_headers, "Expect:", "") != 0
               ? -1
               : 0;
}

/* The library does not look at the variables that the curl command knows. */
static int copy_env(const char *name, const char *other, char **out)
{
    const char *value = getenv(name);
    if (value == NULL || value[0] == '\0')
        value = other != NULL ? getenv(other) : NULL;
    if (value == NULL || value[0] == '\0')
        return 0;
    *out = strdup(value);
    return *out != NULL ? 0 : -1;
}

int transport_curl_new(const struct transport_curl_config *config, struct transport **out, struct err *e)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(e, XS_INTERNAL, "libcurl cannot be started");
    struct curl_transport *t = calloc(1, sizeof *t);
    if (t == NULL) {
        curl_global_cleanup();
        return err_oom(e);
    }
    t->base = (struct transport){curl_start, curl_poll, curl_free_transport};
    buf_init(&t->url, 64 * 1024);
    t->https = strncmp(config->base_url, "https:", 6) == 0;
    t->base_url = strdup(config->base_url);
    t->user_agent = strdup(config->user_agent);
    t->multi = curl_multi_init();
    if (t->base_url == NULL || t->user_agent == NULL || t->multi == NULL || make_headers(t, config) != 0 ||
        copy_env("CURL_CA_BUNDLE", "SSL_CERT_FILE", &t->ca_file) != 0 ||
        copy_env("SSL_CERT_DIR", NULL, &t->ca_folder) != 0 ||
        curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)config->connections_max) != CURLM_OK) {
        curl_free_transport(&t->base);
        return err_oom(e);
    }
    *out = &t->base;
    return 0;
}
