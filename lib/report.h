/* report.h: what a run says about itself on standard error, and loss.csv. */
#ifndef REPORT_H
#define REPORT_H

#include "vocabulary.h"
#include "trainer.h"

#include <stdbool.h>
#include <stddef.h>

/* The losses that anybody can reach without learning embeddings, in nats per character. */
typedef struct {
    double uniform;     /* ln 100: knows nothing */
    double unigram;     /* knows how frequent each character is */
    double conditional; /* knows how frequent each pair is: the least that an order-1 model can reach on its own text */
} Yardsticks;

Yardsticks yardsticks(const uint8_t *text, size_t length);

/* No loss is larger: the difference of two floats, in nats. */
#define MOST_LOSS 6.9e38

/* loss.csv as text, row by row. */
typedef struct {
    char *text;
    size_t length, capacity, count; /* bytes, room, rows */
    double seconds;                  /* of the last row */
} Log;

void log_start(Log *rows);
/* Adds a row; fails with one line when a number is one that log_load refuses. */
void log_add(Log *rows, size_t step, double epoch, size_t characters, double train_loss, double held_out_loss, double rate, double seconds);
/* Reads the rows up to a step from a file; false when it is not such a log: each row has 8 numbers,
   each in the range that it has in a run, steps rise and characters don't fall. Of another file,
   the rows before the first that is none are there. */
bool log_load(Log *rows, const char *path, size_t last_step);
void log_free(Log *rows);

/* The live line of a terminal: one line that is written over. */
typedef struct {
    bool live; /* standard error is a terminal */
    double last;
} Progress;

void progress_line(Progress *progress, const char *line);
void progress_clear(Progress *progress);

#endif
