/* syslog(3) behind a door of its own: <syslog.h> defines LOG_WARNING and others as macros, which log.h has as levels.
 * For log.c alone. */
#ifndef SYNC_BASE_LOG_SYSLOG_H
#define SYNC_BASE_LOG_SYSLOG_H

/* Sends one line; `severity` is syslog's number, 3 (error) to 7 (debug). */
void log_syslog(int severity, const char *text);

#endif
