/* The state named last is kept in a file per session in XDG_RUNTIME_DIR, which is removed when the user logs out. If that file
 * cannot be used, the note is printed. */
#include "config.h"

#include "sync/cli/args/state_note.h"

#include "sync/base/file.h"
#include "sync/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* Opens the file of this session; the caller closes it. -1: there is none. */
static int open_memo(const struct common *c)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    char name[64];
    if (!c->terminal.err || folder == NULL || folder[0] != '/')
        return -1;
    snprintf(name, sizeof name, "leadsync-state-%ld", (long)getsid(0));
    char *path = path_join(folder, name);
    int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    free(path);
    return fd;
}

/* True if this path was named last; otherwise it is stored as the last one. */
static bool noted_before(int fd, const char *path)
{
    char last[PATH_BYTES];
    size_t n = strlen(path);
    ssize_t got = pread(fd, last, sizeof last, 0);
    if (got == (ssize_t)n && memcmp(last, path, n) == 0)
        return true;
    if (ftruncate(fd, 0) != 0 || pwrite(fd, path, n, 0) != (ssize_t)n)
        log_debug("the note on the state is given again next time: %s", strerror(errno));
    return false;
}

void state_note(const struct common *c, const char *path)
{
    int fd = open_memo(c);
    bool noted = fd >= 0 && noted_before(fd, path);
    if (fd >= 0)
        close(fd);
    if (!noted)
        log_notice("state %s (of the latest run; give SYNC or --state for another)", path);
}
