/* No openlog(): its defaults, the program's name and LOG_USER, are what is wanted. */
#include "config.h"

#include "sync/base/log_syslog.h"

#include <syslog.h>

void log_syslog(int severity, const char *text)
{
    syslog(LOG_USER | severity, "%s", text);
}
