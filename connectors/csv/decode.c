#include "config.h"

#include "connectors/csv/decode.h"

#include "connectors/csv/file_kind.h"
#include "sync/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    HELD_MAX = 256 * 1024, /* bytes read and not handed out yet */
    HEAD = 512,            /* bytes that identify a file that is not text */
    TAIL = 64,             /* bytes handed out last: the start of a word whose end is judged */
    UTF8_MAX = 4,          /* bytes of a character */
};

struct decoder {
    struct input *in;
    const char *encoding; /* what is in use */
    iconv_t cd;           /* (iconv_t)-1: the bytes are UTF-8 already */
    bool found;           /* the encoding was not declared: it may turn out to be another */
    bool guessed;         /* and it did: `guess` says how */
    bool uncertain_is_fine;
    bool as_is;       /* bytes that are not UTF-8 pass */
    bool compared;    /* the declared encoding was compared with what the bytes look like */
    bool wide;        /* begins as UTF-16 without a mark does */
    bool wide_big;    /* of these, with the high byte first */
    bool settled;     /* UTF-8 was seen beyond ASCII: it stays UTF-8 */
    bool at_start;    /* nothing was handed out yet: a mark may still be stripped */
    bool ended;       /* the input has */
    bool flushed;     /* iconv has given its last bytes */
    bool nul;         /* iconv made a NUL: the text ends in an error here */
    bool has_c1;      /* an encoding of the ISO 8859 family, whose 0x80 to 0x9f are unused controls */
    unsigned char c1; /* one was met: the text ends in an error here */
    struct charset_guess guess;
    char tail[TAIL];
    size_t tail_n;
    size_t held_at, held_end;
    char *held; /* HELD_MAX */
};

/* Byte order marks, longest first where one begins another. */
static const struct mark {
    const char *bytes;
    size_t n;
    const char *encoding;
    const char *family; /* declared encodings that agree begin so, in the spelling of plain_name() */
} mark_table[] = {
    {"\xef\xbb\xbf", 3, "UTF-8", "UTF8"},
    {"\xff\xfe", 2, "UTF-16LE", "UTF16LE"},
    {"\xfe\xff", 2, "UTF-16BE", "UTF16BE"},
};

/* "utf-8", "UTF8" and "Utf_8" are one name: upper case, without - and _. */
static void plain_name(const char *name, char out[32])
{
    size_t n = 0;

    for (; *name != '\0' && n < 31; name++) {
        if (*name != '-' && *name != '_')
            out[n++] = (char)toupper((unsigned char)*name);
    }
    out[n] = '\0';
}

static bool is_utf8_name(const char *name)
{
    char plain[32];

    plain_name(name, plain);
    return strcmp(plain, "UTF8") == 0;
}

static int use_iconv(struct decoder *d, const char *name, struct err *e)
{
    /* A slash would be //TRANSLIT or //IGNORE: silent substitution. */
    d->cd = strchr(name, '/') != NULL ? (iconv_t)-1 : iconv_open("UTF-8", name);
    if (d->cd == (iconv_t)-1)
        return err_set(e, XS_CONFIG, "encoding: \"%s\" is not known here; `iconv -l` lists the names", name);
    d->encoding = name;
    d->compared = d->guessed || !charset_is_code_page(name);
    char plain[32];
    plain_name(name, plain);
    d->has_c1 = strncmp(plain, "ISO8859", 7) == 0 || strncmp(plain, "LATIN", 5) == 0 || strcmp(plain, "L1") == 0;
    return 0;
}

/* Adds input to what is held. 1, 0 at the end, -1. */
static int hold_more(struct decoder *d, struct err *e)
{
    size_t got = 0;
    size_t n = d->held_end - d->held_at;

    if (d->held_at > 0) {
        memmove(d->held, d->held + d->held_at, n);
        d->held_at = 0;
        d->held_end = n;
    }
    if (d->ended || n == HELD_MAX)
        return !d->ended;
    int more = input_read(d->in, d->held + n, HELD_MAX - n, &got, e);
    if (more == 0)
        d->ended = true;
    d->held_end += got;
    return more;
}

/* A mark decides, and may contradict what was declared. */
static int obey_mark(struct decoder *d, const char *declared, struct err *e)
{
    char plain[32] = "";
    const char *p = d->held + d->held_at;

    if (declared != NULL)
        plain_name(declared, plain);
    for (size_t i = 0; i < sizeof mark_table / sizeof mark_table[0]; i++) {
        const struct mark *m = &mark_table[i];
        if (d->held_end - d->held_at < m->n || memcmp(p, m->bytes, m->n) != 0)
            continue;
        /* "UTF-16" alone leaves the order to the mark. */
        bool agrees = declared == NULL || strcmp(plain, m->family) == 0 ||
                      (strcmp(plain, "UTF16") == 0 && strncmp(m->family, "UTF16", 5) == 0);
        if (!agrees)
            return err_set(e, XS_SOURCE,
                           "%s:1: begins with the byte order mark of %s, but encoding: says %s; "
                           "set encoding: (or --encoding) to auto",
                           d->in->label, m->encoding, declared);
        d->held_at += m->n;
        d->found = false;
        if (strcmp(m->family, "UTF8") != 0)
            return use_iconv(d, m->encoding, e);
        d->encoding = m->encoding;
        return 0;
    }
    if (declared != NULL && !is_utf8_name(declared))
        return use_iconv(d, declared, e);
    return 0;
}

