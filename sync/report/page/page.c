#include "config.h"

#include "sync/report/page/page.h"

#include "sync/base/clock.h"
#include "sync/base/hash.h"
#include "sync/base/text.h"
#include "sync/report/page/page_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEMPLATE_BYTES = 4 << 20, TEXT_BYTES = 64 << 20 };

static int add_file(struct buf *out, const char *const *lines)
{
    int bad = 0;
    for (; *lines != NULL && bad == 0; lines++)
        bad = buf_adds(out, *lines);
    return bad;
}

int page_open(struct page *p)
{
    *p = (struct page){.at = 0};
    buf_init(&p->template, TEMPLATE_BYTES);
    return add_file(&p->template, page_file_html);
}

void page_free(struct page *p)
{
    buf_free(&p->template);
}

/* ---- slots ---- */

/* The source of one directive: the hash is that of the element's text, byte for byte as the template writes it. */
static int add_hash(struct buf *out, const char *directive, const char *const *lines)
{
    struct buf text = BUF_INIT(TEMPLATE_BYTES);
    char hash[SHA256_BASE64_N];
    int bad = add_file(&text, lines) != 0 || sha256_base64(text.p, text.n, hash) != 0 ? -1 : 0;
    if (bad == 0)
        bad = buf_addf(out, "; %s 'sha256-%s'", directive, hash);
    buf_free(&text);
    return bad;
}

static int policy(struct buf *out)
{
    return buf_adds(out, "default-src 'none'") | add_hash(out, "style-src", page_file_css) |
           add_hash(out, "script-src", page_file_js) | buf_adds(out, "; base-uri 'none'; form-action 'none'");
}

/* 1: the slot is one of those that every page fills alike; 0: it is the caller's */
static int fill_slot(struct str slot, struct buf *out)
{
    if (str_is(slot, "style"))
        return add_file(out, page_file_css) == 0 ? 1 : -1;
    if (str_is(slot, "script"))
        return add_file(out, page_file_js) == 0 ? 1 : -1;
    if (str_is(slot, "policy"))
        return policy(out) == 0 ? 1 : -1;
    return 0;
}

int page_next(struct page *p, struct buf *out, struct str *slot)
{
    for (;;) {
        struct str rest = {p->template.p + p->at, p->template.n - p->at};
        const char *open = str_find(rest, STR("{{"));
        size_t before = open != NULL ? (size_t)(open - rest.p) : rest.n;
        if (buf_add(out, rest.p, before) != 0)
            return -1;
        p->at += before;
        if (open == NULL)
            return 0;
        const char *close = str_find((struct str){open, rest.n - before}, STR("}}"));
        if (close == NULL)
            return 0;
        *slot = (struct str){open + 2, (size_t)(close - open) - 2};
        p->at += slot->n + 4;
        int filled = fill_slot(*slot, out);
        if (filled <= 0)
            return filled < 0 ? -1 : 1;
    }
}

/* ---- text ---- */

static size_t characters(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return n;
}

int page_show(struct str text, size_t chars, struct buf *out)
{
    /* No character has fewer bytes than columns, so a short text needs no measuring. */
    size_t fits = chars == PAGE_WHOLE || text.n <= chars ? text.n : text_fitting(text, chars);
    size_t more = characters((struct str){text.p + fits, text.n - fits});
    struct str rest = {text.p, fits};
    int bad = 0;
    while (rest.n > 0 && bad == 0) {
        const char *newline = memchr(rest.p, '\n', rest.n);
        size_t line = newline != NULL ? (size_t)(newline - rest.p) : rest.n;
        bad = text_show((struct str){rest.p, line}, 0, out);
        if (bad == 0 && newline != NULL)
            bad = buf_addc(out, '\n');
        line += newline != NULL;
        rest = (struct str){rest.p + line, rest.n - line};
    }
    if (bad == 0 && more > 0)
        bad = buf_addf(out, "\xe2\x80\xa6 (%zu more character%s)", more, text_plural(more));
    return bad;
}

