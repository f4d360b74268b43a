/* The main file knows whether it has a journal, so that a state that was moved, restored or copied without it is refused
 * and not taken for one with nothing open. The note comes after the journal is made and goes before it is removed: it may
 * be missing while there is a journal without events, and is never there without a journal. */
#include "config.h"

#include "sync/state/schema.h"
#include "sync/state/state_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/base/file.h"

int journal_note(struct state *s, struct err *e)
{
    if (s->id.journal_noted)
        return 0;
    if (db_begin(&s->main, e) == 0 &&
        db_run(&s->main, e, "INSERT OR REPLACE INTO settings(name, value) VALUES('" JOURNAL_NOTE "', '1')", "") == 0 &&
        db_commit(&s->main, e) == 0 && db_checkpoint(&s->main, e) == 0) {
        s->id.journal_noted = true;
        return 0;
    }
    /* A commit that failed may still be in the file, and be found later: the journal must stay. */
    s->journal.failed = true;
    return -1;
}

static int drop(struct state *s, struct err *e)
{
    return db_run(&s->main, e, "DELETE FROM settings WHERE name = '" JOURNAL_NOTE "'", "");
}

int journal_unnote(struct state *s, struct err *e)
{
    if (!s->id.journal_noted)
        return 0;
    if (db_begin(&s->main, e) < 0 || drop(s, e) < 0 || db_commit(&s->main, e) < 0)
        return -1;
    s->id.journal_noted = false;
    return 0;
}

/* ---- a journal that is missing ---- */

/* Is the file at `path` the journal of this state? One that cannot be read is not. */
static bool is_ours(const struct state *s, const char *path)
{
    struct err ignored = ERR_INIT;
    struct db db;
    sqlite3_stmt *st;
    unsigned char owner[STATE_ID_N];
    bool ours = false;
    if (db_open(&db, path, false, &ignored) == 0) {
        if (db_query(&db, &st, &ignored, "SELECT state_id FROM owner WHERE one = 1", "") == 1)
            ours = db_blob16(st, 0, owner) && memcmp(owner, s->id.state_id, sizeof owner) == 0;
        db_close(&db);
    }
    err_clear(&ignored);
    return ours;
}

/* The state's journal under another name in its folder, as a move of the main file alone leaves it. Caller frees; NULL:
 * there is none. */
static char *find_journal(const struct state *s)
{
    static const char suffix[] = ".journal";
    const char *base = strrchr(s->path, '/') + 1;
    char *folder = strndup(s->path, (size_t)(base - s->path)), *found = NULL;
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    struct dirent *entry;
    while (dir != NULL && found == NULL && (entry = readdir(dir)) != NULL) {
        size_t n = strlen(entry->d_name);
        if (n < sizeof suffix || strcmp(entry->d_name + n - (sizeof suffix - 1), suffix) != 0)
            continue;
        char *path = path_join(folder, entry->d_name);
        if (path != NULL && is_ours(s, path))
            found = path;
        else
            free(path);
    }
    if (dir != NULL)
        closedir(dir);
    free(folder);
    return found;
}

int journal_check(struct state *s, struct err *e)
{
    if (s->journal.open || !s->id.journal_noted)
        return 0;
    /* A run makes its journal while this reader opens the file: it begins after what is read here. */
    if (s->access == STATE_READ && lock_is_held(s) && access(s->journal_path, F_OK) == 0)
        return 0;
    if (s->journal.may_be_lost) {
        s->journal.lost = true;
        return 0;
    }
    char *found = find_journal(s);
    if (found != NULL)
        err_set(e, XS_STATE,
                "%s: was moved without its journal, which is still %s: rename that file and its -wal to %s and "
                "%s-wal",
                s->path, found, s->journal_path, s->journal_path);
    else
        err_set(e, XS_STATE,
                "%s: its journal is missing, and with it the requests whose outcome is not settled; put %s and "
                "%s-wal back beside it; if they are lost, leadsync resume --journal-lost continues without them",
                s->path, s->journal_path, s->journal_path);
    free(found);
    return -1;
}

bool state_journal_is_lost(const struct state *s)
{
    return s->journal.lost;
}

int state_journal_give_up(struct state *s, struct err *e)
{
    if (state_write_begin(s, e) < 0 || drop(s, e) < 0)
        return -1;
    s->journal.lost = s->id.journal_noted = false;
    return 0;
}
