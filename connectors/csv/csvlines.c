/* Three bytes are looked for, each only once in what the window holds: a file without a CR pays for that search once a
 * window, and a line costs a look at where the next LF was found. */
#include "config.h"

#include "connectors/csv/csvlines.h"

#include "sync/base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_FIRST = 256 * 1024 };

int csvlines_init(struct csvlines *l, struct input *in, const struct decode_spec *spec, size_t max, struct err *e)
{
    *l = (struct csvlines){
        .in = in,
        .cap = WINDOW_FIRST,
        .max = max,
        .lf = {'\n', NOWHERE, 0},
        .cr = {'\r', NOWHERE, 0},
        .quote = {'"', NOWHERE, 0},
    };
    l->text = malloc(l->cap);
    if (l->text == NULL)
        return err_oom(e);
    return decoder_new(in, spec, &l->decoder, e);
}

void csvlines_free(struct csvlines *l)
{
    decoder_free(l->decoder);
    free(l->text);
}

static size_t place_find(struct csvlines *l, struct place *place, size_t from)
{
    if (place->at != NOWHERE && place->at >= from)
        return place->at;
    if (place->at != NOWHERE || place->searched < from)
        place->searched = from;
    const char *found = memchr(l->text + place->searched, place->byte, l->end - place->searched);
    place->at = found != NULL ? (size_t)(found - l->text) : NOWHERE;
    place->searched = found != NULL ? place->at : l->end;
    return place->at;
}

static void place_shift(struct place *place, size_t by)
{
    if (place->at != NOWHERE)
        place->at = place->at >= by ? place->at - by : NOWHERE;
    place->searched = place->searched >= by ? place->searched - by : 0;
}

/* Number of the line that holds offset `upto`: those before the window's place, and the ends between. */
static uint64_t line_at(const struct csvlines *l, size_t upto)
{
    uint64_t line = l->done + 1;

    for (size_t i = l->at; i < upto; i++) {
        if (l->text[i] == '\n' || (l->text[i] == '\r' && (i + 1 == upto || l->text[i + 1] != '\n')))
            line++;
    }
    return line;
}

/* Makes room behind the window's text: what was read goes, then the window grows, up to the limit of a row. */
static int make_room(struct csvlines *l, struct err *e)
{
    if (l->at > 0) {
        memmove(l->text, l->text + l->at, l->end - l->at);
        place_shift(&l->lf, l->at);
        place_shift(&l->cr, l->at);
        place_shift(&l->quote, l->at);
        l->end -= l->at;
        l->at = 0;
    }
    if (l->cap - l->end >= DECODE_ROOM_MIN || l->cap >= l->max)
        return 0;
    char *more = realloc(l->text, l->cap * 2);
    if (more == NULL)
        return err_oom(e);
    l->text = more;
    l->cap *= 2;
    return 0;
}

/* Says what a name becomes, so that a wrong guess is seen. */
static void report_guess(const struct csvlines *l)
{
    const struct charset_guess *g = decoder_guess(l->decoder);

    log_warning("%s:%" PRIu64
                ": not UTF-8; read as %s from here on%s%.*s%s; if that is wrong, set encoding: (or --encoding)",
                l->in->label, line_at(l, l->end), g->name, g->shown.n > 0 ? ": " : "", (int)g->shown.n,
                g->shown.p != NULL ? g->shown.p : "", g->certain ? "" : ", which is uncertain");
}

int csvlines_fill(struct csvlines *l, struct err *e)
{
    size_t got = 0;

    if (l->ended)
        return 0;
    if (make_room(l, e) != 0)
        return -1;
    if (l->cap - l->end < DECODE_ROOM_MIN)
        return 0;
    for (;;) {
        switch (decoder_read(l->decoder, l->text + l->end, l->cap - l->end, &got, e)) {
        case DECODE_TEXT: l->end += got; return 1;
        case DECODE_END: l->ended = true; return 0;
        case DECODE_FOREIGN: report_guess(l); break;
        case DECODE_ERROR:
            /* Rows before the bad bytes were handed out already: the window holds only the line it stands in. */
            if (e->status == XS_SOURCE)
                err_context(e, "%s:%" PRIu64, l->in->label, line_at(l, l->end));
            return -1;
        }
    }
}

/* A CR that is the last byte may be half of a CRLF. */
bool csvlines_find(struct csvlines *l, struct line *line)
{
    size_t lf = place_find(l, &l->lf, l->at), cr = place_find(l, &l->cr, l->at), end = lf < cr ? lf : cr;

    if (end == NOWHERE) {
        if (!l->ended)
            return false;
        end = l->end;
        line->next = end;
    } else if (lf < cr) {
        line->next = end + 1;
    } else if (end + 1 < l->end) {
        line->next = end + 1 + (l->text[end + 1] == '\n');
    } else if (l->ended) {
        line->next = end + 1;
    } else {
        return false;
    }
    line->p = l->text + l->at;
    line->n = end - l->at;
    return true;
}

size_t csvlines_quote(struct csvlines *l, size_t from)
{
    return place_find(l, &l->quote, from);
}
