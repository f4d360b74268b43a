/* getopt_long() finds the options; the tables say what they mean. The option string starts with "-:": operands are
 * given in their place among the options (whatever POSIXLY_CORRECT says), and messages are ours. */
#include "config.h"

#include "sync/base/opt.h"

#include "sync/base/buf.h"
#include "sync/base/clock.h"
#include "sync/base/str.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* getopt's number of a long option: above every letter. */
enum { LONG_FIRST = UCHAR_MAX + 1, OPERAND = 1 };

/* The tables as one list, and as getopt wants them. */
struct parser {
    const struct opt **options;
    size_t n;
    struct option *longs;
    char *letters;
    const char **names; /* for suggestions */
};

/* Written as "--name=value", "--name value", "-nvalue" or "-n value". */
static bool takes_value(const struct opt *o)
{
    return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

static size_t count(const struct opt *const *tables)
{
    size_t n = 0;
    for (; *tables != NULL; tables++)
        for (const struct opt *o = *tables; o->name != NULL; o++)
            n++;
    return n;
}

static void parser_free(struct parser *p)
{
    free(p->options);
    free(p->longs);
    free(p->letters);
    free(p->names);
}

/* Flattens the tables. -1 when memory is short, with nothing left to free. */
static int parser_init(struct parser *p, const struct opt *const *tables)
{
    size_t n = count(tables);
    *p = (struct parser){.options = calloc(n + 1, sizeof *p->options),
                         .longs = calloc(n + 1, sizeof *p->longs),
                         .letters = malloc(2 * n + 3),
                         .names = calloc(n + 1, sizeof *p->names)};
    if (p->options == NULL || p->longs == NULL || p->letters == NULL || p->names == NULL) {
        parser_free(p);
        return -1;
    }
    char *letter = p->letters;
    *letter++ = '-';
    *letter++ = ':';
    for (; *tables != NULL; tables++) {
        for (const struct opt *o = *tables; o->name != NULL; o++) {
            p->longs[p->n] = (struct option){o->name, takes_value(o) ? required_argument : no_argument, NULL,
                                             LONG_FIRST + (int)p->n};
            p->names[p->n] = o->name;
            p->options[p->n++] = o;
            if (o->letter == 0)
                continue;
            *letter++ = o->letter;
            if (takes_value(o))
                *letter++ = ':';
        }
    }
    *letter = '\0';
    return 0;
}

/* The option that getopt means by its number: a letter or LONG_FIRST + index. */
static const struct opt *find(const struct parser *p, int number)
{
    if (number >= LONG_FIRST)
        return p->options[number - LONG_FIRST];
    for (size_t i = 0; i < p->n; i++)
        if (p->options[i]->letter != 0 && p->options[i]->letter == number)
            return p->options[i];
    return NULL;
}

/* ---- values ---- */

/* The value is quoted as it came: it is the user's own. */
static int bad_value(const struct opt *o, const char *value, const char *wanted, struct err *e)
{
    return err_set(e, XS_USAGE, "--%s: \"%s\" is not %s", o->name, value, wanted);
}

/* `errno` separates a number too large from one that is exactly the largest. */
static int set_int(const struct opt *o, const char *value, struct err *e)
{
    char *end;
    errno = 0;
    long long v = strtoll(value, &end, 10);
    /* strtoll() takes blanks and a plus sign; a typed number has none. */
    bool starts = value[0] == '-' ? value[1] >= '0' && value[1] <= '9' : value[0] >= '0' && value[0] <= '9';
    if (!starts || *end != '\0')
        return bad_value(o, value, "a whole number", e);
    bool limited = o->min != 0 || o->max != 0;
    if (errno == ERANGE || (limited && (v < o->min || v > o->max)))
        return limited ? err_set(e, XS_USAGE, "--%s: %s is out of range; give %lld to %lld", o->name, value,
                                 (long long)o->min, (long long)o->max)
                       : bad_value(o, value, "a number that fits 64 bits", e);
    *(int64_t *)o->dest = v;
    return 0;
}

/* Choices are exact; what is near is offered, never taken. */
static int set_choice(const struct opt *o, const char *value, struct err *e)
{
    size_t n = 0;
    for (; o->choices[n] != NULL; n++) {
        if (strcmp(o->choices[n], value) == 0) {
            *(int *)o->dest = (int)n;
            return 0;
        }
    }
    struct buf known = BUF_INIT(4096);
    for (size_t i = 0; i < n; i++)
        if (buf_addf(&known, "%s%s", i == 0 ? "" : ", ", o->choices[i]) != 0)
            break;
    const char *near = str_nearest(str_from(value), o->choices, n);
    err_set(e, XS_USAGE, "--%s: \"%s\" is unknown; %s%s%sit is one of %.*s", o->name, value,
            near != NULL ? "did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"? " : "",
            STR_ARG(buf_str(&known)));
    buf_free(&known);
    return -1;
}

/* A handful of uses at most: growing by one each time is fine. */
static int append(const struct opt *o, const char *value, struct err *e)
{
    struct opt_list *list = o->dest;
    const char **v = reallocarray(list->v, list->n + 1, sizeof *v);
    if (v == NULL)
        return err_oom(e);
    list->v = v;
    list->v[list->n++] = value;
    return 0;
}

/* Stores a value where its table says. The last one wins where an option is given twice. */
static int set(const struct opt *o, const char *value, struct err *e)
{
    switch (o->kind) {
    case OPT_FLAG: *(bool *)o->dest = true; return 0;
    case OPT_COUNT: ++*(int *)o->dest; return 0;
    case OPT_TEXT:
        /* A variable of a script that was never set. */
        if (o->min > 0 && value[0] == '\0')
            return err_set(e, XS_USAGE, "--%s is empty; give %s", o->name, o->arg);
        *(const char **)o->dest = value;
        return 0;
    case OPT_INT: return set_int(o, value, e);
    case OPT_DURATION:
        if (duration_parse(str_from(value), o->dest) != 0)
            return bad_value(o, value, "a duration; give one like 250ms, 7s, 10m, 5h, 30d or a number of seconds", e);
        return 0;
    case OPT_CHOICE: return set_choice(o, value, e);
    case OPT_LIST: return append(o, value, e);
    }
    return err_set(e, XS_INTERNAL, "--%s: its table names no kind; please report this", o->name);
}

/* ---- parsing ---- */

/* The "--name" that getopt has just looked at: its value, if it had one, may be a word of its own. */
static const char *long_word(char **argv)
{
    const char *last = argv[optind - 1];
    return optarg != NULL && optarg == last ? argv[optind - 2] : last;
}

/* "--name=value" to "name". */
static struct str long_name(const char *word)
{
    const char *name = word + strspn(word, "-");
    return (struct str){name, strcspn(name, "=")};
}

static int unknown_long(const struct parser *p, const char *word, struct err *e)
{
    struct str name = long_name(word);
    const char *near = str_near_miss(name, p->names, p->n);
    /* A word that was cut short is a slip too, but one that edit distance does not see. A whole word is none: --all is not
     * meant as --all-columns. */
    for (size_t i = 0; i < p->n && near == NULL && name.n >= 2; i++)
        if (strncmp(p->names[i], name.p, name.n) == 0 && p->names[i][name.n] != '-')
            near = p->names[i];
    if (near != NULL)
        return err_set(e, XS_USAGE, "unknown option --%.*s; did you mean --%s?", STR_ARG(name), near);
    return err_set(e, XS_USAGE, "unknown option --%.*s; --help lists them", STR_ARG(name));
}

/* getopt found something wrong. */
static int complain(const struct parser *p, int found, char **argv, struct err *e)
{
    const struct opt *o = optopt != 0 ? find(p, optopt) : NULL;
    if (found == ':' && o != NULL)
        return err_set(e, XS_USAGE, "--%s wants a value: %s", o->name, o->arg != NULL ? o->arg : "see --help");
    if (o != NULL)
        return err_set(e, XS_USAGE, "--%s takes no value; leave out \"=\" and what follows", o->name);
    if (optopt != 0)
        return err_set(e, XS_USAGE, "unknown option -%c; --help lists them", optopt);
    return unknown_long(p, long_word(argv), e);
}

/* One find of getopt: an operand, a mistake, or an option. */
static int take(const struct parser *p, int found, char **argv, const char **operands, size_t *operands_n, struct err *e)
{
    if (found == OPERAND) {
        operands[(*operands_n)++] = optarg;
        return 0;
    }
    if (found == '?' || found == ':')
        return complain(p, found, argv, e);
    const struct opt *o = find(p, found);
    /* getopt takes any unambiguous beginning. We do not: what a script abbreviates today is ambiguous tomorrow. */
    if (found >= LONG_FIRST && !str_is(long_name(long_word(argv)), o->name))
        return unknown_long(p, long_word(argv), e);
    return set(o, optarg, e);
}

int opt_parse(int argc, char **argv, const struct opt *const *tables, const char ***operands, size_t *operands_n,
              struct err *e)
{
    /* Room for every word, so that collecting operands cannot fail in the middle. */
    struct parser p;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    size_t n = 0;
    int found, result = 0;
    if (rest == NULL)
        return err_oom(e);
    if (parser_init(&p, tables) != 0) {
        free(rest);
        return err_oom(e);
    }
    optind = 0; /* not 1: 0 makes getopt forget what an earlier command line left */
    while (result == 0 && (found = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1)
        result = take(&p, found, argv, rest, &n, e);
    for (; result == 0 && optind < argc; optind++)
        rest[n++] = argv[optind]; /* what follows "--" */
    parser_free(&p);
    if (result != 0) {
        free(rest);
        return -1;
    }
    *operands = rest;
    *operands_n = n;
    return 0;
}

/* ---- showing ---- */

/* The rest of such an address can contain a password, or a secret path that others could call. */
static int show_url(const char *word, const char *host, struct buf *out)
{
    size_t n = strcspn(host, "/?#");
    for (size_t i = n; i > 0; i--)
        if (host[i - 1] == '@') {
            n -= i;
            host += i;
            break;
        }
    int bad = buf_add(out, word, (size_t)(strstr(word, "://") + 3 - word)) | buf_add(out, host, n);
    return host[n] != '\0' ? bad | buf_adds(out, "/...") : bad;
}

/* As a shell would have to be given it. */
int opt_show_quoted(const char *word, struct buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:,=+%@";
    if (*word != '\0' && word[strspn(word, plain)] == '\0')
        return buf_adds(out, word);
    int bad = buf_addc(out, '\'');
    for (; *word != '\0'; word++)
        bad |= *word == '\'' ? buf_adds(out, "'\\''") : buf_addc(out, *word);
    return bad | buf_addc(out, '\'');
}

int opt_next_word(const char **line, struct buf *out)
{
    const char *p = *line + strspn(*line, " ");
    bool any = *p != '\0', quoted = false;
    int bad = 0;
    for (; *p != '\0' && (quoted || *p != ' '); p++) {
        if (*p == '\'')
            quoted = !quoted;
        else if (!quoted && p[0] == '\\' && p[1] != '\0')
            bad |= buf_addc(out, *++p);
        else
            bad |= buf_addc(out, *p);
    }
    *line = p;
    return bad != 0 ? -1 : any;
}

static int show_word(const char *word, bool secret, struct buf *out)
{
    const char *scheme = strstr(word, "://");
    if (!secret && scheme != NULL)
        return show_url(word, scheme + 3, out);
    if (secret || strchr(word, '@') != NULL || strcasestr(word, "password") != NULL)
        return buf_adds(out, "...");
    return opt_show_quoted(word, out);
}

/* Operands that are UUIDs are ids of leads. leadsync forget removes them everywhere else. */
static bool is_uuid(const char *word)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == 'x' ? !isxdigit((unsigned char)word[i]) : word[i] != form[i])
            return false;
    return true;
}

