/* One self-contained HTML page: its template, and the only place where foreign text is escaped.
 *
 * The template has slots, such as {{heading}}. The caller takes them in order with page_next() and appends what belongs there. The
 * page's policy (CSP) allows its own style and script by their SHA-256 and nothing else: no network, no image, no other script.
 * All functions append to `out` and return 0, or -1 (memory), if nothing else is said. */
#ifndef SYNC_REPORT_PAGE_PAGE_H
#define SYNC_REPORT_PAGE_PAGE_H

#include "sync/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct page {
    struct buf template; /* owned */
    size_t at;           /* bytes of it that are written */
};

int page_open(struct page *p); /* 0/-1 (memory); page_free() after either */
void page_free(struct page *p);
/* Appends the template up to its next slot: 1 with the slot's name; 0: that was all of it; -1. Fills the slots `style`, `script`
 * and `policy` itself. */
int page_next(struct page *p, struct buf *out, struct str *slot);

enum { PAGE_WHOLE = 0, PAGE_VALUE_CHARS = 600, PAGE_NAME_CHARS = 200 };

/* Foreign text as text_show() shows it (controls and bidi characters as \u{…}), but newlines stay. At most `chars` characters;
 * what is cut is counted in its place. */
int page_show(struct str text, size_t chars, struct buf *out);
/* The same, escaped for text and quoted attributes of HTML. */
int page_text(struct buf *out, struct str text);
int page_cut(struct buf *out, struct str text, size_t chars);
/* The same in an element of its own, so that right-to-left text does not reorder what stands around it. */
int page_bdi(struct buf *out, struct str text, size_t chars);
/* The same as a JSON string that may stand in a script element. */
int page_json(struct buf *out, struct str text, size_t chars);
/* Text of the program, escaped. */
int page_say(struct buf *out, const char *text);
/* 1234567 as 1,234,567 */
int page_count(struct buf *out, uint64_t n);
/* "3 leads": a count and its noun, with an s if there is not one. */
int page_counted(struct buf *out, uint64_t n, const char *noun);

/* One pair of the head's list: page_fact() opens it and the caller appends the value, page_fact_end() closes it. */
int page_fact(struct buf *out, const char *label);
int page_fact_end(struct buf *out);
/* Both in one, for a text. Empty or NULL: nothing */
int page_fact_text(struct buf *out, const char *label, const char *text);

/* A point in time, to the second, in UTC. */
int page_fact_time(struct buf *out, const char *label, int64_t ms);

/* Something to read first: "stop", "warn" or "info" is its weight, which stands in words in the heading, too. */
int page_notice(struct buf *out, const char *weight, const char *heading);
int page_notice_end(struct buf *out);

#endif
