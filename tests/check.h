/* check.h: the whole test harness. A check prints "ok NAME" or "FAIL NAME: why"; tests/run.sh counts these lines. */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* One check with its name (printf style). Returns what held. */
static inline bool __attribute__((format(printf, 2, 3))) check(bool holds, const char *name, ...) {
    va_list arguments;
    va_start(arguments, name);
    printf(holds ? "ok " : "FAIL ");
    vprintf(name, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    return holds;
}

static inline bool close_to(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance;
}

#endif
