/* run.h: a run of ./train once everything is prepared: steps, evaluations, saves. */
#ifndef RUN_H
#define RUN_H

#include "checkpoint.h"
#include "report.h"
#include "settings.h"
#include "text.h"

typedef struct {
    Settings settings;
    Report report;
    Folder folder;
    Text text;
    size_t split;     /* characters 0..split-1 are for training, */
    size_t val_first; /* those from here on for validation */
    Team *team;
    Vocabulary vocabulary;
    Bags val; /* the validation part's bags; none when they are found anew each time */
    Baselines baselines;
    Trainer *trainer;
    State state;     /* what the files hold beside */
    bool owns_files; /* the folder holds no file of another run */
    float *start;    /* [100, dim] the characters' rows before the first step */
    Pace pace;
    double started, last_save; /* when training began (before a stop: earlier), and the last save */
    const char *not_finite;    /* what is no finite number, so that the run ends; NULL: nothing */
} Run;

/* Was a loss or a weight no finite number? */
bool run_has_diverged(const Run *run);

/* Saves the run's files. A finished run of another start that is in the folder is kept first. */
void run_save(Run *run);

/* Puts everything where it was when the checkpoint was saved. */
void run_resume(Run *run, const TensorFile *checkpoint);

/* Finds the bags of the validation part. */
void run_find_val(Run *run);

/* Before the first step: scores what chance alone gives. */
void run_begin(Run *run);

/* Trains up to the next evaluation or snapshot, and saves when it is time. */
void run_train(Run *run);

/* Has it taken all its steps, or is there a signal, a number that is not finite, or an epoch without
   a better model? */
bool run_is_over(const Run *run);

/* Fails with one line when a number of the run is not finite. */
void run_require_numbers(const Run *run);

#endif
