/* Loads the API key from places that other users cannot read. Every user can see a command line in `ps`, so it is not one of them.
 * A file must be readable by its owner only. Processes of the same user can read the environment, so the key is wiped from it, and
 * the process is made undumpable. */
#include "config.h"

#include "sync/cli/key.h"

#include "sync/base/buf.h"
#include "sync/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_VARIABLE "INSTANTLY_API_KEY"
#define CREDENTIAL_NAME "instantly_api_key"

void key_wipe(struct api_key *key)
{
    if (key->text != NULL)
        explicit_bzero(key->text, KEY_MAX_BYTES);
    free(key->text);
    key->text = NULL;
    key->n = 0;
}

void key_forget_environment(void)
{
    char *value = getenv(KEY_VARIABLE);
    if (value == NULL)
        return;
    /* unsetenv() only unlinks the string; its bytes would stay readable in /proc/PID/environ. */
    explicit_bzero(value, strlen(value));
    unsetenv(KEY_VARIABLE);
}

/* Removes one line end and checks the rest. The key itself is never part of a message. */
static int key_finish(struct api_key *key, enum exit_status bad, const char *what, struct err *e)
{
    if (key->n > 0 && key->text[key->n - 1] == '\n')
        key->n--;
    if (key->n > 0 && key->text[key->n - 1] == '\r')
        key->n--;
    key->text[key->n] = '\0';
    if (key->n == 0)
        return err_set(e, XS_KEY, "%s is empty; put the Instantly API key (v2) there", what);
    for (size_t i = 0; i < key->n; i++) {
        unsigned char byte = (unsigned char)key->text[i];
        if (byte <= ' ' || byte >= 0x7f)
            return err_set(e, bad,
                           "%s: byte %zu cannot be part of a key (a blank, control or non-ASCII character); "
                           "put the key alone there, on one line",
                           what, i + 1);
    }
    return 0;
}

/* Reads to the end. The buffer never moves, so that no copy of the key stays in memory. */
static int key_read(int fd, struct api_key *key, const char *what, struct err *e)
{
    while (key->n < KEY_MAX_BYTES - 1) {
        ssize_t n = read(fd, key->text + key->n, KEY_MAX_BYTES - 1 - key->n);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, XS_KEY, errno, "%s", what);
        key->n += (size_t)n;
    }
    return err_set(e, XS_KEY, "%s holds more than %d bytes, more than an API key has", what, KEY_MAX_BYTES - 2);
}

/* If the user gives the key itself instead of a file, it must not appear in the log. */
static int key_no_file(const char *path, int errnum, struct err *e)
{
    enum { SHORTEST_KEY = 24 };
    if (errnum == ENOENT && strlen(path) >= SHORTEST_KEY && strpbrk(path, "/.") == NULL)
        return err_set(e, XS_KEY,
                       "the file named by --api-key-file does not exist; give a file that holds the key, "
                       "not the key");
    return err_set(e, XS_KEY, "API key file %s: %s", path, strerror(errnum));
}

/* `shared` are the permission bits that make the file too open. */
static int key_from_file(const char *path, mode_t shared, struct api_key *key, struct err *e)
{
    struct stat st;
    int rc = -1;
    /* O_NONBLOCK: opening a pipe without a writer must not hang a nightly job. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return key_no_file(path, errno, e);
    if (fstat(fd, &st) != 0) {
        err_set(e, XS_KEY, "API key file %s: %s", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(st.st_mode)) {
        err_set(e, XS_KEY, "API key file %s is not a regular file; for a pipe use --api-key-file - and stdin", path);
        goto done;
    }
    /* The owner of the file chooses the key, and so the workspace that gets the leads. */
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        err_set(e, XS_KEY, "API key file %s belongs to another user (uid %lu); copy the key to a file of your own", path,
                (unsigned long)st.st_uid);
        goto done;
    }
    if ((st.st_mode & shared) != 0) {
        err_set(e, XS_KEY, "API key file %s can be read or written by others (mode %04o); run: chmod 600 %s", path,
                (unsigned)(st.st_mode & 07777), path);
        goto done;
    }
    if (key_read(fd, key, path, e) != 0)
        goto done;
    rc = key_finish(key, XS_KEY, path, e);
done:
    close(fd);
    return rc;
}

/* systemd's LoadCredential=: 1 found, 0 there is none, -1. */
static int key_from_credential(struct api_key *key, struct err *e)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (folder == NULL || *folder == '\0')
        return 0;
    char *path = path_join(folder, CREDENTIAL_NAME);
    if (path == NULL)
        return err_oom(e);
    int rc = 0;
    /* The folder belongs to the service, and an ACL for its user appears as group bits, so only "others" are refused. */
    if (access(path, F_OK) == 0 || errno != ENOENT)
        rc = key_from_file(path, S_IRWXO, key, e) == 0 ? 1 : -1;
    free(path);
    return rc;
}

/* 1 found, 0 there is none, -1. */
static int key_from_environment(struct api_key *key, struct err *e)
{
    const char *value = getenv(KEY_VARIABLE);
    if (value == NULL || *value == '\0')
        return 0;
    size_t n = strlen(value);
    if (n >= KEY_MAX_BYTES - 1)
        return err_set(e, XS_CONFIG, KEY_VARIABLE " holds more than %d bytes, more than an API key has", KEY_MAX_BYTES - 2);
    memcpy(key->text, value, n);
    key->n = n;
    return key_finish(key, XS_CONFIG, KEY_VARIABLE, e) == 0 ? 1 : -1;
}

static int key_find(const char *file, struct api_key *key, struct err *e)
{
    if (file != NULL && strcmp(file, "-") == 0)
        return key_read(STDIN_FILENO, key, "API key from stdin", e) == 0 &&
                       key_finish(key, XS_KEY, "API key from stdin", e) == 0
                   ? 1
                   : -1;
    if (file != NULL)
        return key_from_file(file, S_IRWXG | S_IRWXO, key, e) == 0 ? 1 : -1;
    int found = key_from_credential(key, e);
    return found != 0 ? found : key_from_environment(key, e);
}

int key_load(const char *file, bool required, struct api_key *out, struct err *e)
{
    out->n = 0;
    out->text = calloc(1, KEY_MAX_BYTES);
    if (out->text == NULL)
        return err_oom(e);
    /* No core dump and no ptrace by other processes of the user from here on. It can only fail for a bad argument. */
    (void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
    int found = key_find(file, out, e);
    key_forget_environment();
    if (found > 0)
        return 0;
    key_wipe(out);
    if (found == 0 && required)
        return err_set(e, XS_KEY,
                       "no API key: set " KEY_VARIABLE " or give --api-key-file FILE "
                       "(Instantly: Settings, Integrations, API keys; a v2 key)");
    return found;
}