/* The name is worth a record, the value belongs to a person. */
static int show_assigned(const char *word, struct buf *out)
{
    const char *value = strchr(word, '=');
    if (value == NULL || memchr(word, '@', (size_t)(value - word)) != NULL)
        return buf_adds(out, "...");
    char *name = strndup(word, (size_t)(value - word + 1));
    int bad = name == NULL ? -1 : opt_show_quoted(name, out) | buf_adds(out, "...");
    free(name);
    return bad;
}

static int show_one(const struct opt *o, const char *value, struct buf *out)
{
    if (o == NULL) /* an operand */
        return buf_addc(out, ' ') | show_word(value, strchr(value, '=') != NULL || is_uuid(value), out);
    int bad = buf_addf(out, " --%s", o->name);
    if (!takes_value(o))
        return bad;
    bad |= buf_addc(out, ' ');
    return bad |
           (o->secret == OPT_SECRET_VALUE ? show_assigned(value, out) : show_word(value, o->secret == OPT_SECRET, out));
}

int opt_show(int argc, char **argv, const struct opt *const *tables, size_t max, struct buf *out)
{
    struct parser p;
    size_t start = out->n;
    int found = 0, bad = 0;
    if (parser_init(&p, tables) != 0)
        return -1;
    optind = 0;
    while (bad == 0 && out->n - start <= max && (found = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1)
        bad = show_one(found == OPERAND ? NULL : find(&p, found), optarg, out);
    for (; bad == 0 && found == -1 && out->n - start <= max && optind < argc; optind++)
        bad = show_one(NULL, argv[optind], out);
    parser_free(&p);
    if (bad == 0 && out->n - start > max) {
        static const char cut[] = " ...";
        out->n = start + max - (sizeof cut - 1);
        bad = buf_adds(out, cut);
    }
    return bad;
}

void opt_list_free(struct opt_list *list)
{
    free(list->v);
    *list = (struct opt_list){0};
}

/* ---- help ---- */

/* Names wider than this have their text below; an option with ten choices must not push all texts to the right. */
enum { NAMES_MAX = 28, NAMES_CAP = 512 };

/* "  -o, --output FILE". Tables are ours: what does not fit is cut. */
static size_t names_of(const struct opt *o, char out[NAMES_CAP])
{
    int n = o->letter != 0 ? snprintf(out, NAMES_CAP, "  -%c, --%s", o->letter, o->name)
                           : snprintf(out, NAMES_CAP, "      --%s", o->name);
    size_t used = (size_t)n;
    if (o->arg != NULL)
        used += (size_t)snprintf(out + used, NAMES_CAP - used, " %s", o->arg);
    else if (o->kind == OPT_CHOICE)
        for (size_t i = 0; o->choices[i] != NULL && used < NAMES_CAP; i++)
            used += (size_t)snprintf(out + used, NAMES_CAP - used, "%c%s", i == 0 ? ' ' : '|', o->choices[i]);
    return used < NAMES_CAP ? used : NAMES_CAP - 1;
}

/* Words of `text` from column `at` on, later lines from column `indent`. */
static void wrap(FILE *out, const char *text, size_t indent, size_t columns)
{
    size_t at = indent;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (at > indent && at + 1 + word > columns) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)word, text);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* Twice over the tables: texts can only be aligned when the widest name is known. */
