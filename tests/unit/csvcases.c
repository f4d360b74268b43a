#include "config.h"

#include "tests/unit/csvcases.h"

#include "connectors/csv/csvrows.h"
#include "sync/base/log.h"
#include "tests/unit/harness.h"

#include <iconv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CASE_MAX = 64 << 20 };

/* \{N*x}: N times what stands behind the star. Returns what follows the brace. */
static const char *unescape_repeat(const char *p, struct buf *out)
{
    char *star;
    unsigned long times = strtoul(p, &star, 10);
    const char *end = strchr(p, '}');

    int status = 0;

    ck_assert_msg(*star == '*' && end != NULL, "bad repeat: %s", p);
    /* One assertion for all: each costs a write. */
    for (unsigned long i = 0; i < times; i++)
        status |= buf_add(out, star + 1, (size_t)(end - star - 1));
    ck_assert_int_eq(status, 0);
    return end + 1;
}

void csvcase_unescape(const char *text, struct buf *out)
{
    for (const char *p = text; *p != '\0';) {
        char hex[3] = "";
        if (*p != '\\') {
            (void)buf_addc(out, *p++);
            continue;
        }
        p += 2;
        switch (p[-1]) {
        case 'n': buf_addc(out, '\n'); break;
        case 'r': buf_addc(out, '\r'); break;
        case 't': buf_addc(out, '\t'); break;
        case '\\': buf_addc(out, '\\'); break;
        case '{': p = unescape_repeat(p, out); break;
        case 'x':
            memcpy(hex, p, 2);
            buf_addc(out, (char)strtol(hex, NULL, 16));
            p += 2;
            break;
        default: ck_abort_msg("unknown escape in: %s", text);
        }
    }
}

static void recode(struct buf *b, const char *to)
{
    iconv_t cd = iconv_open(to, "UTF-8");
    size_t room = b->n * 4 + 16, left = room, in_n = b->n;
    char *out = malloc(room), *at = out, *in = b->p;

    ck_assert(cd != (iconv_t)-1 && out != NULL);
    ck_assert_uint_eq(iconv(cd, &in, &in_n, &at, &left), 0);
    iconv_close(cd);
    buf_reset(b);
    ck_assert_int_eq(buf_add(b, out, room - left), 0);
    free(out);
}

static void read_names(struct csvcase *c, const char *text)
{
    snprintf(c->names_text, sizeof c->names_text, "%.199s", text);
    for (char *rest = c->names_text, *name; (name = strsep(&rest, ",")) != NULL;)
        c->names[c->names_n++] = str_from(name);
}

static void read_option(struct csvcase *c, const char *text, char *encoding)
{
    if (strncmp(text, "delimiter: ", 11) == 0)
        c->delimiter = strcmp(text + 11, "tab") == 0 ? '\t' : text[11];
    else if (strncmp(text, "encoding: ", 10) == 0)
        snprintf(c->encoding, sizeof c->encoding, "%.63s", text + 10);
    else if (strncmp(text, "header: ", 8) == 0)
        read_names(c, text + 8);
    else if (strncmp(text, "field_max: ", 11) == 0)
        c->field_max = strtoul(text + 11, NULL, 10);
    else if (strncmp(text, "recode: ", 8) == 0)
        snprintf(encoding, 64, "%.63s", text + 8);
    else if (strcmp(text, "alone") == 0)
        c->alone = true;
    else if (strcmp(text, "header may stand") == 0)
        c->may_stand = true;
    else if (strcmp(text, "delimiter may differ") == 0)
        c->may_differ = true;
    else if (strcmp(text, "uncertain encoding is fine") == 0)
        c->uncertain = true;
    else if (strcmp(text, "embedded rows") == 0)
        c->embedded_rows = true;
    else if (strcmp(text, "slow") == 0)
        c->slow = true;
    else
        ck_assert_msg(*text == '\0', "line %u: what is \"%s\"?", c->line, text);
}

bool csvcase_read(void *file, unsigned *line, struct csvcase *out)
{
    char text[1024], recode_to[64] = "";

    *out = (struct csvcase){.input = BUF_INIT(CASE_MAX), .expect = BUF_INIT(CASE_MAX)};
    for (;;) {
        long start = ftell(file);
        if (fgets(text, sizeof text, file) == NULL)
            break;
        text[strcspn(text, "\n")] = '\0';
        if (strncmp(text, "=== ", 4) == 0 && out->title[0] != '\0') {
            fseek(file, start, SEEK_SET); /* the next one begins */
            break;
        }
        ++*line;
        if (strncmp(text, "=== ", 4) == 0) {
            snprintf(out->title, sizeof out->title, "%.199s", text + 4);
            out->line = *line;
        } else if (text[0] == '|') {
            csvcase_unescape(text + 1, &out->input);
        } else if (text[0] == '>') {
            ck_assert_int_eq(buf_addf(&out->expect, "%s\n", text + 2), 0);
        } else {
            read_option(out, text, recode_to);
        }
    }
    if (recode_to[0] != '\0')
        recode(&out->input, recode_to);
    return out->title[0] != '\0';
}