/* UTF-16 without a mark: half of the letters begin with a NUL byte, or end in one. */
static void look_for_wide(struct decoder *d)
{
    const char *p = d->held;

    if (d->held_end < UTF8_MAX)
        return;
    d->wide_big = p[0] == '\0' && p[1] != '\0' && p[2] == '\0' && p[3] != '\0';
    d->wide = d->wide_big || (p[0] != '\0' && p[1] == '\0' && p[2] != '\0' && p[3] == '\0');
}

/* Holds input until there is this much of it. 0/-1. */
static int hold_up_to(struct decoder *d, size_t n, struct err *e)
{
    int more = 1;

    while (more > 0 && d->held_end - d->held_at < n)
        more = hold_more(d, e);
    return more < 0 ? -1 : 0;
}

int decoder_new(struct input *in, const struct decode_spec *spec, struct decoder **out, struct err *e)
{
    struct decoder *d = malloc(sizeof *d);

    *out = NULL;
    if (d == NULL)
        return err_oom(e);
    *d = (struct decoder){.in = in,
                          .encoding = "UTF-8",
                          .cd = (iconv_t)-1,
                          .found = spec->encoding == NULL,
                          .uncertain_is_fine = spec->uncertain_is_fine,
                          .as_is = spec->bytes_as_they_are,
                          .at_start = true,
                          .held = malloc(HELD_MAX)};
    if (d->held == NULL) {
        err_oom(e);
        goto fail;
    }
    if (hold_up_to(d, HEAD, e) != 0)
        goto fail;
    if (d->held_end == 0) {
        err_set(e, XS_SOURCE, "%s: is empty: not a single byte, not even a header", in->label);
        goto fail;
    }
    /* A slow pipe is judged by as much as a file. */
    if (file_kind_refuse((struct str){d->held, d->held_end < HEAD ? d->held_end : HEAD}, in->label, e) != 0)
        goto fail;
    look_for_wide(d);
    if (obey_mark(d, spec->encoding, e) != 0)
        goto fail;
    *out = d;
    return 0;

fail:
    decoder_free(d);
    return -1;
}

void decoder_free(struct decoder *d)
{
    if (d == NULL)
        return;
    if (d->cd != (iconv_t)-1)
        iconv_close(d->cd);
    charset_guess_free(&d->guess);
    free(d->held);
    free(d);
}

const struct charset_guess *decoder_guess(const struct decoder *d)
{
    return d->guessed ? &d->guess : NULL;
}

/* The next bytes as "0xe9 0x20", for a message. */
static enum decode_event bad_bytes(const struct decoder *d, struct err *e)
{
    char shown[UTF8_MAX * 5 + 1] = "";
    struct buf text = BUF_INIT(sizeof shown);
    const char *hint = d->settled ? "; earlier lines are UTF-8, so the file mixes two encodings: correct this line"
                                  : "; set encoding: (or --encoding) to what the file is written in";

    for (size_t i = d->held_at; i < d->held_end && i < d->held_at + UTF8_MAX; i++)
        (void)buf_addf(&text, "%s0x%02x", i > d->held_at ? " " : "", (unsigned)(unsigned char)d->held[i]);
    err_set(e, XS_SOURCE, "bytes %s are not %s%s", text.n > 0 ? buf_cstr(&text) : "at the end", d->encoding, hint);
    buf_free(&text);
    return DECODE_ERROR;
}

static enum decode_event nul_byte(const struct decoder *d, struct err *e)
{
    if (d->wide)
        err_set(e, XS_SOURCE,
                "a NUL byte: this looks like UTF-16 without a byte order mark; set encoding: (or --encoding) to "
                "UTF-16%s",
                d->wide_big ? "BE" : "LE");
    else
        err_set(e, XS_SOURCE, "a NUL byte, which is not text: delete it, or export the file again");
    return DECODE_ERROR;
}

/* Length of the run of ASCII without NUL at the start, eight bytes a step: the common case costs next to nothing. */
static size_t plain_prefix(const char *p, size_t n)
{
    size_t i = 0;
    const uint64_t high = UINT64_C(0x8080808080808080), low = UINT64_C(0x0101010101010101);

    for (; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        /* The second term has a high bit where a byte is 0 (false alarms only beside a real one). */
        if (((w | (w - low)) & high) != 0)
            break;
    }
    while (i < n && (unsigned char)p[i] < 0x80 && p[i] != '\0')
        i++;
    return i;
}

