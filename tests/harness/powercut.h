/* What a power cut does to files, for failio.c: it keeps what was written since the last sync, and at the end undoes all of
 * it and writes a random part again: each write whole, not at all, or some of its sectors. An unlink whose folder was not
 * synced may be undone, too. Not imitated: a file whose name was never synced and is gone (SQLite syncs the folder).
 *
 * Nothing is closed on the way: closing any descriptor of a file drops the process's locks on it. */
#ifndef TESTS_HARNESS_POWERCUT_H
#define TESTS_HARNESS_POWERCUT_H

enum { POWERCUT_MAX = 20000, POWERCUT_SECTOR = 512 };

struct powercut_event {
    bool live, is_unlink;
    dev_t dev;
    ino_t ino;          /* of the file; of an unlink: of its folder */
    char *path, *aside; /* an unlink keeps the file under another name */
    off_t at, old_size, new_size;
    size_t old_n, new_n;
    char *old_bytes, *new_bytes;
};
static struct powercut_event powercut_events[POWERCUT_MAX];
static size_t powercut_n;
static unsigned long powercut_random = 1;

static void powercut_seed(unsigned long seed)
{
    powercut_random = seed * 2654435761UL + 12345;
}

static unsigned powercut_draw(unsigned sides)
{
    powercut_random = powercut_random * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned)(powercut_random >> 33) % sides;
}

static int powercut_path(int fd, char path[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n < 0)
        return -1;
    path[n] = '\0';
    return 0;
}

/* The next event, about this file as it is now. Aborts when there are too many: then the test is wrong. */
static struct powercut_event *powercut_next(int fd)
{
    char path[PATH_MAX];
    struct stat st;
    if (powercut_n == POWERCUT_MAX || fstat(fd, &st) != 0 || powercut_path(fd, path) != 0)
        abort();
    struct powercut_event *v = &powercut_events[powercut_n++];
    *v = (struct powercut_event){.live = true,
                                 .dev = st.st_dev,
                                 .ino = st.st_ino,
                                 .path = strdup(path),
                                 .old_size = st.st_size,
                                 .new_size = st.st_size};
    return v;
}

static void powercut_keep(struct powercut_event *v, int fd, off_t at, size_t n)
{
    v->at = at;
    v->old_bytes = malloc(n + 1);
    ssize_t got = v->old_bytes != NULL ? pread(fd, v->old_bytes, n, at) : -1;
    v->old_n = got > 0 ? (size_t)got : 0;
}

static void powercut_write(int fd, const void *p, size_t n, off_t at)
{
    struct powercut_event *v = powercut_next(fd);
    powercut_keep(v, fd, at, n);
    v->new_bytes = malloc(n + 1);
    if (v->new_bytes == NULL)
        abort();
    memcpy(v->new_bytes, p, n);
    v->new_n = n;
    if (at + (off_t)n > v->new_size)
        v->new_size = at + (off_t)n;
}

static void powercut_cut(int fd, off_t n)
{
    struct powercut_event *v = powercut_next(fd);
    v->new_size = n;
    if (n < v->old_size)
        powercut_keep(v, fd, n, (size_t)(v->old_size - n));
}

static void powercut_unlink(const char *path)
{
    char aside[PATH_MAX + 32], folder[PATH_MAX];
    struct stat st;
    snprintf(aside, sizeof aside, "%s.unlinked%zu", path, powercut_n);
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL || powercut_n == POWERCUT_MAX || link(path, aside) != 0)
        return;
    *slash = '\0';
    if (stat(folder, &st) != 0)
        abort();
    powercut_events[powercut_n++] = (struct powercut_event){.live = true,
                                                            .is_unlink = true,
                                                            .dev = st.st_dev,
                                                            .ino = st.st_ino,
                                                            .path = strdup(path),
                                                            .aside = strdup(aside)};
}

static void powercut_synced(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return;
    for (size_t i = 0; i < powercut_n; i++) {
        struct powercut_event *v = &powercut_events[i];
        if (!v->live || v->dev != st.st_dev || v->ino != st.st_ino)
            continue;
        v->live = false;
        if (v->is_unlink)
            syscall(SYS_unlinkat, AT_FDCWD, v->aside, 0);
        free(v->old_bytes);
        free(v->new_bytes);
        v->old_bytes = v->new_bytes = NULL;
    }
}

/* A descriptor of the event's file, if the file still has its name. */
static int powercut_open(const struct powercut_event *v)
{
    struct stat st;
    int fd = open(v->path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_dev != v->dev || st.st_ino != v->ino))
        fd = -1;
    return fd;
}

static void powercut_undo(const struct powercut_event *v)
{
    int fd = powercut_open(v);
    if (fd < 0)
        return;
    if (syscall(SYS_ftruncate, fd, v->old_size) != 0 ||
        (v->old_n > 0 && syscall(SYS_pwrite64, fd, v->old_bytes, v->old_n, v->at) < 0))
        abort();
}

static void powercut_redo(const struct powercut_event *v)
{
    unsigned fate = powercut_draw(3); /* lost, whole, in part */
    int fd = fate == 0 ? -1 : powercut_open(v);
    if (fd < 0)
        return;
    if (v->new_bytes == NULL && syscall(SYS_ftruncate, fd, v->new_size) != 0)
        abort();
    for (size_t at = 0; at < v->new_n; at += POWERCUT_SECTOR) {
        size_t n = v->new_n - at < POWERCUT_SECTOR ? v->new_n - at : POWERCUT_SECTOR;
        if (fate == 1 || powercut_draw(2) == 0)
            if (syscall(SYS_pwrite64, fd, v->new_bytes + at, n, v->at + (off_t)at) < 0)
                abort();
    }
}

static void powercut(void)
{
    /* Names first: what is back is then open to what was written before it went. */
    for (size_t i = powercut_n; i-- > 0;) {
        const struct powercut_event *v = &powercut_events[i];
        if (!v->live || !v->is_unlink)
            continue;
        /* Back, unless there is a newer file of that name: then link() fails, and that one stays. */
        if (powercut_draw(2) == 1 && link(v->aside, v->path) != 0 && errno != EEXIST)
            abort();
        syscall(SYS_unlinkat, AT_FDCWD, v->aside, 0);
    }
    for (size_t i = powercut_n; i-- > 0;)
        if (powercut_events[i].live && !powercut_events[i].is_unlink)
            powercut_undo(&powercut_events[i]);
    for (size_t i = 0; i < powercut_n; i++)
        if (powercut_events[i].live && !powercut_events[i].is_unlink)
            powercut_redo(&powercut_events[i]);
}

#endif
