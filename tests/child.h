/* child.h: what a function says and how it ends, in a process of its own. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    int status;         /* its exit status, -1: it did not exit */
    long memory;        /* kilobytes at most */
    char said[1 << 15]; /* on both streams, with an end mark */
} Child;

/* Runs a function, which may end the process. */
static inline Child in_child(void (*run)(const void *argument), const void *argument) {
    Child child = {.status = 9};
    struct rusage usage;
    FILE *said = tmpfile();
    fflush(stdout);
    pid_t process = said ? fork() : -1;
    if (process == 0) {
        dup2(fileno(said), STDOUT_FILENO);
        dup2(fileno(said), STDERR_FILENO);
        run(argument);
        fflush(stdout);
        _exit(0);
    }
    if (process < 0 || wait4(process, &child.status, 0, &usage) != process) return child;
    child.status = WIFEXITED(child.status) ? WEXITSTATUS(child.status) : -1;
    child.memory = usage.ru_maxrss;
    rewind(said);
    child.said[fread(child.said, 1, sizeof child.said - 1, said)] = '\0';
    fclose(said);
    return child;
}

/* A function for in_child: becomes a command of the shell, whose standard output is not looked
   at. */
static inline void run_command(const void *command) {
    if (freopen("/dev/null", "w", stdout)) execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Did it end with this status and one line that has these words (NULL: and without a word)? */
static inline bool ended(const Child *child, int status, const char *words) {
    const char *end = strchr(child->said, '\n');
    bool good = child->status == status;
    if (words)
        good &= end && end > child->said && !end[1] && strstr(child->said, words);
    else
        good &= !child->said[0];
    if (!good) printf("note it ended with status %d and said: %s\n", child->status, child->said);
    return good;
}

static inline bool ends(void (*run)(const void *argument), const void *argument, int status,
                        const char *words) {
    Child child = in_child(run, argument);
    return ended(&child, status, words);
}

#endif
