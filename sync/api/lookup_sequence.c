/* The variables that the mails of a campaign use: every {{name}} in a subject or body of its sequence.
 *
 * Names that are not variables of a lead are left out: spintax ({{RANDOM | Hi | Hello}}), names with a text of their own for when
 * they are empty ({{firstName | there}}), and what the sending account brings. Variants that are switched off
 * send no mail. */
#include "config.h"

#include "sync/api/answer/answer.h"
#include "sync/api/api.h"
#include "sync/api/pages.h"

#include <json-c/json.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128, USED_MAX = 256, ELEMENTS_MAX = 1000 };

struct found {
    struct arena *arena;
    struct str *names; /* USED_MAX */
    size_t n;
    bool oom;
};

/* Letters, digits, blanks, _ - and ., beginning with a letter: anything else is code or spintax. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool inner = (c >= '0' && c <= '9') || c == ' ' || c == '_' || c == '-' || c == '.';
        if (!letter && c < 0x80 && (i == 0 || !inner))
            return false;
    }
    return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

/* What the account that sends brings along, whatever the lead. */
static bool is_of_sender(struct str name)
{
    static const char *const prefixes[] = {"accountSignature", "sendingAccount", "unsubscribe"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t n = strlen(prefixes[i]);
        if (name.n >= n && memcmp(name.p, prefixes[i], n) == 0)
            return true;
    }
    return false;
}

static void take(struct found *f, struct str name)
{
    name = str_trim(name);
    if (!is_name(name) || is_of_sender(name) || f->n == USED_MAX)
        return;
    for (size_t i = 0; i < f->n; i++)
        if (str_eq(f->names[i], name))
            return;
    if (arena_str(f->arena, name, &f->names[f->n]) != 0)
        f->oom = true;
    else
        f->n++;
}

/* Spintax may hold variables: where braces open inside of braces, the inner ones count. */
static void scan(struct found *f, struct str text)
{
    size_t open = SIZE_MAX;
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] == '{' && text.p[i + 1] == '{') {
            open = i + 2;
            i++;
        } else if (text.p[i] == '}' && text.p[i + 1] == '}' && open != SIZE_MAX) {
            take(f, (struct str){text.p + open, i - open});
            open = SIZE_MAX;
            i++;
        }
    }
}

static void scan_variants(struct found *f, struct json_object *step)
{
    struct json_object *variants, *off;
    struct str text;
    if (!answer_array(step, "variants", &variants))
        return;
    size_t n = json_object_array_length(variants);
    for (size_t i = 0; i < n && i < ELEMENTS_MAX; i++) {
        struct json_object *variant = json_object_array_get_idx(variants, i);
        if (json_object_object_get_ex(variant, "v_disabled", &off) && json_object_get_boolean(off))
            continue;
        if (answer_str(variant, "subject", &text))
            scan(f, text);
        if (answer_str(variant, "body", &text))
            scan(f, text);
    }
}

/* Only the first sequence of the array is used, the published reference says. */
static bool scan_sequence(struct found *f, struct json_object *campaign)
{
    struct json_object *sequences, *steps;
    if (!answer_array(campaign, "sequences", &sequences) || json_object_array_length(sequences) == 0 ||
        !answer_array(json_object_array_get_idx(sequences, 0), "steps", &steps))
        return false;
    size_t n = json_object_array_length(steps);
    for (size_t i = 0; i < n && i < ELEMENTS_MAX; i++)
        scan_variants(f, json_object_array_get_idx(steps, i));
    return n > 0;
}

int api_campaign_used(struct api *a, const struct target *t, struct arena *arena, struct str **names, size_t *n,
                      struct err *e)
{
    char path[128] = "/api/v2/campaigns/";
    struct api_reply reply;
    *names = NULL;
    *n = 0;
    if (t->kind != TARGET_CAMPAIGN)
        return 0;
    uuid_format(&t->id, path + strlen(path));
    if (pages_get(a, path, true, &reply, e) != 0)
        return -1;
    if (reply.class != API_OK)
        return 0; /* api_campaign_variables() has said it */
    struct found f = {.arena = arena, .names = arena_calloc(arena, USED_MAX, sizeof **names)};
    if (f.names == NULL)
        return err_oom(e);
    bool known = scan_sequence(&f, reply.json);
    if (f.oom)
        return err_oom(e);
    *names = f.names;
    *n = f.n;
    return known;
}
