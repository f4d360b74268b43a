/* GET /campaigns/{id}/sending-status (documented): why leads that are added now will not be mailed. Words that are not known are
 * no reason to worry anybody. */
#include "config.h"

#include "sync/api/answer/answer.h"
#include "sync/api/pages.h"

#include <json-c/json.h>
#include <stdio.h>

#define NOT_MAILED "leads added now will not be mailed: "
#define MAILED_LATER "leads added now are mailed later: "

static const struct {
    const char *word, *sending;
} diagnoses[] = {
    {"campaign_paused", NOT_MAILED "the campaign is paused"},
    {"campaign_draft", NOT_MAILED "the campaign is a draft"},
    {"campaign_completed", NOT_MAILED "the campaign is completed"},
    {"no_accounts_available", NOT_MAILED "the campaign has no sending account"},
    {"all_accounts_unhealthy", NOT_MAILED "all sending accounts are unhealthy"},
    {"out_of_schedule", MAILED_LATER "the campaign is out of its schedule"},
    {"daily_limit_met", MAILED_LATER "the daily limit is reached"},
    {"domain_limit_reached", MAILED_LATER "the limit per domain is reached"},
    {"waiting_for_esp_match", MAILED_LATER "no sending account matches the mail provider yet"},
    {"waiting_for_leads", NULL},
    {"healthy", NULL},
};

int api_target_sending(struct api *a, struct target *t, struct err *e)
{
    char path[128], id[UUID_TEXT_N];
    struct api_reply reply;
    struct json_object *diagnostics;
    struct str word;
    if (t->kind != TARGET_CAMPAIGN)
        return 0;
    snprintf(path, sizeof path, "/api/v2/campaigns/%s/sending-status", uuid_format(&t->id, id));
    if (pages_get(a, path, true, &reply, e) != 0)
        return -1;
    if (reply.class != API_OK || !json_object_object_get_ex(reply.json, "diagnostics", &diagnostics) ||
        !answer_str(diagnostics, "status", &word))
        return 0;
    for (size_t i = 0; i < sizeof diagnoses / sizeof diagnoses[0]; i++)
        if (str_is(word, diagnoses[i].word))
            t->sending = diagnoses[i].sending;
    return 0;
}
