#include "sync/sandbox/world/faults.h"

#include "sync/sandbox/world/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Kinds that are words; the rest are statuses. */
static const struct {
    const char *word;
    enum sim_fault_kind kind;
    bool after;
    int64_t arg; /* when none is given */
} kinds[] = {
    {"drop-before", SIM_FAULT_DROP, false, -1},  {"drop-after", SIM_FAULT_DROP, true, -1},
    {"truncate", SIM_FAULT_TRUNCATE, true, -1},  {"garbage", SIM_FAULT_GARBAGE, true, -1},
    {"empty", SIM_FAULT_EMPTY, true, -1},        {"slow", SIM_FAULT_SLOW, true, 3000},
    {"hang", SIM_FAULT_HANG, false, 600000},     {"hang-after", SIM_FAULT_HANG, true, 600000},
    {"late-write", SIM_FAULT_LATE, false, 1500}, {"late-hang", SIM_FAULT_LATE, false, 1500},
};

/* Kinds that belong to one endpoint. A word with an ARG is a lie of its own; "@MS" stands for any number. */
static const struct {
    const char *word, *arg; /* arg NULL: the word alone */
    enum sim_lie lie;
    const char *method, *path;
    int64_t ms; /* when no number is given */
} lies[] = {
    {"empty-created", NULL, SIM_LIE_EMPTY_CREATED, "POST", "/leads/add", -1},
    {"nameless-omitted", NULL, SIM_LIE_NAMELESS_OMITTED, "POST", "/leads/add", -1},
    {"shifted-index", NULL, SIM_LIE_SHIFTED_INDEX, "POST", "/leads/add", -1},
    {"shifted-index", "created", SIM_LIE_CREATED_INDEX, "POST", "/leads/add", -1},
    {"same-id", NULL, SIM_LIE_SAME_ID, "POST", "/leads/add", -1},
    {"same-id", "stranger", SIM_LIE_STRANGER_ID, "POST", "/leads/add", -1},
    {"uploaded-unlisted", NULL, SIM_LIE_UPLOADED_UNLISTED, "POST", "/leads/add", -1},
    {"patch-ignored", NULL, SIM_LIE_PATCH_IGNORED, "PATCH", "/leads/{id}", -1},
    {"patch-ignored", "echo", SIM_LIE_PATCH_ECHOED, "PATCH", "/leads/{id}", -1},
    {"delete-ignored", NULL, SIM_LIE_DELETE_IGNORED, "DELETE", "/leads*", -1},
    {"job-lies", NULL, SIM_LIE_JOB, "POST", "/leads/move", -1},
    {"list-empty", NULL, SIM_LIE_LIST_EMPTY, "POST", "/leads/list", -1},
    {"list-lag", "MS", SIM_LIE_LIST_LAG, "POST", "/leads/list", 1500},
};
enum { LIES_N = sizeof lies / sizeof lies[0], ARG_MAX_MS = 86400000 };

/* Digits only: strtoull alone would take blanks and a sign. */
static int parse_number(const char *text, const char **end, uint64_t *out)
{
    if (!isdigit((unsigned char)*text))
        return -1;
    char *stop;
    *out = strtoull(text, &stop, 10);
    *end = stop;
    return 0;
}

/* A word of a table, or a status with or without "-after". */
static int parse_kind(const char *word, struct sim_fault *f)
{
    for (size_t i = 0; i < LIES_N; i++)
        if (strcmp(word, lies[i].word) == 0) {
            *f = (struct sim_fault){.kind = SIM_FAULT_LIE, .lie = lies[i].lie, .after = true, .arg = lies[i].ms};
            return 0;
        }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(word, kinds[i].word) == 0) {
            *f = (struct sim_fault){.kind = kinds[i].kind,
                                    .after = kinds[i].after,
                                    .arg = kinds[i].arg,
                                    .hold = strcmp(word, "late-hang") == 0};
            return 0;
        }
    uint64_t status;
    const char *end;
    if (parse_number(word, &end, &status) != 0 || status < 400 || status > 599 ||
        (*end != '\0' && strcmp(end, "-after") != 0))
        return -1;
    *f = (struct sim_fault){.kind = SIM_FAULT_STATUS, .status = (unsigned)status, .after = *end != '\0', .arg = -1};
    return 0;
}

static int parse_ms(const char *arg, int64_t *out)
{
    uint64_t n;
    const char *end;
    if (parse_number(arg, &end, &n) != 0 || *end != '\0' || n > ARG_MAX_MS)
        return -1;
    *out = (int64_t)n;
    return 0;
}

