#include "config.h"

#include "tests/bench/mock_answer.h"
#include "tests/bench/person.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKSPACE "0a11ca3e-0000-4000-8000-00000000b0c5"
#define MOMENT "2026-01-01T00:00:00.000Z"

int text_add(struct text *t, const char *p, size_t n)
{
    if (t->room - t->n <= n) {
        size_t room = t->room * 2 > t->n + n + 1 ? t->room * 2 : t->n + n + 1024;
        char *grown = realloc(t->p, room);
        if (grown == NULL)
            return -1;
        t->p = grown;
        t->room = room;
    }
    memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = '\0';
    return 0;
}

int text_addf(struct text *t, const char *format, ...)
{
    char piece[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    return n < 0 || (size_t)n >= sizeof piece ? -1 : text_add(t, piece, (size_t)n);
}

/* --- scanning --- */

/* Behind the string that starts at `p` (its quote); `end` when it does not end. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        p = memchr(p, '"', (size_t)(end - p));
        if (p == NULL)
            return end;
        const char *slash = p;
        while (slash[-1] == '\\')
            slash--;
        if ((p - slash) % 2 == 0)
            return p + 1;
    }
    return end;
}

/* One lead of the body: its e-mail as it stands in the JSON, between the quotes; n 0 when it has none. */
struct found {
    const char *email;
    size_t email_n;
};

/* Finds the next object at depth 2 (a lead within `leads`), from *at on, with its member "email". */
static bool next_lead(const char **at, const char *end, unsigned *depth, struct found *lead)
{
    static const char member[] = "\"email\":\"";
    const char *p = *at;
    *lead = (struct found){.email = NULL};
    while (p < end) {
        if (*p == '"') {
            const char *start = p;
            p = skip_string(p, end);
            bool is_email = *depth == 2 && (size_t)(end - start) > sizeof member &&
                            memcmp(start, member, sizeof member - 1) == 0;
            if (is_email) {
                lead->email = start + sizeof member - 1;
                p = skip_string(lead->email - 1, end);
                lead->email_n = (size_t)(p - 1 - lead->email);
            }
            continue;
        }
        if (*p == '{')
            ++*depth;
        bool ends = *p == '}' && (*depth)-- == 2;
        p++;
        if (ends) {
            *at = p;
            return true;
        }
    }
    *at = p;
    return false;
}

/* The person's number in "p000000123@…"; a hash of the address for anybody else. */
static uint64_t number_of(const char *email, size_t n)
{
    uint64_t number = 0, hash = n;
    for (size_t i = 0; i < n; i++)
        hash = person_mix(hash ^ (unsigned char)email[i]);
    for (size_t i = 1; i <= PERSON_DIGITS; i++) {
        if (n != PERSON_EMAIL_N || email[i] < '0' || email[i] > '9')
            return hash >> 16;
        number = number * 10 + (uint64_t)(email[i] - '0');
    }
    return number;
}

/* --- endpoints --- */

static int answer_add(const struct mock_request *q, struct text *out, size_t *leads)
{
    const char *at = q->body, *end = q->body + q->body_n;
    unsigned depth = 0;
    struct found lead;
    struct text created = {.p = NULL};
    int rc = 0;
    for (*leads = 0; rc == 0 && next_lead(&at, end, &depth, &lead); ++*leads) {
        rc = text_addf(&created, "%s{\"index\":%zu,\"id\":\"" PERSON_ID "\",\"email\":\"", *leads == 0 ? "" : ",", *leads,
                       number_of(lead.email, lead.email_n));
        rc = rc != 0 ? rc : text_add(&created, lead.email, lead.email_n);
        rc = rc != 0 ? rc : text_add(&created, "\"}", 2);
    }
    rc = rc != 0 ? rc
                 : text_addf(out,
                             "{\"status\":\"success\",\"total_sent\":%zu,\"leads_uploaded\":%zu,\"in_blocklist\":0,"
                             "\"blocklist_used\":null,\"duplicated_leads\":0,\"skipped_count\":0,\"invalid_email_count\":0,"
                             "\"incomplete_count\":0,\"duplicate_email_count\":0,\"remaining_in_plan\":100000000,"
                             "\"created_leads\":[",
                             *leads, *leads);
    rc = rc != 0 ? rc : text_add(out, created.n > 0 ? created.p : "", created.n);
    rc = rc != 0 ? rc : text_add(out, "]}", 2);
    free(created.p);
    return rc == 0 ? 200 : -1;
}

static int add_lead(struct text *out, uint64_t number, bool of_list, const char *place)
{
    return text_addf(out,
                     "{\"id\":\"" PERSON_ID "\",\"timestamp_created\":\"" MOMENT "\",\"timestamp_updated\":\"" MOMENT "\","
                     "\"organization\":\"" WORKSPACE "\",\"status\":1,\"email_open_count\":0,\"email_reply_count\":0,"
                     "\"email_click_count\":0,\"company_domain\":\"example.com\",\"status_summary\":{},"
                     "\"email\":\"" PERSON_EMAIL "\",\"%s\":\"%.36s\",\"payload\":{\"email\":\"" PERSON_EMAIL "\"}}",
                     number, number, of_list ? "list_id" : "campaign", place, number);
}

/* A member's text in the body, or NULL. Good for ids and for arrays of them: nothing else holds such a name here. */
static const char *member(const struct mock_request *q, const char *name)
{
    const char *p = memmem(q->body, q->body_n, name, strlen(name));
    return p == NULL ? NULL : p + strlen(name);
}

/* Every lead of `ids` or `contacts`, in one page; the page behind it is empty. */
static int answer_list(const struct mock_request *q, struct text *out, size_t *leads)
{
    const char *end = q->body + q->body_n, *campaign = member(q, "\"campaign\":\""), *list = member(q, "\"list_id\":\"");
    const char *ids = member(q, "\"ids\":["), *p = ids != NULL ? ids : member(q, "\"contacts\":[");
    const char *place = campaign != NULL ? campaign : list;
    uint64_t number = 0;
    *leads = 0;
    if (text_addf(out, "{\"items\":[") != 0)
        return -1;
    if (member(q, "\"starting_after\":\"") != NULL)
        p = NULL;
    for (; p != NULL && p < end && (*p == '"' || *p == ','); ++*leads) {
        const char *start = p + (*p == ',') + 1;
        p = skip_string(start - 1, end);
        size_t n = (size_t)(p - 1 - start);
        if (ids == NULL)
            number = number_of(start, n);
        else if (n == PERSON_ID_N)
            number = strtoull(start + PERSON_ID_N - 12, NULL, 16);
        if ((*leads > 0 && text_add(out, ",", 1) != 0) ||
            add_lead(out, number, campaign == NULL && list != NULL, place != NULL ? place : PERSON_CAMPAIGN) != 0)
            return -1;
    }
    if (*leads > 0)
        return text_addf(out, "],\"next_starting_after\":\"" PERSON_ID "\"}", number) == 0 ? 200 : -1;
    return text_addf(out, "]}") == 0 ? 200 : -1;
}

static int answer_place(const struct mock_request *q, struct text *out)
{
    return text_addf(out,
                     "{\"id\":\"%.36s\",\"name\":\"Bench\",\"status\":0,\"timestamp_created\":\"" MOMENT "\","
                     "\"timestamp_updated\":\"" MOMENT "\",\"organization\":\"" WORKSPACE "\","
                     "\"organization_id\":\"" WORKSPACE "\"}",
                     strrchr(q->path, '/') + 1);
}

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

enum mock_kind mock_kind_of(const struct mock_request *q)
{
    if (strcmp(q->path, "/api/v2/leads/add") == 0)
        return MOCK_ADD;
    if (strcmp(q->path, "/api/v2/leads/list") == 0)
        return MOCK_LIST;
    return strcmp(q->method, "PATCH") == 0 ? MOCK_PATCH : MOCK_OTHER;
}

int mock_answer(const struct mock_request *q, struct text *out, size_t *leads)
{
    const char *tail = strrchr(q->path, '/') + 1;
    int rc;
    out->n = 0;
    *leads = 0;
    switch (mock_kind_of(q)) {
    case MOCK_ADD: return answer_add(q, out, leads);
    case MOCK_LIST: return answer_list(q, out, leads);
    case MOCK_PATCH:
        *leads = 1;
        rc = add_lead(out, strtoull(tail + (strlen(tail) == PERSON_ID_N ? PERSON_ID_N - 12 : 0), NULL, 16), false,
                      PERSON_CAMPAIGN);
        return rc == 0 ? 200 : -1;
    default: break;
    }
    if (strcmp(q->path, "/api/v2/workspaces/current") == 0)
        rc = text_addf(out, "{\"id\":\"" WORKSPACE "\",\"name\":\"Bench\",\"owner\":\"" WORKSPACE "\",\"plan_id\":\"p\"}");
    else if (strcmp(q->path, "/api/v2/workspace-billing/plan-details") == 0)
        rc = text_addf(out, "{\"subscriptions\":{\"outreach\":{\"total_lead_limit\":100000000,\"current_lead_count\":0}}}");
    else if (starts(q->path, "/api/v2/campaigns/") || starts(q->path, "/api/v2/lead-lists/"))
        rc = answer_place(q, out);
    else if (starts(q->path, "/api/v2/"))
        rc = text_addf(out, "{\"items\":[]}");
    else
        return text_addf(out, "{\"statusCode\":404,\"error\":\"Not Found\",\"message\":\"Resource not found\"}") == 0 ? 404
                                                                                                                      : -1;
    return rc == 0 ? 200 : -1;
}
