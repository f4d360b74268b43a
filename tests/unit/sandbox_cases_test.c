/* The sandbox from outside, by tables of requests and answers: tests/cases/sandbox/ *.txt, each against a fresh one.
 *
 *   METHOD /path          a request; /x stands for /api/v2/x unless it starts with /__
 *   Name: value           a header more         -Name   a usual header less
 *   {…} or raw:TEXT       the body
 *   200 {…}               the status, and JSON that the answer must contain: members given must be equal, arrays as
 * long;
 *                         "*" is anything, "-" must not be there. text:TEXT is the whole body.
 *   let NAME a.0.b        keeps a value of the answer; $NAME stands for it from here on */
#include "sync/sandbox/sandbox.h"
#include "tests/unit/harness.h"
#include "tests/unit/sandbox_client.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const files[] = {"gate",   "add",     "lead", "list",    "move", "jobs",
                                    "places", "account", "many", "control", "plan", "lies"};
enum { FILES_N = sizeof files / sizeof files[0], NAMES_MAX = 32, LINE_MAX_BYTES = 1 << 20 };

struct story {
    const char *file;
    unsigned line;
    uint16_t port;
    char *names[NAMES_MAX], *values[NAMES_MAX];
    size_t names_n;
    struct client_request request;
    char *owned[CLIENT_HEADERS_MAX + 2];
    size_t owned_n, headers_n;
    struct client_answer answer;
    bool asked, answered;
};

static void keep(struct story *s, const char *name, const char *value)
{
    ck_assert_uint_lt(s->names_n, NAMES_MAX);
    s->names[s->names_n] = strdup(name);
    s->values[s->names_n++] = strdup(value);
}

/* $NAME, the latest of that name; the longest name wins. The caller frees. */
static char *substitute(struct story *s, const char *text)
{
    struct buf out = BUF_INIT(LINE_MAX_BYTES);
    while (*text != '\0') {
        size_t best = SIZE_MAX;
        for (size_t i = s->names_n; *text == '$' && i-- > 0;)
            if (strncmp(text + 1, s->names[i], strlen(s->names[i])) == 0 &&
                (best == SIZE_MAX || strlen(s->names[i]) > strlen(s->names[best])))
                best = i;
        if (best != SIZE_MAX) {
            buf_adds(&out, s->values[best]);
            text += 1 + strlen(s->names[best]);
        } else {
            buf_addc(&out, *text++);
        }
    }
    char *made = strdup(buf_cstr(&out));
    buf_free(&out);
    return made;
}

/* Whether `got` has all that `want` asks for; says the place in `where`. */
static bool contains(json_object *got, json_object *want, struct buf *where)
{
    const char *text = json_object_is_type(want, json_type_string) ? json_object_get_string(want) : NULL;
    if (text != NULL && strcmp(text, "*") == 0)
        return true;
    if (json_object_is_type(want, json_type_object) && json_object_is_type(got, json_type_object)) {
        struct json_object_iterator i = json_object_iter_begin(want), end = json_object_iter_end(want);
        for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i)) {
            const char *key = json_object_iter_peek_name(&i);
            json_object *value = json_object_iter_peek_value(&i), *member;
            size_t n = where->n;
            bool there = json_object_object_get_ex(got, key, &member);
            const char *word = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
            bool unwanted = strcmp(word, "-") == 0;
            buf_addf(where, ".%s", key);
            if (unwanted ? there : !there || !contains(member, value, where))
                return false;
            where->n = n;
        }
        return true;
    }
    if (json_object_is_type(want, json_type_array) && json_object_is_type(got, json_type_array)) {
        size_t length = json_object_array_length(want);
        for (size_t i = 0; i < length && i < json_object_array_length(got); i++) {
            size_t n = where->n;
            buf_addf(where, ".%zu", i);
            if (!contains(json_object_array_get_idx(got, i), json_object_array_get_idx(want, i), where))
                return false;
            where->n = n;
        }
        buf_adds(where, ".length");
        return length == json_object_array_length(got);
    }
    return json_object_equal(got, want);
}

static void send_request(struct story *s)
{
    ck_assert_msg(s->asked, "%s:%u: an answer without a request", s->file, s->line);
    client_free(&s->answer);
    client_send(s->port, &s->request, &s->answer);
    ck_assert_msg(s->answer.end == CLIENT_DONE, "%s:%u: the connection ended with %d", s->file, s->line, s->answer.end);
    s->answered = true;
    s->asked = false;
    while (s->owned_n > 0)
        free(s->owned[--s->owned_n]);
    s->headers_n = 0;
}