static int parse_lie_arg(const char *word, const char *arg, struct sim_fault *f)
{
    for (size_t i = 0; i < LIES_N; i++) {
        if (strcmp(word, lies[i].word) != 0 || lies[i].arg == NULL)
            continue;
        f->lie = lies[i].lie;
        if (strcmp(lies[i].arg, "MS") == 0 ? parse_ms(arg, &f->arg) == 0 : strcmp(lies[i].arg, arg) == 0)
            return 0;
    }
    return -1;
}

/* What follows the @ means something else for each kind; for most it means nothing and is refused. */
static int parse_arg(const char *word, const char *arg, struct sim_fault *f)
{
    if (f->kind == SIM_FAULT_LIE)
        return parse_lie_arg(word, arg, f);
    if (f->kind == SIM_FAULT_DROP && strcmp(arg, "rst") == 0) {
        f->reset = true;
        return 0;
    }
    if (f->kind == SIM_FAULT_GARBAGE && strcmp(arg, "http") == 0) {
        f->raw = true;
        return 0;
    }
    if (f->kind == SIM_FAULT_STATUS && strncmp(arg, "date", 4) == 0) {
        f->date = true;
        arg += 4;
    } else if (f->kind != SIM_FAULT_STATUS && f->kind != SIM_FAULT_SLOW && f->kind != SIM_FAULT_HANG &&
               f->kind != SIM_FAULT_LATE) {
        return -1;
    }
    return parse_ms(arg, &f->arg);
}

/* "#3", "#3-5", "2%" or "4"; a share is kept as a fraction, everything else as a range of numbers. */
static int parse_when(const char *when, struct sim_fault_item *item)
{
    uint64_t first, last;
    const char *end;
    if (*when == '#') {
        if (parse_number(when + 1, &end, &first) != 0 || first == 0)
            return -1;
        last = first;
        if (*end == '-' && (parse_number(end + 1, &end, &last) != 0 || last < first))
            return -1;
    } else if (when[0] != '\0' && when[strlen(when) - 1] == '%') {
        char *stop;
        double share = strtod(when, &stop);
        if (stop == when || strcmp(stop, "%") != 0 || !(share >= 0 && share <= 100))
            return -1;
        item->share = share / 100;
        return 0;
    } else {
        first = 1;
        if (parse_number(when, &end, &last) != 0)
            return -1;
    }
    if (*end != '\0')
        return -1;
    item->share = -1;
    item->first = first;
    item->last = last;
    return 0;
}

/* KIND[@ARG]=WHEN; the text is cut apart in place. */
static int parse_item(char *text, struct sim_fault_item *item, struct err *e)
{
    char *when = strrchr(text, '=');
    if (when == NULL)
        return err_set(e, XS_USAGE, "fault \"%s\" does not say when: write KIND=2%% or KIND=#3", text);
    *when++ = '\0';
    char *arg = strchr(text, '@');
    if (arg != NULL)
        *arg++ = '\0';
    if (parse_kind(text, &item->fault) != 0)
        return err_set(e, XS_USAGE,
                       "unknown fault \"%s\": use drop-before, drop-after, truncate, garbage, empty, "
                       "slow, hang, hang-after, late-write, late-hang, a status such as 500, 500-after, or a lie "
                       "(leadsync help sandbox)",
                       text);
    if (arg != NULL && parse_arg(text, arg, &item->fault) != 0)
        return err_set(e, XS_USAGE, "fault \"%s\" cannot take \"@%s\": see the list of faults", text, arg);
    if (parse_when(when, item) != 0)
        return err_set(e, XS_USAGE, "fault \"%s\" has no such time \"%s\": write 2%%, #3, #3-5 or 4", text, when);
    item->fault.name = text;
    return 0;
}

/* By prefix, by the very path, or by the pattern of the route it fell on. */
static bool path_matches(const char *want, const char *path, const char *pattern)
{
    size_t n = strlen(want);
    if (n > 0 && want[n - 1] == '*')
        return strncmp(want, path, n - 1) == 0;
    return strcmp(want, path) == 0 || (pattern != NULL && strcmp(want, pattern) == 0);
}

/* A lie fits the requests of its endpoint, late work fits writes, and any other fault fits every request. */
static bool fits_request(const struct sim_fault *f, const char *method, const char *path, const char *pattern)
{
    if (f->kind == SIM_FAULT_LATE)
        return strcmp(method, "GET") != 0 && strcmp(path, "/leads/list") != 0;
    for (size_t i = 0; f->kind == SIM_FAULT_LIE && i < LIES_N; i++)
        if (lies[i].lie == f->lie)
            return strcmp(lies[i].method, method) == 0 && path_matches(lies[i].path, path, pattern);
    return true;
}

/* Refuses a lie that could never come true under its rule, so that a story with a slip in it does not pass. A rule for
 * any path, or for one lead, is judged when a request comes. */
