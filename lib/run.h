/* run.h: a run of ./train once everything is prepared: steps, evaluations, saves. */
#ifndef RUN_H
#define RUN_H

#include "baselines.h"
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
    float *start;    /* [100, dim] the characters' rows before the first step */
    bool owns_files; /* the folder holds no file of another run */
    double started, last_save; /* when training began (before a stop: earlier), and the last save */
    const char *not_finite;    /* what is no finite number, so that the run ends; NULL: nothing */
    Report report;
} Run;

/* Finds the bags of the validation part. Those of a part that is larger than a shard would take more
   memory than the model: they are found at each evaluation. */
void run_find_val(Run *run);

/* Puts everything where it was when the checkpoint was saved. */
void run_resume(Run *run, const TensorFile *checkpoint);

/* Before the first step: scores what chance alone gives. */
void run_begin(Run *run);

/* Trains up to the next evaluation or snapshot, and saves when it is time. */
void run_train(Run *run);

/* Has it taken all its steps, or is there a signal, a number that is not finite, or an epoch without
   a better model? */
bool run_is_over(const Run *run);

/* Saves what the run has learned; fails with one line when a number of it is not finite. */
void run_end(Run *run);

#endif
