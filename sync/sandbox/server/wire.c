#include "sync/sandbox/server/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info != NULL ? info->connect_fd : -1;
}

/* Dissolving the association makes Linux send a RST at once, before the library's own FIN. */
static void reset_connection(struct MHD_Connection *connection)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int fd = socket_of(connection);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0)
        return;
    /* if this fails, the connection closes as well */
    (void)!connect(fd, &nobody, sizeof nobody);
}

/* "Mon, 02 Jan 2006 15:04:05 GMT", as HTTP wants it; empty when the time has no such form. */
enum { DATE_N = 64 };
static const char *format_date(int64_t ms, char *out)
{
    time_t when = (time_t)(ms / 1000);
    struct tm tm;
    if (gmtime_r(&when, &tm) == NULL || strftime(out, DATE_N, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
        *out = '\0';
    return out;
}

/* The response is handed over in any case. Date follows the world's clock, as the times of leads do. */
static enum MHD_Result queue(struct sim_call *call, unsigned status, struct MHD_Response *response, const char *type,
                             const char *retry_after)
{
    if (response == NULL)
        return MHD_NO;
    char date[DATE_N];
    if (*format_date(call->now_ms, date) != '\0')
        MHD_add_response_header(response, "Date", date);
    if (type != NULL)
        MHD_add_response_header(response, "Content-Type", type);
    if (retry_after != NULL)
        MHD_add_response_header(response, "Retry-After", retry_after);
    enum MHD_Result rc = MHD_queue_response(call->connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

/* The bytes go over to the library without a copy. */
static enum MHD_Result send_answer(struct sim_call *call)
{
    struct sim_answer *a = &call->answer;
    struct MHD_Response *response;
    if (a->body.n == 0) {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    } else {
        response = MHD_create_response_from_buffer(a->body.n, a->body.p, MHD_RESPMEM_MUST_FREE);
        if (response != NULL)
            buf_init(&a->body, SIM_ANSWER_MAX); /* the response owns the bytes now */
    }
    return queue(call, a->status, response, a->type, NULL);
}

static enum MHD_Result send_text(struct sim_call *call, unsigned status, const char *type, const struct buf *text,
                                 const char *retry_after)
{
    union {
        const char *in;
        void *out;
    } bytes = {.in = text->p}; /* the library copies, but takes no const */
    struct MHD_Response *response = MHD_create_response_from_buffer(text->n, bytes.out, MHD_RESPMEM_MUST_COPY);
    return queue(call, status, response, type, retry_after);
}

/* --- half an answer --- */

struct half {
    char *p; /* owned */
    size_t n;
};

/* An error at the half is what makes the library close in the middle of a body. */
static ssize_t read_half(void *ctx, uint64_t at, char *out, size_t max)
{
    const struct half *half = ctx;
    if (at >= half->n)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = half->n - (size_t)at < max ? half->n - (size_t)at : max;
    memcpy(out, half->p + at, n);
    return (ssize_t)n;
}

static void free_half(void *ctx)
{
    struct half *half = ctx;
    free(half->p);
    free(half);
}

/* The whole length is announced, half of it comes, then the connection closes. */
static enum MHD_Result send_half(struct sim_call *call)
{
    struct sim_answer *a = &call->answer;
    struct half *half = malloc(sizeof *half);
    if (half == NULL)
        return MHD_NO;
    size_t whole = a->body.n;
    *half = (struct half){a->body.p, whole / 2};
    buf_init(&a->body, SIM_ANSWER_MAX);
    struct MHD_Response *response = MHD_create_response_from_callback(whole, 4096, read_half, half, free_half);
    if (response == NULL)
        free_half(half);
    return queue(call, a->status, response, a->type, NULL);
}

/* --- a status out of the blue --- */

/* What the API says with a status, where that is known. */
static const char *usual_message(unsigned status)
{
    switch (status) {
    case 401: return "Missing Authorization header";
    case 402: return "Workspace does not have an active paid plan";
    case 403: return "Lead limit reached. Remaining uploads: 0";
    case 404: return "Resource not found";
    case 409: return SIM_LOCKED_TEXT;
    case 413: return "Request body is too large";
    case 429: return "Rate limit exceeded";
    default: return sim_status_text(status);
    }
}

static enum MHD_Result send_status(struct sim_call *call, const struct sim_fault *fault)
{
    struct sim_answer made;
    struct buf text = BUF_INIT(4096);
    char retry[DATE_N] = "";
    const char *type = "application/json; charset=utf-8";
    enum MHD_Result rc = MHD_NO;
    sim_answer_init(&made);
    if (fault->date && fault->arg >= 0) {
        format_date(call->now_ms + fault->arg * 1000, retry);
    } else if (fault->arg >= 0) {
        snprintf(retry, sizeof retry, "%lld", (long long)fault->arg);
    }
    const char *message = usual_message(fault->status);
    if (fault->status >= 502) { /* from the edge, not from the API */
        type = "text/html; charset=UTF-8";
        if (buf_addf(&text, "<html><head><title>%u %s</title></head><body><h1>%s</h1></body></html>\n", fault->status,
                     message, message) != 0)
            goto done;
    } else if (sim_answer_error(&made, fault->status, "%s", message) != 0 || buf_add(&text, made.body.p, made.body.n) != 0) {
        goto done;
    }
    rc = send_text(call, fault->status, type, &text, retry[0] != '\0' ? retry : NULL);
done:
    sim_answer_free(&made);
    buf_free(&text);
    return rc;
}

/* Two kinds: a valid response that is not JSON, and bytes that are not HTTP. */
static enum MHD_Result send_garbage(struct sim_call *call, bool raw)
{
    static char noise[] = "\x01\x02<<<this is { no JSON\xff";
    static const char no_http[] = "HTTP/9.9 maybe\r\n\r\n";
    if (!raw)
        return queue(call, 200, MHD_create_response_from_buffer(sizeof noise - 1, noise, MHD_RESPMEM_PERSISTENT),
                     call->answer.type, NULL);
    /* past the library, which would not say such a thing; what cannot be sent is a closed connection */
    (void)!send(socket_of(call->connection), no_http, sizeof no_http - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return MHD_NO;
}

enum MHD_Result sim_wire_answer(struct sim_call *call)
{
    const struct sim_fault *fault = &call->answer.fault;
    switch (fault->kind) {
    case SIM_FAULT_NONE:
    case SIM_FAULT_SLOW:
    case SIM_FAULT_LIE: return send_answer(call); /* the endpoint applied it; the wire is healthy */
    case SIM_FAULT_DROP:
        if (fault->reset)
            reset_connection(call->connection);
        return MHD_NO;
    case SIM_FAULT_HANG:
    case SIM_FAULT_LATE: return MHD_NO;
    case SIM_FAULT_STATUS: return send_status(call, fault);
    case SIM_FAULT_TRUNCATE: return call->answer.body.n > 1 ? send_half(call) : MHD_NO;
    case SIM_FAULT_GARBAGE: return send_garbage(call, fault->raw);
    case SIM_FAULT_EMPTY:
        return queue(call, 204, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), NULL, NULL);
    }
    return MHD_NO;
}
