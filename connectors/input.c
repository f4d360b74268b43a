#include "config.h"

#include "connectors/input.h"

#include "sync/base/clock.h"
#include "sync/base/stop.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* A signal that comes between the look at the flag and poll() is noticed after so long. */
enum { LOOK_UP_MS = 250 };

int input_init(struct input *in, int fd, const char *label, struct err *e)
{
    struct stat st;

    *in = (struct input){.fd = fd, .label = label};
    if (fstat(fd, &st) != 0)
        return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be read", label);
    if (S_ISDIR(st.st_mode))
        return err_set(e, XS_NO_SOURCE, "%s: is a directory; name a file in it", label);
    in->may_block = !S_ISREG(st.st_mode);
    return 0;
}

static int wait_readable(const struct input *in, struct err *e)
{
    struct pollfd pfd = {.fd = in->fd, .events = POLLIN};
    struct clock *clock = clock_system();

    for (;;) {
        int signo = stop_requested();
        if (signo != 0)
            return err_set(e, (enum exit_status)(128 + signo), "%s: interrupted while waiting for more", in->label);
        if (in->deadline_us != 0 && clock->mono_us(clock) >= in->deadline_us)
            return err_set(e, XS_LEFT_OVER, "%s: the time budget ended while waiting for more", in->label);
        int ready = poll(&pfd, 1, LOOK_UP_MS);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be read", in->label);
    }
}

int input_read(struct input *in, void *p, size_t room, size_t *got, struct err *e)
{
    if (in->chunk_max != 0 && room > in->chunk_max)
        room = in->chunk_max;
    for (;;) {
        if (in->may_block && wait_readable(in, e) != 0)
            return -1;
        ssize_t n = read(in->fd, p, room);
        if (n >= 0) {
            *got = (size_t)n;
            in->bytes += (uint64_t)n;
            sha256_add(&in->digest, p, *got);
            in->ended = n == 0;
            return n > 0;
        }
        /* EAGAIN: the descriptor that we got does not block, and another reader was faster. */
        if (errno != EINTR && errno != EAGAIN)
            return err_errno(e, XS_NO_SOURCE, errno, "%s: cannot be read", in->label);
    }
}
