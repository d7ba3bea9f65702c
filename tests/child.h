/* child.h: what a function says and how it ends, in a process of its own. */
#ifndef CHILD_H
#define CHILD_H

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    int status;       /* its exit status, -1: it did not exit */
    long memory;      /* kilobytes at most */
    char said[16384]; /* on both streams, with an end mark */
} Child;

/* Runs a function, which may end the process, and returns what came of it until the next call. */
static inline const Child *in_child(void (*run)(const void *argument), const void *argument) {
    static Child child;
    struct rusage usage;
    FILE *said = tmpfile();
    child = (Child){.status = 9};
    fflush(stdout);
    pid_t process = said ? fork() : -1;
    if (process == 0) {
        dup2(fileno(said), STDOUT_FILENO);
        dup2(fileno(said), STDERR_FILENO);
        run(argument);
        fflush(stdout);
        _exit(0);
    }
    if (process < 0 || wait4(process, &child.status, 0, &usage) != process) return &child;
    child.status = WIFEXITED(child.status) ? WEXITSTATUS(child.status) : -1;
    child.memory = usage.ru_maxrss;
    rewind(said);
    child.said[fread(child.said, 1, sizeof child.said - 1, said)] = '\0';
    fclose(said);
    return &child;
}

#endif