static int add_html(struct buf *out, struct str text)
{
    int bad = 0;
    for (size_t i = 0; i < text.n && bad == 0; i++) {
        switch (text.p[i]) {
        case '&': bad = buf_adds(out, "&amp;"); break;
        case '<': bad = buf_adds(out, "&lt;"); break;
        case '>': bad = buf_adds(out, "&gt;"); break;
        case '"': bad = buf_adds(out, "&quot;"); break;
        case '\'': bad = buf_adds(out, "&#39;"); break;
        default: bad = buf_addc(out, text.p[i]);
        }
    }
    return bad;
}

/* Within a script element only "</script" and "<!--" matter to the parser of HTML, so no "<" stays. */
static int add_json(struct buf *out, struct str text)
{
    int bad = buf_addc(out, '"');
    for (size_t i = 0; i < text.n && bad == 0; i++) {
        switch (text.p[i]) {
        case '"':
        case '\\': bad = buf_addc(out, '\\') | buf_addc(out, text.p[i]); break;
        case '\n': bad = buf_adds(out, "\\n"); break;
        case '<': bad = buf_adds(out, "\\u003c"); break;
        default: bad = buf_addc(out, text.p[i]);
        }
    }
    return bad | buf_addc(out, '"');
}

static int shown(struct buf *out, struct str text, size_t chars, int (*add)(struct buf *, struct str))
{
    struct buf show = BUF_INIT(TEXT_BYTES);
    int bad = page_show(text, chars, &show);
    if (bad == 0)
        bad = add(out, buf_str(&show));
    buf_free(&show);
    return bad;
}

int page_text(struct buf *out, struct str text)
{
    return shown(out, text, PAGE_WHOLE, add_html);
}

int page_cut(struct buf *out, struct str text, size_t chars)
{
    return shown(out, text, chars, add_html);
}

int page_bdi(struct buf *out, struct str text, size_t chars)
{
    return buf_adds(out, "<bdi>") | page_cut(out, text, chars) | buf_adds(out, "</bdi>");
}

int page_json(struct buf *out, struct str text, size_t chars)
{
    return shown(out, text, chars, add_json);
}

int page_say(struct buf *out, const char *text)
{
    return add_html(out, str_from(text));
}

int page_count(struct buf *out, uint64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n), bad = 0;
    for (int i = 0; i < length && bad == 0; i++)
        bad = (i > 0 && (length - i) % 3 == 0 ? buf_addc(out, ',') : 0) | buf_addc(out, digits[i]);
    return bad;
}

int page_counted(struct buf *out, uint64_t n, const char *noun)
{
    return page_count(out, n) | buf_addf(out, " %s%s", noun, text_plural(n));
}

/* ---- parts of the head ---- */

int page_fact(struct buf *out, const char *label)
{
    return buf_adds(out, "<div><dt>") | page_say(out, label) | buf_adds(out, "</dt><dd>");
}

int page_fact_end(struct buf *out)
{
    return buf_adds(out, "</dd></div>\n");
}

int page_fact_text(struct buf *out, const char *label, const char *text)
{
    if (text == NULL || *text == '\0')
        return 0;
    return page_fact(out, label) | page_bdi(out, str_from(text), PAGE_WHOLE) | page_fact_end(out);
}

int page_fact_time(struct buf *out, const char *label, int64_t ms)
{
    char at[TIME_TEXT_N];
    time_format(ms, at);
    return page_fact(out, label) | buf_addf(out, "<time datetime=\"%s\">%.10s %.8s UTC</time>", at, at, at + 11) |
           page_fact_end(out);
}

int page_notice(struct buf *out, const char *weight, const char *heading)
{
    return buf_addf(out, "<section class=\"notice %s\"><h2>", weight) | page_say(out, heading) | buf_adds(out, "</h2>\n");
}

int page_notice_end(struct buf *out)
{
    return buf_adds(out, "</section>\n");
}
