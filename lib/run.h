/* run.h: a run of ./train; and its middle, once everything is prepared. */
#ifndef RUN_H
#define RUN_H

#include "checkpoint.h"
#include "report.h"
#include "settings.h"
#include "text.h"

typedef struct Run {
    Settings settings;
    Folder folder;
    Text text;
    size_t split;     /* characters 0..split-1 are for training, */
    size_t val_first; /* those from here on for validation */
    Team *team;
    Vocabulary vocabulary;
    Baselines baselines;
    Trainer *trainer;
    Bags val;        /* the validation part's bags; none when they are found anew each time */
    State state;     /* what the files hold beside */
    bool owns_files; /* the folder holds no file of another run */
    double started, last_save; /* when training began (before a stop: earlier), and the last save */
    const char *not_finite;    /* what is no finite number, so that the run ends; NULL: nothing */
    Report report;
} Run;

/* Trains up to the last step, a signal, or an epoch without a better model: takes steps, evaluates,
   and saves from time to time and at the end. Fails with one line when a loss or a weight is not a
   finite number. */
void run_train(Run *run);

#endif