static int check_fit(const struct sim_fault_rule *rule, const struct sim_fault *f, struct err *e)
{
    for (size_t i = 0; f->kind == SIM_FAULT_LIE && i < LIES_N; i++) {
        bool any_method = strcmp(rule->method, "*") == 0, any_path = strpbrk(rule->path, "*{") != NULL;
        if (lies[i].lie != f->lie ||
            ((any_method || strcmp(rule->method, lies[i].method) == 0) &&
             (any_path || strchr(lies[i].path, '{') != NULL || path_matches(lies[i].path, rule->path, NULL))))
            continue;
        return err_set(e, XS_USAGE, "fault \"%s\" never happens to %s %s: it is a lie of %s %s", f->name, rule->method,
                       rule->path, lies[i].method, lies[i].path);
    }
    return 0;
}

/* METHOD, one blank, PATH, a colon, items. Cuts the text in place; names point into it. */
static int parse_rule(char *text, struct sim_fault_rule *rule, struct err *e)
{
    char *path = strchr(text, ' ');
    char *items = path != NULL ? strchr(path, ':') : NULL;
    if (items == NULL || path + 1 == items)
        return err_set(e, XS_USAGE, "fault rule \"%s\" is not \"METHOD PATH:FAULT=WHEN\"", text);
    *path++ = '\0';
    *items++ = '\0';
    rule->method = strdup(text);
    rule->path = strdup(path);
    size_t n = 1;
    for (const char *p = items; *p != '\0'; p++)
        n += *p == ',';
    rule->items = calloc(n, sizeof *rule->items);
    if (rule->method == NULL || rule->path == NULL || rule->items == NULL)
        return err_oom(e);
    char *rest = items, *item;
    while ((item = strsep(&rest, ",")) != NULL)
        if (parse_item(item, &rule->items[rule->items_n++], e) != 0 ||
            check_fit(rule, &rule->items[rule->items_n - 1].fault, e) != 0)
            return -1;
    return 0;
}

/* Built beside and swapped in whole, so that a slip leaves the old rules alone. */
int sim_faults_set(struct sim_faults *f, const char *text, uint64_t seed, struct err *e)
{
    struct sim_faults made = {.seed = seed, .text = strdup(text != NULL ? text : "")};
    if (made.text == NULL)
        return err_oom(e);
    size_t n = 1;
    for (const char *p = made.text; *p != '\0'; p++)
        n += *p == ';';
    made.rules = calloc(n, sizeof *made.rules);
    if (made.rules == NULL) {
        err_oom(e);
        goto fail;
    }
    char *rest = made.text, *rule;
    while ((rule = strsep(&rest, ";")) != NULL) {
        rule += strspn(rule, " ");
        for (size_t end = strlen(rule); end > 0 && rule[end - 1] == ' '; end--)
            rule[end - 1] = '\0';
        if (*rule != '\0' && parse_rule(rule, &made.rules[made.rules_n++], e) != 0)
            goto fail;
    }
    sim_faults_free(f);
    *f = made;
    return 0;
fail:
    sim_faults_free(&made);
    return -1;
}

void sim_faults_free(struct sim_faults *f)
{
    for (size_t i = 0; i < f->rules_n; i++) {
        free(f->rules[i].method);
        free(f->rules[i].path);
        free(f->rules[i].items);
    }
    free(f->rules);
    free(f->text);
    *f = (struct sim_faults){0};
}

/* One draw a request and rule decides among its shares, so that "2%,1%" is 3 % in all. */
static const struct sim_fault_item *pick_item(const struct sim_fault_rule *rule, uint64_t random)
{
    double draw = (double)(random >> 11) * 0x1p-53;
    for (size_t i = 0; i < rule->items_n; i++) {
        const struct sim_fault_item *item = &rule->items[i];
        if (item->share < 0) {
            if (rule->seen >= item->first && rule->seen <= item->last)
                return item;
            continue;
        }
        if (draw < item->share)
            return item;
        draw -= item->share;
    }
    return NULL;
}

struct sim_fault sim_faults_pick(struct sim_faults *f, const char *method, const char *path, const char *pattern)
{
    struct sim_fault picked = {.kind = SIM_FAULT_NONE, .arg = -1};
    for (size_t i = 0; i < f->rules_n; i++) {
        struct sim_fault_rule *rule = &f->rules[i];
        if ((strcmp(rule->method, "*") != 0 && strcmp(rule->method, method) != 0) ||
            !path_matches(rule->path, path, pattern))
            continue;
        rule->seen++; /* every rule counts its own matches, also if another rule wins */
        const struct sim_fault_item *item = pick_item(rule, sim_mix(f->seed ^ sim_mix(i * 0x10001 + rule->seen)));
        if (item != NULL && picked.kind == SIM_FAULT_NONE && fits_request(&item->fault, method, path, pattern))
            picked = item->fault;
    }
    return picked;
}
