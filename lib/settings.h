/* settings.h: what a person may choose for a run, and what is chosen where nobody did. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "options.h"
#include "trainer.h"
#include "vocabulary.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    RowOptions rows;
    RunOptions run;
    size_t order, min_count, max_rows, seed, threads, evaluations, batch_losses;
    bool resume, strict, quiet;
    double val, save_every;
    const char *program; /* as it was called */
    const char *kinds, *optimizer, *norm_type, *out, *pretrained, *init, *text, *val_text;
    Option options[48]; /* the table that the command line was read by */
} Settings;

/* Reads the command line of ./train; a wrong one is one line and exit status 2. */
void settings_read(Settings *settings, int argc, char **argv);

/* Chooses what was not given, for a training part of `length` characters, and refuses what is no
   name that is known. A checkpoint's options must have been taken before. */
void settings_complete(Settings *settings, size_t length);

#endif
