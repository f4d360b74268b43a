/* All of the file is looked at: the first umlaut may stand in the last row, and one that is read wrongly is written into
 * a lead without anybody noticing. */
#include "config.h"

#include "connectors/csv/utf8_first.h"

#include "sync/base/file.h"
#include "sync/base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_BYTES = 64 * 1024, CUT_MAX = 3 /* bytes of a character whose last is still to come */ };

static bool is_beyond_ascii(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)p[i] >= 0x80)
            return true;
    }
    return false;
}

int utf8_first_look(int fd, const char *label, struct err *e)
{
    char text[CUT_MAX + LOOK_BYTES];
    size_t kept = 0; /* the start of a character that the last chunk ended in */
    bool beyond = false;
    off_t at = lseek(fd, 0, SEEK_CUR);

    if (at < 0)
        return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be read", label);
    for (;;) {
        ssize_t got = pread(fd, text + kept, LOOK_BYTES, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be read", label);
        if (got == 0)
            return beyond && kept == 0;
        at += got;
        size_t n = kept + (size_t)got, valid = text_utf8_prefix((struct str){text, n});
        /* A NUL is valid, but of no text: that is UTF-16. */
        if (n - valid > CUT_MAX || memchr(text, '\0', n) != NULL)
            return 0;
        beyond = beyond || is_beyond_ascii(text, valid);
        kept = n - valid;
        memmove(text, text + valid, kept);
    }
}

static int write_all(int fd, const char *p, size_t n, struct err *e)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_errno(e, XS_IO, errno, "cannot write a temporary file; make room in $TMPDIR");
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

int utf8_first_spool(struct input *in, struct err *e)
{
    char text[LOOK_BYTES];
    size_t got = 0;
    int more, fd = file_unlinked_tmp(e);

    if (fd < 0)
        return -1;
    while ((more = input_read(in, text, sizeof text, &got, e)) > 0) {
        if (write_all(fd, text, got, e) != 0)
            goto fail;
    }
    if (more < 0)
        goto fail;
    if (lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    err_errno(e, XS_IO, errno, "cannot read a temporary file again");
fail:
    close(fd);
    return -1;
}
