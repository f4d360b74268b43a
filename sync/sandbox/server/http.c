#include "sync/sandbox/server/http.h"

#include <stdarg.h>

struct str sim_query_get(const struct sim_request *q, const char *name)
{
    for (size_t i = 0; i < q->query_n; i++)
        if (str_is(q->query[i].name, name))
            return q->query[i].value.p != NULL ? q->query[i].value : STR("");
    return STR_NONE;
}

void sim_answer_init(struct sim_answer *a)
{
    *a = (struct sim_answer){.status = 200, .type = "application/json; charset=utf-8"};
    buf_init(&a->body, SIM_ANSWER_MAX);
}

void sim_answer_free(struct sim_answer *a)
{
    buf_free(&a->body);
}

/* The words that the API uses; some differ from the registered ones. */
const char *sim_status_text(unsigned status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 413: return "Payload Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 524: return "A timeout occurred";
    default: return "Error";
    }
}

/* Every error of the API has this form, but for two that are older (interest status and bulk assign). */
int sim_answer_error(struct sim_answer *a, unsigned status, const char *fmt, ...)
{
    struct buf text = BUF_INIT(SIM_BODY_MAX * 2);
    struct jsonw j;
    va_list ap;
    va_start(ap, fmt);
    int rc = buf_vaddf(&text, fmt, ap);
    va_end(ap);
    a->status = status;
    buf_reset(&a->body);
    jsonw_init(&j, &a->body);
    jsonw_object(&j);
    jsonw_member_uint(&j, "statusCode", status);
    jsonw_member_text(&j, "error", sim_status_text(status));
    jsonw_member_str(&j, "message", buf_str(&text));
    jsonw_object_end(&j);
    buf_free(&text);
    return rc != 0 || jsonw_end(&j) != 0 ? -1 : 0;
}

int sim_answer_not_found(struct sim_answer *a)
{
    return sim_answer_error(a, 404, "Resource not found");
}

int sim_answer_locked(struct sim_world *w, struct sim_answer *a)
{
    w->counters.locked++;
    return sim_answer_error(a, 409, "%s", SIM_LOCKED_TEXT);
}
