/* The file is small and rarely written, so a change reads and writes all of it. */
#include "config.h"

#include "sync/state/forget_list.h"

#include "sync/base/clock.h"
#include "sync/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { LIST_BYTES_MAX = 64 << 20, HOST_BYTES_MAX = 256, BY_BYTES_MAX = 512, FORMAT_VERSION = 2 };

static const char list_name[] = "forgotten.list";
static const char list_head[] = "leadsync forgotten people, format ";

/* ---- reading ---- */

static int forget_list_damaged(const struct forget_list *l, const char *what, struct err *e)
{
    return err_set(e, XS_STATE,
                   "%s: the list of forgotten people is damaged (%s); restore it from a backup, and leave no "
                   "sync running without it",
                   l->path, what);
}

/* The next line without its end, which becomes a NUL; false at the end of the text. */
static bool next_line(char **at, const char *end, char **line)
{
    char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (newline == NULL)
        return false;
    *newline = '\0';
    *line = *at;
    *at = newline + 1;
    return true;
}

/* The word at *p, cut off there; NULL when none is left. */
static char *next_word(char **p)
{
    char *word = strsep(p, " ");
    return word != NULL && word[0] != '\0' ? word : NULL;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const char *word, unsigned char *out, size_t n)
{
    if (word == NULL || strlen(word) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(word[2 * i]), low = hex_value(word[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* `end NUMBER SHA256` vouches for every byte before it: a file that was cut or changed has no such line. Returns where
 * that line starts; NULL with an error. */
static char *check_end(struct forget_list *l, size_t *n, struct err *e)
{
    char *text = l->text.p, digest[SHA256_HEX_N], *rest;
    char *last = l->text.n > 1 && text[l->text.n - 1] == '\n' ? memrchr(text, '\n', l->text.n - 1) : NULL;
    if (last == NULL || strncmp(last + 1, "end ", 4) != 0) {
        forget_list_damaged(l, "its end is missing", e);
        return NULL;
    }
    size_t before = (size_t)(last + 1 - text);
    if (sha256_hex(text, before, digest) != 0) {
        err_oom(e);
        return NULL;
    }
    text[l->text.n - 1] = '\0';
    *n = strtoull(last + 1 + 4, &rest, 10);
    if (rest[0] != ' ' || strcmp(rest + 1, digest) != 0 || *n > before) {
        forget_list_damaged(l, "its checksum does not fit", e);
        return NULL;
    }
    return last + 1;
}

/* A time, and who: `-` is not known. Without the two words nothing is. */
static bool read_act(char **line, struct forget_act *out)
{
    char *at = *line != NULL ? next_word(line) : NULL, *by = *line != NULL ? next_word(line) : NULL;
    if (at == NULL || by == NULL || time_parse(str_from(at), &out->at_ms) != 0 || out->at_ms == 0)
        return false;
    out->by = strcmp(by, "-") != 0 ? by : NULL;
    return true;
}

/* `person HASH TIME HOST WORKSPACE`, in format 2 followed by `BY`, and by `TIME BY` if it was undone. */
static bool read_person(char *line, struct forget_person *out)
{
    char *kind = next_word(&line), *hash = next_word(&line), *at = next_word(&line), *host = next_word(&line),
         *workspace = next_word(&line), *by = line != NULL ? next_word(&line) : NULL;
    if (kind == NULL || strcmp(kind, "person") != 0 || !read_hex(hash, out->hash.b, sizeof out->hash.b) || at == NULL ||
        time_parse(str_from(at), &out->forgotten.at_ms) != 0 || host == NULL || workspace == NULL)
        return false;
    out->forgotten.by = by != NULL && strcmp(by, "-") != 0 ? by : NULL;
    if (line != NULL && (!read_act(&line, &out->undone) || line != NULL))
        return false;
    out->host = host;
    out->workspace = strcmp(workspace, "*") != 0 ? workspace : NULL;
    return true;
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(((const struct forget_person *)a)->hash.b, ((const struct forget_person *)b)->hash.b,
                  sizeof(struct hash128));
}

static int parse(struct forget_list *l, struct err *e)
{
    char *at = l->text.p, *line;
    size_t n, head_n = sizeof list_head - 1;
    if (l->text.n < head_n || memcmp(l->text.p, list_head, head_n) != 0)
        return forget_list_damaged(l, "its first line is another one", e);
    long version = strtol(l->text.p + head_n, NULL, 10); /* buf_cstr() put a NUL at the end */
    if (version > FORMAT_VERSION)
        return err_set(e, XS_STATE, "%s: was written by a newer leadsync; use that one", l->path);
    const char *end = check_end(l, &n, e);
    if (end == NULL)
        return -1;
    l->people = calloc(n + 1, sizeof *l->people);
    if (l->people == NULL)
        return err_oom(e);
    if (!next_line(&at, end, &line) || !next_line(&at, end, &line) || strncmp(line, "secret ", 7) != 0 ||
        !read_hex(line + 7, l->secret, sizeof l->secret))
        return forget_list_damaged(l, "its secret is missing", e);
    while (next_line(&at, end, &line))
        if (l->n == n || !read_person(line, &l->people[l->n++]))
            return forget_list_damaged(l, "a line cannot be read", e);
    if (l->n != n)
        return forget_list_damaged(l, "lines are missing", e);
    qsort(l->people, l->n, sizeof *l->people, by_hash);
    return 0;
}

static int read_file(struct forget_list *l, struct err *e)
{
    bool ours;
    if (stat(l->path, &l->file) != 0) {
        memset(&l->file, 0, sizeof l->file);
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(e, XS_STATE, errno, "%s", l->path);
    }
    if (file_read_ours(l->path, &l->text, &ours, XS_STATE, XS_STATE, e) != 0)
        return -1;
    /* Who may change the list decides who is mailed. */
    if (!ours)
        return err_set(e, XS_STATE,
                       "%s: others may change this list of forgotten people; look through it, then make it "
                       "yours alone (chmod 600)",
                       l->path);
    return buf_cstr(&l->text) == NULL ? err_oom(e) : parse(l, e);
}

int forget_list_load(const char *folder, struct forget_list *out, struct err *e)
{
    *out = (struct forget_list){.path = path_join(folder, list_name)};
    buf_init(&out->text, LIST_BYTES_MAX);
    int rc = out->path == NULL ? err_oom(e) : read_file(out, e);
    if (rc != 0)
        forget_list_free(out);
    return rc;
}

void forget_list_free(struct forget_list *l)
{
    explicit_bzero(l->secret, sizeof l->secret);
    buf_free(&l->text);
    free(l->people);
    free(l->path);
    *l = (struct forget_list){0};
}

bool forget_list_changed(const struct forget_list *l)
{
    struct stat now;
    if (stat(l->path, &now) != 0)
        memset(&now, 0, sizeof now);
    return now.st_ino != l->file.st_ino || now.st_dev != l->file.st_dev || now.st_size != l->file.st_size ||
           now.st_mtim.tv_sec != l->file.st_mtim.tv_sec || now.st_mtim.tv_nsec != l->file.st_mtim.tv_nsec;
}

/* ---- asking ---- */

bool forget_list_concerns(const struct forget_person *person, const struct forget_scope *scope)
{
    return (scope->host == NULL || strcmp(scope->host, person->host) == 0) &&
           (scope->workspace == NULL || person->workspace == NULL || strcmp(scope->workspace, person->workspace) == 0);
}

/* Is a line of `scope` needless beside this one? */
static bool covers(const struct forget_person *person, const struct forget_scope *scope)
{
    return strcmp(scope->host, person->host) == 0 &&
           (person->workspace == NULL || (scope->workspace != NULL && strcmp(scope->workspace, person->workspace) == 0));
}

/* The lines of one person, [*first, end). */
static size_t lines_of(const struct forget_list *l, struct str address, size_t *first)
{
    size_t low = 0, high = l->n, end;
    const struct hash128 hash = hash_keyed128(l->secret, address.p, address.n);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (memcmp(l->people[mid].hash.b, hash.b, sizeof hash.b) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (end = low; end < l->n && hash128_eq(&l->people[end].hash, &hash); end++)
        ;
    *first = low;
    return end;
}

typedef bool fits_fn(const struct forget_person *person, const struct forget_scope *scope);

static const struct forget_person *find(const struct forget_list *l, const struct forget_scope *scope, struct str address,
                                        fits_fn *fits)
{
    size_t i, end = l->n > 0 ? lines_of(l, address, &i) : 0;
    for (; end > 0 && i < end; i++)
        if (l->people[i].undone.at_ms == 0 && fits(&l->people[i], scope))
            return &l->people[i];
    return NULL;
}

const struct forget_person *forget_list_find(const struct forget_list *l, const struct forget_scope *scope,
                                             struct str address)
{
    return find(l, scope, address, forget_list_concerns);
}

/* ---- writing ---- */

static int add_hex(struct buf *out, const unsigned char *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= buf_addc(out, digits[p[i] >> 4]) | buf_addc(out, digits[p[i] & 15]);
    return bad;
}

/* Lines are cut at their blanks. */
static int add_by(struct buf *out, const char *by)
{
    int bad = buf_adds(out, by == NULL || *by == '\0' ? " -" : " ");
    for (size_t i = 0; by != NULL && by[i] != '\0' && i < BY_BYTES_MAX; i++)
        bad |= buf_addc(out, (unsigned char)by[i] <= ' ' ? '_' : by[i]);
    return bad;
}

static int add_line(struct buf *out, const struct forget_person *p)
{
    char at[TIME_TEXT_N];
    int bad = buf_adds(out, "person ") | add_hex(out, p->hash.b, sizeof p->hash.b) |
              buf_addf(out, " %s %s %s", time_format(p->forgotten.at_ms, at), p->host,
                       p->workspace != NULL ? p->workspace : "*") |
              add_by(out, p->forgotten.by);
    if (p->undone.at_ms != 0)
        bad |= buf_addf(out, " %s", time_format(p->undone.at_ms, at)) | add_by(out, p->undone.by);
    return bad | buf_addc(out, '\n');
}

static int compose(const struct forget_list *l, const struct forget_person *more, struct buf *out, struct err *e)
{
    char digest[SHA256_HEX_N];
    size_t n = more != NULL;
    int bad = buf_addf(out, "%s%d\nsecret ", list_head, FORMAT_VERSION) | add_hex(out, l->secret, sizeof l->secret) |
              buf_addc(out, '\n');
    for (size_t i = 0; i < l->n; i++, n++)
        bad |= add_line(out, &l->people[i]);
    if (more != NULL)
        bad |= add_line(out, more);
    if (bad == 0 && sha256_hex(out->p, out->n, digest) == 0 && buf_addf(out, "end %zu %s\n", n, digest) == 0)
        return 0;
    return errno == EOVERFLOW ? err_set(e, XS_STATE, "%s: would be larger than %d bytes", l->path, LIST_BYTES_MAX)
                              : err_oom(e);
}

/* The list as it is, and `more`, in place of the file. */
static int save(const struct forget_list *l, const struct forget_person *more, struct err *e)
{
    struct buf text = BUF_INIT(LIST_BYTES_MAX);
    struct output out;
    int rc = compose(l, more, &text, e);
    if (rc == 0 && (rc = output_open(&out, l->path, 0600, e)) == 0) {
        fwrite(text.p, 1, text.n, out.f); /* output_commit() knows whether it failed */
        rc = output_commit(&out, e);
    }
    explicit_bzero(text.p, text.n);
    buf_free(&text);
    return rc;
}

/* Waits for its turn: a change takes milliseconds. The descriptor is the lock; -1 with an error. */
static int lock(const char *folder, struct err *e)
{
    char *path = path_join(folder, "forgotten.list.lock");
    if (path == NULL)
        return err_oom(e);
    int rc, fd = folder_make(folder, e) == 0 ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd < 0) {
        err_errno(e, XS_STATE, errno, "%s", path);
    } else {
        while ((rc = flock(fd, LOCK_EX)) != 0 && errno == EINTR)
            ;
        if (rc != 0) {
            err_errno(e, XS_STATE, errno, "%s: locking", path);
            close(fd);
            fd = -1;
        }
    }
    free(path);
    return fd;
}

/* A line is cut at its blanks. */
static bool is_word(const char *text)
{
    return text[0] != '\0' && text[strcspn(text, " \t\r\n")] == '\0';
}

static int add(struct forget_list *l, const struct forget_scope *scope, struct str address, const struct forget_act *act,
               bool *added, struct err *e)
{
    /* A new list gets its secret now. */
    if (l->text.n == 0 && random_bytes(l->secret, sizeof l->secret) != 0)
        return err_errno(e, XS_INTERNAL, errno, "random bytes");
    if (!is_word(scope->host) || (scope->workspace != NULL && !is_word(scope->workspace)))
        return err_set(e, XS_STATE, "%s: \"%s\" and \"%s\" cannot be the names of an API host and a workspace", l->path,
                       scope->host, scope->workspace != NULL ? scope->workspace : "");
    const struct forget_person more = {.hash = hash_keyed128(l->secret, address.p, address.n),
                                       .forgotten = *act,
                                       .host = scope->host,
                                       .workspace = scope->workspace};
    *added = find(l, scope, address, covers) == NULL;
    return *added ? save(l, &more, e) : 0;
}

int forget_list_add(const char *folder, const struct forget_scope *scope, struct str address, const struct forget_act *act,
                    bool *added, struct err *e)
{
    struct forget_list l;
    int fd = lock(folder, e);
    if (fd < 0)
        return -1;
    int rc = forget_list_load(folder, &l, e);
    if (rc == 0) {
        rc = add(&l, scope, address, act, added, e);
        forget_list_free(&l);
    }
    close(fd);
    return rc;
}

static int take_out(struct forget_list *l, const struct forget_scope *scope, struct str address,
                    const struct forget_act *act, size_t *removed, struct err *e)
{
    size_t i, end = l->n > 0 ? lines_of(l, address, &i) : 0;
    for (; end > 0 && i < end; i++) {
        if (l->people[i].undone.at_ms != 0 || !forget_list_concerns(&l->people[i], scope))
            continue;
        l->people[i].undone = *act;
        ++*removed;
    }
    return *removed > 0 ? save(l, NULL, e) : 0;
}

int forget_list_remove(const char *folder, const struct forget_scope *scope, struct str address,
                       const struct forget_act *act, size_t *removed, struct err *e)
{
    struct forget_list l;
    *removed = 0;
    if (access(folder, F_OK) != 0 && errno == ENOENT)
        return 0;
    int fd = lock(folder, e);
    if (fd < 0)
        return -1;
    int rc = forget_list_load(folder, &l, e);
    if (rc == 0) {
        rc = take_out(&l, scope, address, act, removed, e);
        forget_list_free(&l);
    }
    close(fd);
    return rc;
}
