/* report.h: what a run says on standard error. No line but those with a path or a command is wider
   than the terminal, or than 80 columns where there is none. With --quiet it says nothing. */
#ifndef REPORT_H
#define REPORT_H

#include "log.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Run Run;

/* Where messages go, and how fast this process trains. */
typedef struct {
    bool live;     /* a terminal, on which the last line is written over */
    bool large;    /* the text is so large that each thing that takes time is announced */
    double last;   /* when the live line was written */
    size_t shown;  /* the twentieth of the run of which an evaluation was shown last */
    bool measured; /* the first steps are not: they touch memory first */
    double seconds,
        evaluation_seconds; /* of all steps that were measured, of the last evaluation */
    size_t steps;
} Report;

Report report_start(bool quiet);

/* A line that stays: cut where the terminal ends; whole, so that a command can be pasted; or
   without the last parts, which stand behind two blanks, when there is no room for them. */
typedef enum { CUT, WHOLE, FITTED } Wrap;
void report_line(const Run *run, Wrap wrap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What is being done now: a live line, or a line that stays when the text is large. */
void report_doing(const Run *run, const char *what);

/* The text and its parts; then its rows, what they cost, and the baselines. */
void report_text(Run *run);
void report_rows(const Run *run);

/* An evaluation; best: none before had a lower loss. About twenty of a run are shown. */
void report_evaluation(Run *run, const LogRow *row, bool best);

/* The steps that were just taken, and the time they took: updates the live line. */
void report_steps(Run *run, size_t steps, double seconds);

/* The live line, of at most `width` characters: what has no room is left out. To be freed. */
char *progress_line(const Run *run, size_t width);

/* The previous run in this folder is kept, and how to have it back. */
void report_kept(const Run *run);

/* The end: what came of the run, its files, what can be done next; or how to go on after a stop. */
void report_result(const Run *run);
void report_stopped(const Run *run);

#endif
