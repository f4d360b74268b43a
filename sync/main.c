/* The process: signals, the command, and the only exit. */
#include "config.h"

#include "sync/base/stop.h"
#include "sync/cli/command.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A closed stdin, stdout or stderr would give its number to the next file that is opened: the state would then be what
 * messages are written into. */
static int fill_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
        if (fd < 0)
            return -1;
    } while (fd <= STDERR_FILENO);
    return close(fd);
}

int main(int argc, char **argv)
{
    if (fill_standard_descriptors() != 0)
        exit(XS_INTERNAL);
    /* No setlocale(): numbers and times are written the same everywhere, and text is UTF-8 whatever LANG says. */
    stop_install();
    exit((int)command_main(argc, argv));
}
