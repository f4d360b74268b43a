/* Answers of the API are foreign bytes: parsed, classified and read by every typed reader. The first byte chooses the
 * status, so that error bodies are seen too. */
#include "config.h"

#include "sync/api/answer/answer.h"
#include "sync/api/http/answer_reader.h"
#include "sync/api/api.h"
#include "sync/api/body/body.h"
#include "sync/api/http/classify.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What is read in parts is what is read as a whole. */
static void in_parts(struct json_tokener *tokener, struct str body, const struct leads_added *whole, struct arena *arena)
{
    struct created_leads created = {.v = NULL};
    struct leads_added added;
    struct err e = ERR_INIT;
    const struct api_reply reply = {.json = answer_parse_added(tokener, body, &created), .created = &created};
    if (reply.json != NULL) {
        bool read = api_leads_added_read(&reply, 1000, arena, &added, &e) == 0;
        if (read != (whole != NULL) || (read && added.created_n != whole->created_n))
            abort();
        for (size_t i = 0; read && i < added.created_n; i++)
            if (added.created[i].index != whole->created[i].index || !uuid_eq(&added.created[i].id, &whole->created[i].id))
                abort();
        json_object_put(reply.json);
    }
    created_leads_free(&created);
    err_clear(&e);
}

/* What is parsed piece by piece is what is parsed at once. */
static void in_pieces(struct str body, struct json_object *whole)
{
    struct answer_memory memory;
    answer_memory_init(&memory, 0);
    struct answer_reader *r = answer_reader_open(&memory, API_KIND_LIST);
    size_t size = body.n % 7 + 1;
    bool apart;
    if (r == NULL)
        return;
    r->text_max = 0;
    for (size_t at = 0; at < body.n; at += size)
        answer_reader_take(r, 200, (struct str){body.p + at, body.n - at < size ? body.n - at : size});
    struct json_object *json = answer_reader_json(r, NULL, NULL, &apart);
    /* As text, since NaN, which json-c takes, is not equal to itself. */
    if (!r->too_large && strcmp(json_object_to_json_string(json), json_object_to_json_string(whole)) != 0)
        abort();
    json_object_put(json);
    answer_reader_close(&r);
    answer_memory_free(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int statuses[] = {200, 202, 302, 400, 401, 403, 404, 409, 413, 429, 500, 524};

static void read_lead(struct json_object *item)
{
    struct remote_lead remote;
    struct err e = ERR_INIT;
    struct value value;
    if (api_remote_lead_read(item, &remote, &e) == 0) {
        for (int i = 0; i < LEAD_FIELD_N; i++)
            api_remote_field(&remote, (enum lead_field)i, &value);
        api_remote_custom(&remote, STR("seats"), &value);
        struct lead lead = {.core[LEAD_FIRST_NAME] = {VALUE_STRING, "x", 1}};
        struct lead_patch patch = {.id = remote.id,
                                   .lead = &lead,
                                   .fields = 1u << LEAD_FIRST_NAME,
                                   .custom = true,
                                   .remote = &remote};
        struct buf body = BUF_INIT(BODY_MAX_BYTES);
        /* What is written from an answer must be an answer again. */
        if (body_lead_patch(&patch, &body, &e) == 0) {
            struct json_tokener *tokener = answer_tokener();
            struct json_object *again = answer_parse(tokener, buf_str(&body));
            if (again == NULL)
                abort();
            json_object_put(again);
            json_tokener_free(tokener);
        }
        buf_free(&body);
    }
    err_clear(&e);
}

static void read_job(struct json_object *item, struct arena *arena)
{
    struct remote_job job;
    struct err e = ERR_INIT;
    struct str *emails;
    size_t n;
    struct uuid id = {{1}};
    struct leads_move move = {{.kind = TARGET_LIST}, {.kind = TARGET_CAMPAIGN}, &id, 1, NULL};
    if (api_remote_job_read(item, &job, &e) == 0) {
        api_remote_job_within(&job, &move);
        api_remote_job_moved(&job, arena, &emails, &n, &e);
        job_status_is_final(job.status);
    }
    err_clear(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* clang-format off */
    static const struct expected expected[] = {
        {true, true, "created_leads", json_type_array}, {false, true, "items", json_type_array}, {.write = true},
    };
    /* clang-format on */
    struct transport_answer answer = {.end = TRANSPORT_ANSWERED, .status = statuses[data[0] % 12]};
    answer.body = (struct str){(const char *)data + 1, size - 1};
    struct json_tokener *tokener = answer_tokener();
    struct json_object *json = answer_parse(tokener, answer.body);
    in_pieces(answer.body, json);
    for (size_t i = 0; i < 3; i++)
        classify(&expected[i], &answer, json);
    struct buf message = BUF_INIT(4 * MESSAGE_MAX + 64);
    if (classify_message(&answer, json, &message) == 0)
        classify_room(buf_str(&message));
    buf_free(&message);

    struct arena arena;
    struct err e = ERR_INIT;
    struct leads_added added;
    int64_t count;
    arena_init(&arena, 1 << 20);
    const struct api_reply reply = {.json = json};
    bool read = api_leads_added_read(&reply, 1000, &arena, &added, &e) == 0;
    for (size_t i = 0; read && i < added.created_n; i++)
        if (added.created[i].index >= 1000)
            abort();
    in_parts(tokener, answer.body, read ? &added : NULL, &arena);
    api_leads_deleted_read(json, &count, &e);
    err_clear(&e);
    read_lead(json);
    read_job(json, &arena);
    struct json_object *items;
    if (answer_array(json, "items", &items)) {
        for (size_t i = 0; i < json_object_array_length(items); i++) {
            read_lead(json_object_array_get_idx(items, i));
            read_job(json_object_array_get_idx(items, i), &arena);
        }
    }
    arena_free(&arena);
    json_object_put(json);
    json_tokener_free(tokener);
    return 0;
}
