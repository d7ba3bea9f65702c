/* apart.h: runs an action in a process of its own, so that a test can look at how it ends. */
#ifndef APART_H
#define APART_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    int status;         /* of exit, or 1000 + the signal */
    char said[1 << 15]; /* on standard error */
    long kilobytes;     /* the most memory that it had */
} Ending;

static inline Ending apart(void (*action)(const char *), const char *argument) {
    Ending ending = {0};
    struct rusage usage;
    int ends[2], status;
    fflush(stdout);
    if (pipe(ends)) exit(2);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        action(argument);
        _exit(0);
    }
    close(ends[1]);
    ssize_t got = 1;
    for (size_t length = 0; got > 0; length += (size_t)got)
        got = read(ends[0], ending.said + length, sizeof ending.said - 1 - length);
    close(ends[0]);
    wait4(child, &status, 0, &usage);
    ending.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    ending.kilobytes = usage.ru_maxrss;
    return ending;
}

/* An action: a command of the shell, whose standard output is not looked at. */
static inline void run_command(const char *command) {
    if (freopen("/dev/null", "w", stdout)) execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Did it end with this status and one line that has these words? */
static inline bool said_once(const Ending *ending, int status, const char *words) {
    const char *end = strchr(ending->said, '\n');
    return ending->status == status && end && end > ending->said && !end[1] &&
           strstr(ending->said, words);
}

#endif