/* Could these last bytes be the start of a character whose rest is still to come? */
static bool is_cut_short(const char *p, size_t n)
{
    char whole[UTF8_MAX];
    static const char fillers[][3] = {{'\x80', '\x80', '\x80'}, {'\xa0', '\x80', '\x80'}, {'\x90', '\x80', '\x80'}};

    if (n == 0 || n >= UTF8_MAX)
        return false;
    /* Completed with each kind of second byte that UTF-8 knows, does it become a character? */
    for (size_t f = 0; f < sizeof fillers / sizeof fillers[0]; f++) {
        memcpy(whole, p, n);
        memcpy(whole + n, fillers[f], UTF8_MAX - n);
        if (text_utf8_prefix((struct str){whole, UTF8_MAX}) > n)
            return true;
    }
    return false;
}

/* Everything before the first byte that is not to be handed out: NUL, not UTF-8, or a character cut short. */
static size_t usable_prefix(struct decoder *d, const char *p, size_t n)
{
    size_t plain = plain_prefix(p, n);

    if (plain == n)
        return n;
    const char *nul = memchr(p + plain, '\0', n - plain);
    size_t end = nul != NULL ? (size_t)(nul - p) : n;
    if (d->as_is)
        return end;
    size_t valid = plain + text_utf8_prefix((struct str){p + plain, end - plain});
    if (valid > plain)
        d->settled = true;
    return valid;
}

/* Judges the text from its first character that is not UTF-8 on, with the start of its word. */
static enum decode_event guess_encoding(struct decoder *d, struct err *e)
{
    struct buf sample = BUF_INIT(HELD_MAX + TAIL);

    if (hold_up_to(d, HELD_MAX, e) != 0)
        return DECODE_ERROR;
    charset_guess_free(&d->guess); /* after an error the reader may ask again */
    int rc = buf_add(&sample, d->tail, d->tail_n) != 0 ||
                     buf_add(&sample, d->held + d->held_at, d->held_end - d->held_at) != 0
                 ? err_oom(e)
                 : charset_guess(buf_str(&sample), &d->guess, e);
    buf_free(&sample);
    if (rc != 0)
        return DECODE_ERROR;
    if (!d->guess.certain && !d->uncertain_is_fine) {
        bool none = d->guess.shown.n == 0;
        err_set(e, XS_SOURCE,
                "not UTF-8, and %s%s; set encoding: (or --encoding) to the right one, such as windows-1252 or "
                "windows-1250",
                none ? "no code page makes words of it" : "the encoding is uncertain: ",
                none ? "" : buf_cstr(&d->guess.shown));
        return DECODE_ERROR;
    }
    d->guessed = true;
    return use_iconv(d, d->guess.name, e) == 0 ? DECODE_FOREIGN : DECODE_ERROR;
}

/* Keeps the end of what is handed out, while an encoding may still have to be found. */
static void keep_tail(struct decoder *d, const char *p, size_t n)
{
    size_t added = n < TAIL ? n : TAIL, kept = d->tail_n < TAIL - added ? d->tail_n : TAIL - added;

    memmove(d->tail, d->tail + d->tail_n - kept, kept);
    memcpy(d->tail + kept, p + n - added, added);
    d->tail_n = kept + added;
}

static enum decode_event read_utf8(struct decoder *d, char *dst, size_t room, size_t *got, struct err *e)
{
    size_t n = d->held_end - d->held_at;

    if (room > HELD_MAX)
        room = HELD_MAX; /* so that all that is not handed out can be held */
    if (n > room)
        n = room;
    memcpy(dst, d->held + d->held_at, n);
    d->held_at += n;
    /* What was held back waits for more; read behind it, straight to where it is wanted. */
    if (d->held_at == d->held_end && n < room && !d->ended) {
        size_t more = 0;
        int state = input_read(d->in, dst + n, room - n, &more, e);
        if (state < 0)
            return DECODE_ERROR;
        d->ended = state == 0;
        n += more;
    }
    if (n == 0)
        return DECODE_END;

    size_t usable = usable_prefix(d, dst, n);
    /* The rest goes back in front of what is held. There is room: it came from there, or nothing is held. */
    if (d->held_at == d->held_end)
        d->held_at = d->held_end = n - usable;
    d->held_at -= n - usable;
    memcpy(d->held + d->held_at, dst + usable, n - usable);
    *got = usable;
    d->at_start = d->at_start && usable == 0;
    if (usable > 0) {
        if (d->found && !d->settled)
            keep_tail(d, dst, usable);
        return DECODE_TEXT;
    }
    if (dst[0] == '\0')
        return nul_byte(d, e);
    if (!d->ended && is_cut_short(dst, n))
        return DECODE_TEXT; /* nothing yet: the next call brings the rest */
    return d->found && !d->settled ? guess_encoding(d, e) : bad_bytes(d, e);
}