void csvcase_free(struct csvcase *c)
{
    buf_free(&c->input);
    buf_free(&c->expect);
}

/* A cell in brackets; repeats of ten and more are folded so that a case can be written down. */
static void show_cell(struct buf *out, const char *p, size_t n)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < n;) {
        size_t run = 1;
        while (i + run < n && p[i + run] == p[i])
            run++;
        if (run > 1000) {
            buf_addf(out, "\\{%zu*%c}", run, p[i]);
            i += run;
            continue;
        }
        switch (p[i]) {
        case '\n': buf_adds(out, "\\n"); break;
        case '\r': buf_adds(out, "\\r"); break;
        case '\t': buf_adds(out, "\\t"); break;
        case '\\': buf_adds(out, "\\\\"); break;
        default: buf_addc(out, p[i]);
        }
        i++;
    }
    ck_assert_int_eq(buf_addc(out, ']'), 0);
}

static void show_row(struct buf *out, const struct row *row)
{
    enum reason problem = row->defect;
    for (size_t i = 0; problem == REASON_NONE && i < row->n; i++)
        problem = row_flaw(row, i);
    buf_addf(out, "%" PRIu64 ":%" PRIu64 " %s", row->number, row->line, reason_text(problem));
    if (row->found > 0)
        buf_addf(out, "=%zu", row->found);
    buf_adds(out, problem != REASON_NONE ? " " : "");
    if (row->n > 1000)
        buf_addf(out, "\\{%zu*[]}", row->n);
    else
        for (size_t i = 0; i < row->n; i++)
            show_cell(out, row->cells[i].p, row->cells[i].n);
    buf_addc(out, '\n');
}

static void show_warnings(struct buf *out, FILE *log, long *seen)
{
    char text[1024];

    fflush(log);
    fseek(log, *seen, SEEK_SET);
    while (fgets(text, sizeof text, log) != NULL)
        buf_addf(out, "warning %s", text);
    *seen = ftell(log);
}

void csvcase_run(const struct csvcase *c, size_t chunk, struct buf *out)
{
    const struct csvrows_format format = {
        .delimiter = c->delimiter,
        .encoding = c->encoding[0] != '\0' ? c->encoding : NULL,
        .uncertain_encoding = c->uncertain,
        .rows_judged_alone = c->alone,
        .header = c->names_n == 0,
        .names = c->names,
        .names_n = c->names_n,
        .header_may_stand = c->may_stand,
        .delimiter_may_differ = c->may_differ,
        .embedded_rows = c->embedded_rows,
        .field_max = c->field_max != 0 ? c->field_max : 1 << 20,
    };
    FILE *file = tmpfile(), *log = tmpfile();
    struct csvrows *rows = NULL;
    struct input in;
    struct err e = ERR_INIT;
    struct row row;
    size_t n;
    long seen = 0;
    int got = -1;

    ck_assert(file != NULL && log != NULL);
    log_configure(&(struct log_config){.level = LOG_WARNING, .out = log});
    if (c->input.n > 0)
        ck_assert_uint_eq(fwrite(c->input.p, 1, c->input.n, file), c->input.n);
    fflush(file);
    rewind(file);
    ck_assert_int_eq(input_init(&in, fileno(file), "people.csv", &e), 0);
    in.chunk_max = chunk;
    if (csvrows_new(&in, &format, &rows, &e) == 0) {
        const struct column *columns = csvrows_columns(rows, &n);
        buf_adds(out, "columns ");
        for (size_t i = 0; i < n; i++)
            show_cell(out, columns[i].name.p, columns[i].name.n);
        buf_addc(out, '\n');
        while ((got = csvrows_next(rows, &row, &e)) > 0) {
            show_warnings(out, log, &seen);
            show_row(out, &row);
        }
    }
    show_warnings(out, log, &seen);
    if (got == 0)
        buf_adds(out, "end\n");
    else
        buf_addf(out, "error %d %s\n", (int)e.status, err_text(&e));
    csvrows_free(rows);
    err_clear(&e);
    log_configure(&(struct log_config){.level = LOG_NOTICE});
    fclose(file);
    fclose(log);
}
