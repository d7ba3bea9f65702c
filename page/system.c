/* system.c: in the browser, this takes the place of lib/threads.c and lib/fail.c. There is one
   thread; an error is thrown to page/worker.js, which ends this program and says why. */
#include "../lib/fail.h"
#include "../lib/memory.h"
#include "../lib/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

/* What page/worker.js gives. say_error throws: it does not return. */
#define IMPORT(name) __attribute__((import_module("page"), import_name(name)))
_Noreturn IMPORT("error") void say_error(const char *text);
IMPORT("notice") void say_notice(const char *text);

/* ---- lib/threads.h: a team of one ----------------------------------------------------------- */

struct Team {
    size_t next; /* piece of work of the task */
};

Team *team_start(int size) {
    (void)size;
    return allocate(1, sizeof(Team), "a team");
}

void team_end(Team *team) { free(team); }

int team_size(const Team *team) {
    (void)team;
    return 1;
}

void team_run(Team *team, TeamTask *task, void *argument) {
    team->next = 0;
    task(team, 0, argument);
}

void team_for(Team *team, size_t count, TeamPiece *piece, void *argument) {
    (void)team;
    for (size_t i = 0; i < count; i++) piece(0, i, argument);
}

void team_meet(Team *team) { (void)team; }

size_t team_next(Team *team) { return team->next++; }

int processors(void) { return 1; }

double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- lib/fail.h: messages for the page ------------------------------------------------------ */

/* The message that is being put together: there may be no memory left for it. */
static char message[1 << 12];

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    say_error(message);
}

void wrong_use(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    say_error(message);
}

void notice(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    say_notice(message);
}

void flush_output(void) {}

/* ---- huge pages: there are none ------------------------------------------------------------- */

int madvise(void *block, size_t bytes, int advice) {
    (void)block;
    (void)bytes;
    (void)advice;
    return 0;
}
