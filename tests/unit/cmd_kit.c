#include "config.h"

#include "tests/unit/cmd_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char said[1 << 20];
char told[1 << 16];

static void slurp(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

enum exit_status cmd_run(const char *const *words, size_t n)
{
    char *argv[25];
    ck_assert_uint_lt(n, sizeof argv / sizeof argv[0]);
    for (size_t i = 0; i < n; i++)
        ck_assert_ptr_nonnull(argv[i] = strdup(words[i]));
    argv[n] = NULL;
    FILE *out = tmpfile(), *err = tmpfile();
    ck_assert(out != NULL && err != NULL);
    fflush(stdout);
    int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    enum exit_status status = command_main((int)n, argv);
    fflush(stdout);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    slurp(out, said, sizeof said);
    slurp(err, told, sizeof told);
    for (size_t i = 0; i < n; i++)
        free(argv[i]);
    return status;
}
