/* The file holds one number that matters, the next free slot. Taking one is a lock, a read, a write: about as much as
 * looking at the time, against the tenths of a second that a request takes. A process that dies holding a slot loses
 * one request's worth of budget and no lock. */
#include "config.h"

#include "sync/api/http/rate_share.h"

#include "sync/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BOOT_ID_N = 36,
    /* Slots lie this much further apart than the limit says, since a process may use its slot a little late. */
    SPACING_PERCENT = 102,
    PAUSE_MAX_US = 700000000, /* a slot further away than the longest pause was not made by this program */
};

/* The file's only record; written and read whole under a lock. */
struct share_record {
    char magic[8];
    char boot[40];
    int64_t free_us; /* the next free slot */
    int64_t pause_until_us;
};
static const char share_magic[8] = "lsrate1";

struct rate_share {
    int fd;
    char boot[40];
    int64_t spacing_us, slot_us; /* slot_us: held, when `holds` */
    int64_t pause_until_us;      /* when the slot was taken */
    bool holds, broken;
};

static void read_boot_id(char out[40])
{
    memset(out, 0, 40);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* without it a reboot looks like slots far away, which are bounded */
    ssize_t n = read(fd, out, BOOT_ID_N);
    if (n != BOOT_ID_N)
        memset(out, 0, 40);
    close(fd);
}

int rate_share_open(const char *path, unsigned per_second, unsigned per_minute, struct rate_share **out, struct err *e)
{
    struct rate_share *s = calloc(1, sizeof *s);
    struct stat st;
    if (s == NULL)
        return err_oom(e);
    /* O_NOFOLLOW: the folder may be a shared one. O_NONBLOCK: a pipe in its place must not hang the run. */
    s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (s->fd < 0) {
        err_errno(e, XS_STATE, errno, "%s", path);
        goto fail;
    }
    if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
        err_set(e, XS_STATE, "%s: not a file of this user; remove it", path);
        goto fail;
    }
    read_boot_id(s->boot);
    int64_t second_us = per_second != 0 ? 1000000 / per_second : 0;
    int64_t minute_us = per_minute != 0 ? 60000000 / per_minute : 0;
    s->spacing_us = (second_us > minute_us ? second_us : minute_us) * SPACING_PERCENT / 100;
    *out = s;
    return 0;

fail:
    if (s->fd >= 0)
        close(s->fd);
    free(s);
    return -1;
}

void rate_share_free(struct rate_share *s)
{
    if (s == NULL)
        return;
    close(s->fd);
    free(s);
}

/* Open-file-description locks, so that two clients in one process exclude each other too. */
static int lock(struct rate_share *s, short kind)
{
    struct flock range = {.l_type = kind, .l_whence = SEEK_SET};
    int r;
    do
        r = fcntl(s->fd, F_OFD_SETLKW, &range);
    while (r != 0 && errno == EINTR);
    return r;
}

/* Reads the record; one of another boot, of another program or of nonsense counts as empty. */
static int load(struct rate_share *s, int64_t now_us, struct share_record *record)
{
    ssize_t n = pread(s->fd, record, sizeof *record, 0);
    if (n < 0)
        return -1;
    bool ours = n == (ssize_t)sizeof *record && memcmp(record->magic, share_magic, sizeof share_magic) == 0 &&
                memcmp(record->boot, s->boot, sizeof s->boot) == 0 && record->free_us <= now_us + PAUSE_MAX_US &&
                record->pause_until_us <= now_us + PAUSE_MAX_US;
    if (!ours) {
        memset(record, 0, sizeof *record);
        memcpy(record->magic, share_magic, sizeof share_magic);
        memcpy(record->boot, s->boot, sizeof s->boot);
        record->free_us = record->pause_until_us = now_us;
    }
    return 0;
}

static void rate_share_give_up(struct rate_share *s)
{
    if (!s->broken)
        log_warning("the request budget is no longer shared with other processes: %s", strerror(errno));
    s->broken = true;
}

int64_t rate_share_wait_us(struct rate_share *s, int64_t now_us)
{
    struct share_record record;
    if (s->broken || s->spacing_us == 0)
        return 0;
    if (!s->holds) {
        if (lock(s, F_WRLCK) != 0) {
            rate_share_give_up(s);
            return 0;
        }
        bool done = load(s, now_us, &record) == 0;
        if (done) {
            s->slot_us = record.free_us > record.pause_until_us ? record.free_us : record.pause_until_us;
            /* A loop that was busy elsewhere may catch up by one slot; idle time is not saved up beyond that. */
            if (s->slot_us < now_us - s->spacing_us)
                s->slot_us = now_us - s->spacing_us;
            s->pause_until_us = record.pause_until_us;
            record.free_us = s->slot_us + s->spacing_us;
            done = pwrite(s->fd, &record, sizeof record, 0) == (ssize_t)sizeof record;
        }
        if (!done)
            rate_share_give_up(s);
        s->holds = done;
        lock(s, F_UNLCK);
        if (!done)
            return 0;
    }
    return s->slot_us > now_us ? s->slot_us - now_us : 0;
}

void rate_share_use(struct rate_share *s)
{
    s->holds = false;
}

void rate_share_pause(struct rate_share *s, int64_t now_us, int64_t until_us)
{
    struct share_record record;
    if (s->broken || lock(s, F_WRLCK) != 0)
        return;
    if (load(s, now_us, &record) == 0 && record.pause_until_us < until_us) {
        record.pause_until_us = until_us;
        if (pwrite(s->fd, &record, sizeof record, 0) != (ssize_t)sizeof record)
            rate_share_give_up(s);
    }
    lock(s, F_UNLCK);
}

int64_t rate_share_paused_us(const struct rate_share *s, int64_t now_us)
{
    return s->holds && s->pause_until_us > now_us ? s->pause_until_us - now_us : 0;
}