/* Half of the files that are called Latin-1 are Windows-1252: the quotes and the euro sign of that would become controls
 * without anybody noticing. */
static enum decode_event c1_control(const struct decoder *d, struct err *e)
{
    err_set(e, XS_SOURCE,
            "byte 0x%02x is a control character in %s, so the file is written in something else; windows-1252 "
            "has a letter or sign there: set encoding: (or --encoding) to that",
            d->c1, d->encoding);
    return DECODE_ERROR;
}

/* Everything before the first character that no text has; notes which it was. */
static size_t text_prefix(struct decoder *d, const char *p, size_t n)
{
    const char *nul = memchr(p, '\0', n);
    d->nul = nul != NULL;
    if (nul != NULL)
        n = (size_t)(nul - p);
    for (size_t i = 0; d->has_c1 && i + 1 < n; i++) {
        const char *lead = memchr(p + i, '\xc2', n - 1 - i);
        if (lead == NULL)
            break;
        i = (size_t)(lead - p);
        if ((unsigned char)lead[1] >= 0xa0)
            continue;
        d->nul = false;
        d->c1 = (unsigned char)lead[1];
        return i;
    }
    return n;
}

/* UTF-16LE with a mark keeps it as a character: it is stripped from the decoded text. */
static size_t strip_mark(char *dst, size_t n)
{
    if (n < 3 || memcmp(dst, "\xef\xbb\xbf", 3) != 0)
        return n;
    memmove(dst, dst + 3, n - 3);
    return n - 3;
}

/* A declared code page makes letters of any byte: UTF-8 under a wrong declaration would go out garbled. Looks at the
 * text once, from its first character beyond ASCII on; what is before it is `plain` bytes and may be decoded. 0/-1. */
static int compare_with_declared(struct decoder *d, size_t *plain, struct err *e)
{
    *plain = d->compared ? d->held_end - d->held_at : plain_prefix(d->held + d->held_at, d->held_end - d->held_at);
    if (d->compared || *plain > 0 || d->held_at == d->held_end)
        return 0;
    if (hold_up_to(d, HELD_MAX, e) != 0)
        return -1;
    *plain = d->held_end - d->held_at;
    if (charset_looks_like_utf8((struct str){d->held + d->held_at, *plain}))
        return err_set(e, XS_SOURCE, "this is UTF-8 and not %s, as encoding: (or --encoding) says; set it to UTF-8",
                       d->encoding);
    d->compared = true; /* after an error the reader may ask again */
    return 0;
}

static enum decode_event read_iconv(struct decoder *d, char *dst, size_t room, size_t *got, struct err *e)
{
    char *out = dst;
    size_t left = room;

    for (;;) {
        if (d->nul)
            return nul_byte(d, e);
        if (d->c1 != 0)
            return c1_control(d, e);
        if (d->held_at == d->held_end && !d->ended && hold_more(d, e) < 0)
            return DECODE_ERROR;
        bool last = d->held_at == d->held_end;
        if (last && d->flushed)
            return DECODE_END;
        size_t plain = 0;
        if (compare_with_declared(d, &plain, e) != 0)
            return DECODE_ERROR;
        char *in = d->held + d->held_at;
        size_t in_n = plain, rest = d->held_end - d->held_at - plain;
        /* Without input iconv gives what its shift state still owes. */
        size_t replaced = last ? iconv(d->cd, NULL, NULL, &out, &left) : iconv(d->cd, &in, &in_n, &out, &left);
        int why = replaced == (size_t)-1 ? errno : 0;
        d->held_at = d->held_end - rest - in_n;
        d->flushed = last && why == 0;
        size_t n = (size_t)(out - dst);
        if (replaced != 0 && why == 0)
            return bad_bytes(d, e); /* a character that UTF-8 has only something similar for */
        n = text_prefix(d, dst, n);
        if (d->at_start && n > 0) {
            d->at_start = false;
            n = strip_mark(dst, n);
        }
        *got = n;
        if (n > 0 || d->nul || d->c1 != 0)
            return DECODE_TEXT;
        if (why == EILSEQ || (why == EINVAL && d->ended))
            return bad_bytes(d, e);
        if (why == EINVAL && hold_more(d, e) < 0)
            return DECODE_ERROR;
        out = dst;
        left = room;
    }
}

enum decode_event decoder_read(struct decoder *d, char *dst, size_t room, size_t *got, struct err *e)
{
    *got = 0;
    return d->cd == (iconv_t)-1 ? read_utf8(d, dst, room, got, e) : read_iconv(d, dst, room, got, e);
}