static size_t widest_names(const struct opt *const *tables)
{
    char names[NAMES_CAP];
    size_t widest = 0;
    for (; *tables != NULL; tables++) {
        for (const struct opt *o = *tables; o->name != NULL; o++) {
            size_t n = names_of(o, names);
            if (n <= NAMES_MAX && n > widest)
                widest = n;
        }
    }
    return widest;
}

static void help_row(FILE *out, const struct opt *o, size_t widest, unsigned columns)
{
    char names[NAMES_CAP];
    size_t n = names_of(o, names), indent = widest + 2;
    /* Too long for the column of names: its text starts below. */
    if (n > widest)
        fprintf(out, "%s\n%*s", names, (int)indent, "");
    else
        fprintf(out, "%-*s", (int)indent, names);
    wrap(out, o->help, indent, columns);
}

static bool is_in(const struct opt *o, enum opt_section section)
{
    return o->section == section || (o->section == OPT_INHERIT && section == OPT_WHAT);
}

void opt_help(FILE *out, const struct opt *const *tables, unsigned columns)
{
    static const char *const titles[OPT_SECTION_N] = {
        [OPT_WHAT] = "what it does",
        [OPT_SOURCE] = "source",
        [OPT_CSV] = "only for a CSV file without a mapping (a mapping has its own keys for these)",
        [OPT_SAFETY] = "safety",
        [OPT_DRY_RUN] = "only with --dry-run",
        [OPT_OUTPUT] = "output",
        [OPT_CONNECTION] = "connection",
    };
    size_t widest = widest_names(tables);
    bool first = true;
    for (int section = OPT_WHAT; section < OPT_SECTION_N; section++) {
        bool titled = false;
        for (const struct opt *const *table = tables; *table != NULL; table++) {
            for (const struct opt *o = *table; o->name != NULL; o++) {
                if (!is_in(o, (enum opt_section)section))
                    continue;
                if (!titled)
                    fprintf(out, "%s%s:\n", first ? "" : "\n", titles[section]);
                titled = true;
                first = false;
                help_row(out, o, widest, columns);
            }
        }
    }
}
