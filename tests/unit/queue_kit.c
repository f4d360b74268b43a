#include "tests/unit/queue_kit.h"

#include <stdio.h>
#include <string.h>

struct clock_fake fake_clock;
struct fake_transport fake;
struct api *api;
struct err e;

struct told told[CALLS_MAX];
size_t told_n;

void tell(void *ctx, const struct api_reply *reply)
{
    struct told *t = &told[told_n++];
    *t = (struct told){*(int *)ctx, reply->class, reply->http_status,  reply->attempts, XS_DONE,
                       "",          reply->room,  reply->sent_wall_ms, reply->skew_ms,  fake_clock.mono / 1000};
    if (reply->err != NULL)
        t->xs = reply->err->status;
    snprintf(t->text, sizeof t->text, "%s|%.*s", reply->err != NULL ? err_text(reply->err) : "", STR_ARG(reply->message));
}

int numbers[CALLS_MAX];

const struct api_config plain_config = {
    .base_url = "https://api.example",
    .key = "key",
    .user_agent = "test",
};

void open_with(struct api_config config)
{
    e = (struct err)ERR_INIT;
    told_n = 0;
    for (int i = 0; i < CALLS_MAX; i++)
        numbers[i] = i;
    clock_fake_init(&fake_clock, 1700000000000);
    fake_transport_init(&fake, &fake_clock);
    ck_assert_msg(api_new(&config, &fake.base, &fake_clock.base, &api, &e) == 0, "%s", err_text(&e));
}

void setup(void)
{
    open_with(plain_config);
}

void teardown(void)
{
    api_free(api);
    ck_assert(fake.freed);
    fake_transport_done(&fake);
    err_clear(&e);
}

void says(int status, const char *body)
{
    fake_transport_add(&fake, ANSWER(.status = status, .body = body));
}

void queue(const char *method, const char *path, bool write, bool urgent, int number)
{
    struct api_call call = {.method = method, .path = path, .write = write, .urgent = urgent, .kind = API_KIND_OTHER};
    if (strcmp(method, "GET") != 0)
        call.body = STR("{}");
    ck_assert_int_eq(api_call(api, &call, tell, &numbers[number], &e), 0);
}

void drain(void)
{
    for (int i = 0; api_queued(api) > 0; i++) {
        ck_assert_int_lt(i, 100000);
        ck_assert_msg(api_step(api, 1000, &e) == 0, "%s", err_text(&e));
    }
}

void get_one(void)
{
    queue("GET", "/api/v2/campaigns", false, false, 0);
    drain();
    ck_assert_uint_eq(told_n, 1);
}

void post_one(void)
{
    queue("POST", "/api/v2/leads/merge", true, false, 0);
    drain();
    ck_assert_uint_eq(told_n, 1);
}