static void expect(struct story *s, const char *line)
{
    send_request(s);
    const char *body = buf_cstr(&s->answer.body), *want = line + 3 + strspn(line + 3, " ");
    ck_assert_msg(s->answer.status == atoi(line), "%s:%u: wanted %.3s, got %d %s", s->file, s->line, line, s->answer.status,
                  body);
    if (strncmp(want, "text:", 5) == 0) {
        ck_assert_msg(strcmp(want + 5, body) == 0, "%s:%u: got %s", s->file, s->line, body);
    } else if (*want != '\0') {
        struct buf where = BUF_INIT(4096);
        json_object *got = json_tokener_parse(body), *wanted = json_tokener_parse(want);
        ck_assert_msg(wanted != NULL, "%s:%u: what is wanted is not JSON: %s", s->file, s->line, want);
        ck_assert_msg(contains(got, wanted, &where), "%s:%u: %s differs in %s", s->file, s->line, buf_cstr(&where), body);
        json_object_put(got);
        json_object_put(wanted);
        buf_free(&where);
    }
}

static void let(struct story *s, char *line)
{
    char *name = strtok(line, " "), *path = strtok(NULL, " ");
    ck_assert_msg(name != NULL && path != NULL && s->answered, "%s:%u: let NAME PATH", s->file, s->line);
    json_object *all = json_tokener_parse(buf_cstr(&s->answer.body)), *at = all;
    for (char *part = strtok(path, "."); part != NULL; part = strtok(NULL, ".")) {
        if (json_object_is_type(at, json_type_array))
            at = json_object_array_get_idx(at, (size_t)atoi(part));
        else
            ck_assert_msg(json_object_object_get_ex(at, part, &at), "%s:%u: no %s in %s", s->file, s->line, part,
                          buf_cstr(&s->answer.body));
    }
    keep(s, name, json_object_get_string(at));
    json_object_put(all);
}

static void ask(struct story *s, char *line)
{
    char *blank = strchr(line, ' '), path[16384];
    ck_assert_msg(blank != NULL && !s->asked, "%s:%u: a request before the last was answered", s->file, s->line);
    *blank = '\0';
    snprintf(path, sizeof path, "%s%s", strncmp(blank + 1, "/__", 3) == 0 ? "" : "/api/v2", blank + 1);
    char *method = strdup(line), *copy = strdup(path);
    s->request = (struct client_request){.method = method, .path = copy};
    s->owned[s->owned_n++] = method;
    s->owned[s->owned_n++] = copy;
    s->asked = true;
}

static void take_line(struct story *s, char *line)
{
    static char body[LINE_MAX_BYTES];
    if (strncmp(line, "let ", 4) == 0) {
        let(s, line + 4);
    } else if (isdigit((unsigned char)*line)) {
        expect(s, line);
    } else if (*line == '{' || *line == '[' || *line == '"' || strncmp(line, "raw:", 4) == 0) {
        snprintf(body, sizeof body, "%s", *line == 'r' ? line + 4 : line);
        s->request.body = str_from(body);
    } else if (*line == '-' || strstr(line, ": ") != NULL) {
        ck_assert_uint_lt(s->headers_n, CLIENT_HEADERS_MAX);
        s->request.headers[s->headers_n++] = s->owned[s->owned_n++] = strdup(line);
    } else {
        ask(s, line);
    }
}

START_TEST(answers_as_written)
{
    char path[1024], *line = NULL;
    size_t cap = 0;
    ssize_t n;
    /* Longer than a busy machine takes over a file: only the cases turn the clock on. */
    struct sandbox_config config = {.plan_limit = -1, .seed = 7, .job_ms = 300000};
    struct sandbox *sandbox;
    struct err e = ERR_INIT;
    struct story s = {.file = files[_i]};
    ck_assert_int_eq(sandbox_start(&config, &sandbox, &e), 0);
    s.port = sandbox_port(sandbox);
    keep(&s, "DEMO", SANDBOX_CAMPAIGN_DEMO);
    keep(&s, "INCOMING", SANDBOX_LIST_INCOMING);
    keep(&s, "WORKSPACE", SANDBOX_WORKSPACE);
    keep(&s, "OWNER", SANDBOX_OWNER);
    snprintf(path, sizeof path, "%s/tests/cases/sandbox/%s.txt", unit_srcdir(), files[_i]);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s is missing", path);
    while ((n = getline(&line, &cap, f)) >= 0) {
        s.line++;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#')
            continue;
        char *text = substitute(&s, line);
        take_line(&s, text);
        free(text);
    }
    ck_assert_msg(!s.asked && s.answered, "%s:%u: ends in a request without an answer", s.file, s.line);
    fclose(f);
    free(line);
    client_free(&s.answer);
    for (size_t i = 0; i < s.names_n; i++) {
        free(s.names[i]);
        free(s.values[i]);
    }
    sandbox_free(sandbox);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox_cases");
    TCase *tcase = tcase_create("cases");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, answers_as_written, 0, FILES_N);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
