/* report.h: what a run says on standard error. Losses are in nats per character. */
#ifndef REPORT_H
#define REPORT_H

#include "../model.h"
#include "baselines.h"
#include "log.h"
#include "memory.h"
#include "vocabulary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where messages go. On a terminal the last line is live: it is written over. */
typedef struct {
    bool quiet, live;
    bool large;  /* the text is so large that each thing that takes time is announced */
    double last; /* when the live line was written */
} Report;

Report report_start(bool quiet);

/* One line that stays. */
void report_line(Report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is being done now: a live line, or a line that stays when the text is large. */
void report_doing(Report *report, const char *what);

/* The text and its characters: those before split are for training, those from val_first on for
   validation. */
void report_text(Report *report, const uint8_t *ids, size_t length, size_t split, size_t val_first);

/* What the run costs: rows of each kind, parameters, bytes of the files and in memory. */
typedef struct {
    size_t dim, model_bytes, checkpoint_bytes, memory_bytes;
} Cost;
void report_cost(Report *report, const Vocabulary *vocabulary, const Cost *cost);
void report_baselines(Report *report, const Baselines *baselines);

/* What was taken over from another model: rows, and its linear layer. */
void report_adopted(Report *report, const char *path, size_t adopted, size_t rows, bool linear);

/* An evaluation; best: none before had a lower loss. */
void report_evaluation(Report *report, const LogRow *row, bool best);

/* How fast this process trains. The first steps are not counted: they touch memory first. */
typedef struct {
    double seconds, evaluation_seconds; /* of all steps, of the latest evaluation */
    size_t steps;
    bool is_warm;
} Pace;
void pace_add(Pace *pace, size_t steps, double seconds);

/* Where a run is, for the live line. */
typedef struct {
    size_t epoch, epochs, batch;
    double done; /* share of all steps, 0..1 */
    double train_loss, best_loss;
    double steps_left, evaluations_left;
} Progress;
void report_progress(Report *report, const Progress *progress, const Pace *pace);

/* The live line, of at most `width` characters: what has no room is left out. To be freed. */
char *progress_line(const Progress *progress, const Pace *pace, size_t width);

/* The result, with the reason when it is no better than the baseline. */
void report_result(Report *report, double val_loss, const Baselines *baselines, const Log *log);

/* How many rows moved, and the five that are furthest from their start. Characters started at start
   [100, dim], other rows at zero. */
void report_moves(Report *report, const Vocabulary *vocabulary, const Model *model,
                  const float *start);

/* A file that was written, with its size; nothing when it is not there. */
void report_file(Report *report, Entry entry, const char *what);

/* The previous run in this folder is kept, and how to have it back. */
void report_kept(Report *report, const char *folder);

/* Commands that can be pasted: what can be done with the model, and how to go on with a run. */
void report_next(Report *report, const char *folder, const char *model, const uint8_t *ids,
                 size_t length);
void report_stopped(Report *report, const char *folder, const char *text, size_t step,
                    size_t steps);

#endif
