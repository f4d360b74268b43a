#include "config.h"

#include "sync/cli/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* -F: a text of one screen is printed and less ends; -R: colours; -X: the text stays on the screen afterwards. */
#define PAGER_LESS "LESS=FRX"

/* A command with these characters needs a shell. Others are started directly, so that a missing program is noticed. */
#define PAGER_SHELL_CHARS "|&;<>()$`\\\"' \t\n*?[#~=%"

/* The environment, with flags for less if the user has none. The list is the caller's, its strings are borrowed. NULL: memory */
static char **pager_environment(void)
{
    static char less[] = PAGER_LESS;
    size_t n = 0;
    while (environ[n] != NULL)
        n++;
    char **list = calloc(n + 2, sizeof *list);
    if (list == NULL)
        return NULL;
    memcpy(list, environ, n * sizeof *list);
    if (getenv("LESS") == NULL)
        list[n] = less;
    return list;
}

/* 0, or the errno of a program that cannot be started. */
static int spawn_pager(struct pager *p, int input)
{
    char shell[] = "sh", flag[] = "-c", *command = strdup(p->command), **env = pager_environment();
    char *by_shell[] = {shell, flag, command, NULL}, *direct[] = {command, NULL};
    char **argv = strpbrk(p->command, PAGER_SHELL_CHARS) != NULL ? by_shell : direct;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE); /* ignored here, and that is inherited */
    sigaddset(&usual, SIGXFSZ);
    sigaddset(&usual, SIGINT);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int why = command == NULL || env == NULL ? ENOMEM : posix_spawnp(&p->pid, argv[0], &actions, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(command);
    free(env);
    return why;
}

/* Ctrl-C belongs to the pager now; the second one would otherwise end this process, and leave the terminal to both pager and shell. */
static void ignore_interrupt(struct pager *p)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    p->interrupt = malloc(sizeof *p->interrupt);
    if (p->interrupt != NULL)
        sigaction(SIGINT, &ignore, p->interrupt);
}

static void start(struct pager *p)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) {
        int why = spawn_pager(p, ends[0]);
        close(ends[0]);
        if (why == 0) {
            p->fd = ends[1];
            ignore_interrupt(p);
            return;
        }
        close(ends[1]);
    }
    p->pid = -1;
    p->fd = STDOUT_FILENO;
}

/* Write function of p->f. */
static ssize_t to_pager(void *cookie, const char *bytes, size_t n)
{
    struct pager *p = cookie;
    if (p->fd < 0)
        start(p);
    for (size_t done = 0; done < n && !p->gone;) {
        ssize_t written = write(p->fd, bytes + done, n - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno == EPIPE && p->pid > 0)
            p->gone = true;
        else if (errno != EINTR)
            return 0; /* an error of the stream, which its user reports */
    }
    return (ssize_t)n;
}

int pager_open(struct pager *p, const struct common *c)
{
    const char *command = getenv("PAGER"), *term = getenv("TERM");
    *p = (struct pager){.fd = -1, .pid = -1};
    p->command = command != NULL ? command : "less";
    if (c->terminal.columns == 0 || term == NULL || strcmp(term, "dumb") == 0 || *p->command == '\0' ||
        strcmp(p->command, "cat") == 0)
        return 0;
    p->f = fopencookie(p, "w", (cookie_io_functions_t){.write = to_pager});
    return p->f != NULL ? 0 : -1;
}

void pager_close(struct pager *p)
{
    if (p->f != NULL)
        fclose(p->f);
    p->f = NULL;
    if (p->pid <= 0)
        return;
    close(p->fd);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (p->interrupt != NULL)
        sigaction(SIGINT, p->interrupt, NULL);
    free(p->interrupt);
    *p = (struct pager){.fd = -1, .pid = -1};
}
