#include "config.h"

#include "connectors/process.h"

#include "sync/base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    FD_FLOOR = 10,          /* our ends of the pipes are above what the child rearranges */
    LOOK_UP_US = 5000,      /* between two looks whether it has ended */
    TERMINATE_US = 2000000, /* grace between SIGTERM and SIGKILL */
    EXEC_FAILED = 127,
};

static const char *const inherited_table[] = {"PATH", "HOME", "LANG"};

static bool is_inherited(const char *entry)
{
    for (size_t i = 0; i < sizeof inherited_table / sizeof inherited_table[0]; i++) {
        size_t n = strlen(inherited_table[i]);
        if (strncmp(entry, inherited_table[i], n) == 0 && entry[n] == '=')
            return true;
    }
    return strncmp(entry, "PG", 2) == 0; /* libpq's: PGHOST, PGSERVICE, PGPASSFILE, … */
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");

    return strncmp(a, b, n) == 0 && b[n] == '=';
}

/* The child's environment; the entries are borrowed, the list is the caller's. NULL when out of memory. */
static char **make_environment(const char *const *env)
{
    size_t n = 0, env_n = 0;

    while (env != NULL && env[env_n] != NULL)
        env_n++;
    for (char **entry = environ; *entry != NULL; entry++)
        n++;
    char **list = malloc((n + env_n + 1) * sizeof *list);
    if (list == NULL)
        return NULL;
    n = 0;
    for (char **entry = environ; *entry != NULL; entry++) {
        bool replaced = false;
        for (size_t i = 0; i < env_n; i++)
            replaced |= same_name(env[i], *entry);
        if (is_inherited(*entry) && !replaced)
            list[n++] = *entry;
    }
    /* execve() does not write to them, whatever its type says: copied as bytes, since a cast would hide more. */
    if (env_n > 0)
        memcpy(list + n, env, env_n * sizeof *list);
    list[n + env_n] = NULL;
    return list;
}

void process_close_from(int first)
{
    if (close_range((unsigned)first, ~0U, 0) == 0)
        return;
    for (int fd = first; fd < (int)sysconf(_SC_OPEN_MAX); fd++) /* a kernel before 5.9 */
        close(fd);
}

/* Between fork and exec only what is safe in a signal handler is called. */
static _Noreturn void become(const char *const *argv, char **env, int empty, int out, int report)
{
    struct sigaction as_usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    int why;

    setpgid(0, 0);
    sigemptyset(&as_usual.sa_mask);
    sigaction(SIGPIPE, &as_usual, NULL); /* we ignore these, and that is inherited */
    sigaction(SIGXFSZ, &as_usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(empty, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup3(report, 3, O_CLOEXEC) >= 0) {
        process_close_from(4);
        environ = env;
        char **args;
        memcpy(&args, &argv, sizeof args); /* as in make_environment() */
        execvp(args[0], args);
        report = 3;
    }
    why = errno;
    (void)!write(report, &why, sizeof why); /* no other way to report it */
    _exit(EXEC_FAILED);
}

/* A pipe whose ends are above what the child rearranges. 0/-1 with errno. */
static int open_pipe(int ends[2])
{
    int low[2];

    if (pipe2(low, O_CLOEXEC) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, FD_FLOOR);
    int why = errno;
    close(low[0]);
    close(low[1]);
    errno = why;
    return ends[0] >= 0 && ends[1] >= 0 ? 0 : -1;
}

static void close_ends(int ends[2])
{
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0)
            close(ends[i]);
        ends[i] = -1;
    }
}

/* Did exec work? The report's pipe closes by itself when it did. 0, or the child's errno. */
static int read_report(int report)
{
    int why = 0;
    ssize_t n;

    do
        n = read(report, &why, sizeof why);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof why ? why : 0;
}

int process_start(struct process *p, const char *const *argv, const char *const *env, const char *label, struct err *e)
{
    int out[2] = {-1, -1}, report[2] = {-1, -1}, empty = -1, why = 0;
    char **child_env = make_environment(env);

    *p = (struct process)PROCESS_NONE;
    if (child_env == NULL)
        return err_oom(e);
    if (open_pipe(out) != 0 || open_pipe(report) != 0 || (empty = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        why = errno;
    pid_t pid = why == 0 ? fork() : -1;
    if (pid == 0)
        become(argv, child_env, empty, out[1], report[1]);
    if (pid < 0 && why == 0)
        why = errno;
    free(child_env);
    if (empty >= 0)
        close(empty);
    if (pid > 0) {
        setpgid(pid, pid); /* the child does so too, because either can be first. It fails when exec was faster */
        close(out[1]);
        close(report[1]);
        out[1] = report[1] = -1;
        why = read_report(report[0]);
        p->pid = pid;
    }
    close_ends(report);
    if (why == 0) {
        p->out = out[0];
        return 0;
    }
    close_ends(out);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    p->pid = 0;
    return err_errno(e, XS_NO_SOURCE, why, "%s: cannot be started", label);
}

/* 1 when it has ended, with its status; 0 when it runs still. */
static int has_ended(struct process *p, int *status)
{
    pid_t pid = waitpid(p->pid, status, WNOHANG);

    if (pid == 0 || (pid < 0 && errno == EINTR))
        return 0;
    if (pid < 0)
        *status = 0; /* no longer ours: other code has waited for it */
    p->pid = 0;
    return 1;
}

int process_wait(struct process *p, struct clock *clock, const char *label, struct err *e)
{
    int status = 0;

    if (p->pid == 0)
        return 0;
    while (!has_ended(p, &status)) {
        int signo = stop_requested();
        if (signo != 0)
            return err_set(e, (enum exit_status)(128 + signo), "%s: interrupted while waiting for its end", label);
        if (p->deadline_us != 0 && clock->mono_us(clock) >= p->deadline_us)
            return err_set(e, XS_LEFT_OVER, "%s: the time budget ended while waiting for its end", label);
        clock->sleep_us(clock, LOOK_UP_US);
    }
    if (WIFSIGNALED(status))
        return err_set(e, XS_SOURCE, "%s: was killed by signal %d (%s); its output is not used", label, WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0)
        return err_set(e, XS_SOURCE, "%s: failed with exit status %d; its output is not used", label, WEXITSTATUS(status));
    return 0;
}

/* Waits for its end for TERMINATE_US. */
static void wait_a_while(struct process *p, struct clock *clock)
{
    int status;

    for (int64_t waited = 0; waited < TERMINATE_US && !has_ended(p, &status); waited += LOOK_UP_US)
        clock->sleep_us(clock, LOOK_UP_US);
}

void process_close(struct process *p, struct clock *clock)
{
    if (p->out >= 0)
        close(p->out);
    p->out = -1;
    if (p->pid == 0)
        return;
    pid_t group = p->pid;
    kill(-group, SIGTERM);
    wait_a_while(p, clock);
    if (p->pid == 0)
        return;
    kill(-group, SIGKILL);
    wait_a_while(p, clock);
    p->pid = 0;
}
