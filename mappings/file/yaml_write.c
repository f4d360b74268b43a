/* Writes YAML for people: quotes only if they are needed, comments in a column. */
#include "config.h"

#include "mappings/file/yaml_write.h"

#include "sync/base/text.h"

#include <stdio.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

enum { NOTES_AT = 46 };

void yaml_put(struct yaml_writer *w, const char *text)
{
    w->failed = w->failed || buf_adds(w->out, text) != 0;
}

/* Writes nothing after the first failure; the caller checks once. */
void yaml_put_bytes(struct yaml_writer *w, const char *p, size_t n)
{
    w->failed = w->failed || buf_add(w->out, p, n) != 0;
}

/* Notes are aligned by the width of what stands on the line. */
void yaml_end_line(struct yaml_writer *w)
{
    yaml_put(w, "\n");
    w->line = w->out->n;
}

void yaml_put_note(struct yaml_writer *w, const char *text)
{
    size_t width = w->failed ? 0 : text_width((struct str){w->out->p + w->line, w->out->n - w->line});
    do {
        yaml_put(w, " ");
    } while (!w->failed && ++width < NOTES_AT);
    yaml_put(w, "# ");
    yaml_put(w, text);
}

/* Words that YAML readers, of the old kind too, take for something else. */
static bool is_special(struct str s)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_eq_nocase(s, str_from(words[i])))
            return true;
    }
    return false;
}

/* Letters first, of any alphabet, then letters, digits, single blanks and a few signs that mean nothing to YAML. */
bool yaml_is_plain(struct str s)
{
    const uint8_t *at = (const uint8_t *)s.p, *end = at + s.n;
    if (s.n == 0 || is_special(s) || s.p[s.n - 1] == ' ' || !text_is_utf8(s))
        return false;
    for (bool first = true; at < end; first = false) {
        ucs4_t c;
        at += u8_mbtouc(&c, at, (size_t)(end - at));
        bool letter = c < 0x80 ? (c | 0x20) >= 'a' && (c | 0x20) <= 'z' : uc_is_property_alphabetic(c);
        bool other = c < 0x80 ? (c >= '0' && c <= '9') || (c != 0 && strchr(" _-./()", (int)c) != NULL) : c == 0x20ac;
        if (!letter && (first || !other))
            return false;
    }
    return true;
}

/* Characters without ink that turn the direction of text, divide lines or hide: U+200B to U+200F, U+2028 to U+202E,
 * U+2060 to U+206F, U+FEFF and the noncharacters. Three bytes each. */
static bool is_hidden(const unsigned char *p, size_t n)
{
    if (n < 3)
        return false;
    if (p[0] == 0xE2 && p[1] == 0x80)
        return (p[2] >= 0x8B && p[2] <= 0x8F) || (p[2] >= 0xA8 && p[2] <= 0xAE);
    if (p[0] == 0xE2 && p[1] == 0x81)
        return p[2] >= 0xA0 && p[2] <= 0xAF;
    return p[0] == 0xEF && ((p[1] == 0xBB && p[2] == 0xBF) || (p[1] == 0xBF && p[2] >= 0xBE));
}

/* What stands in double quotes for the character at p; its bytes are returned, or 0 when it stands for itself. */
static size_t escape(const unsigned char *p, size_t n, char *out, size_t out_n)
{
    if (p[0] == '"' || p[0] == '\\') {
        snprintf(out, out_n, "\\%c", p[0]);
        return 1;
    }
    if (p[0] < 0x20 || p[0] == 0x7F) {
        snprintf(out, out_n, "\\x%02x", p[0]);
        return 1;
    }
    if (n > 1 && p[0] == 0xC2 && p[1] < 0xA0) { /* C1 controls */
        snprintf(out, out_n, "\\x%02x", p[1]);
        return 2;
    }
    if (!is_hidden(p, n))
        return 0;
    snprintf(out, out_n, "\\u%04x", (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu));
    return 3;
}

void yaml_put_scalar(struct yaml_writer *w, struct str s)
{
    w->foreign = w->foreign || !text_is_utf8(s);
    if (yaml_is_plain(s)) {
        yaml_put_bytes(w, s.p, s.n);
        return;
    }
    yaml_put(w, "\"");
    for (size_t i = 0; i < s.n;) {
        char text[16];
        size_t n = escape((const unsigned char *)s.p + i, s.n - i, text, sizeof text);
        if (n > 0)
            yaml_put(w, text);
        else
            yaml_put_bytes(w, s.p + i, 1);
        i += n > 0 ? n : 1;
    }
    yaml_put(w, "\"");
}

/* Controls and line ends are shown as escapes, and long texts are cut. Two characters that terminals bear (U+FFFE and
 * U+FFFF) no YAML file may have, not even in a comment. */
void yaml_put_shown(struct yaml_writer *w, struct str s)
{
    size_t start = w->out->n;
    w->failed = w->failed || text_show(s, 60, w->out) != 0;
    for (size_t i = start; !w->failed && i + 2 < w->out->n; i++) {
        unsigned char *p = (unsigned char *)w->out->p + i;
        if (p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE)
            p[2] = 0xBD; /* U+FFFD, as wide and made for this */
    }
}

/* The same for a C string. */
void yaml_put_text(struct yaml_writer *w, const char *text)
{
    yaml_put_scalar(w, str_from(text));
}

/* In quotes when a block would change it. */
void yaml_put_block(struct yaml_writer *w, const char *text)
{
    bool block = text[0] != ' ' && text[0] != '\n' && text[0] != '\0';
    for (const char *p = text; *p != '\0'; p++)
        block = block && ((unsigned char)*p >= 0x20 || *p == '\n') && *p != 0x7F;
    if (!block || !text_is_ascii(str_from(text))) {
        yaml_put_text(w, text);
        yaml_end_line(w);
        return;
    }
    yaml_put(w, "|");
    yaml_end_line(w);
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        if (n > 0) {
            yaml_put(w, "      ");
            yaml_put_bytes(w, p, n);
        }
        yaml_end_line(w);
        p += n + (p[n] == '\n');
    }
}
