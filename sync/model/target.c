/* Targets as people read them. */
#include "config.h"

#include "sync/model/target.h"

#include <stdio.h>

#include "sync/base/text.h"

const char *target_kind_text(enum target_kind kind)
{
    return kind == TARGET_CAMPAIGN ? "campaign" : "list";
}

/* Names do not count: they are not unique, and may be changed any day. */
bool target_eq(const struct target *a, const struct target *b)
{
    return a->kind == b->kind && uuid_eq(&a->id, &b->id);
}

const char *target_format(const struct target *t, char out[TARGET_TEXT_N])
{
    char id[UUID_TEXT_N];
    snprintf(out, TARGET_TEXT_N, "%s:%s", target_kind_text(t->kind), uuid_format(&t->id, id));
    return out;
}

int target_show(const struct target *t, struct buf *out)
{
    char id[UUID_TEXT_N];
    int bad = buf_addf(out, "%s ", target_kind_text(t->kind));
    if (t->name == NULL)
        return bad | buf_adds(out, uuid_format(&t->id, id));
    return bad | buf_addc(out, '"') | text_show(str_from(t->name), 0, out) | buf_addc(out, '"');
}

#define NOT_MAILED "leads added now will not be mailed: "

const char *campaign_status_sending(int status)
{
    switch (status) {
    case CAMPAIGN_SUSPENDED: return NOT_MAILED "the account is suspended";
    case CAMPAIGN_BOUNCE_PROTECT: return NOT_MAILED "bounce protection has stopped the campaign";
    case CAMPAIGN_UNHEALTHY: return NOT_MAILED "all sending accounts are unhealthy";
    case CAMPAIGN_DRAFT: return NOT_MAILED "the campaign is a draft";
    case CAMPAIGN_PAUSED: return NOT_MAILED "the campaign is paused";
    case CAMPAIGN_COMPLETED: return NOT_MAILED "the campaign is completed";
    default: return NULL;
    }
}

const char *campaign_status_text(int status, char out[TARGET_TEXT_N])
{
    /* Shown before a run adds leads to a campaign. */
    static const struct {
        int status;
        const char *text;
    } known[] = {
        {CAMPAIGN_SUSPENDED, "account suspended"},
        {CAMPAIGN_BOUNCE_PROTECT, "bounce protect"},
        {CAMPAIGN_UNHEALTHY, "accounts unhealthy"},
        {CAMPAIGN_DRAFT, "draft"},
        {CAMPAIGN_ACTIVE, "active"},
        {CAMPAIGN_PAUSED, "paused"},
        {CAMPAIGN_COMPLETED, "completed"},
        {CAMPAIGN_SUBSEQUENCES, "running subsequences"},
        {TARGET_STATUS_UNKNOWN, "not asked"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].status == status)
            return known[i].text;
    /* The API may learn new ones any day: shown, not refused. */
    snprintf(out, TARGET_TEXT_N, "unknown (%d)", status);
    return out;
}
