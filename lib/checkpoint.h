/* checkpoint.h: models, and whole runs, in files. docs/files.md describes these files. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "log.h"
#include "options.h"
#include "safetensors.h"
#include "snapshots.h"
#include "trainer.h"
#include "vocabulary.h"

/* ---- models ---- */

/* Are all of these finite numbers? */
bool all_finite(const float *values, size_t count);

/* Fails with one line when one of these numbers of a model is not finite. */
void require_finite(const float *values, size_t count);

/* A model from a file. Its embedding stays in the mapped file where that is possible: opening is
   quick. */
typedef struct {
    TensorFile file;
    Vocabulary vocabulary;
    Model model;
    Step step; /* for bag_logits */
} SavedModel;

/* Fails with one line when the file is no model or its parts disagree. */
SavedModel model_open(const char *path);
void model_close(SavedModel *saved);

/* A model and the counts [rows] of its rows as a file to be written; both must outlive it. Takes
   over the metadata. Fails with one line that names the path when a weight is not finite. */
TensorFile model_file(const char *path, const Model *model, const Vocabulary *vocabulary,
                      const uint32_t *counts, Metadata metadata);

/* Bytes of a model's file, without its header. */
size_t model_size(const Vocabulary *vocabulary, size_t dim);

/* Copies the rows of another model that stand for the same as a row here
   (nn.Embedding.from_pretrained), and its linear layer when asked to; returns how many rows. Fails
   with one line when dim differs, or nothing that occurs in both texts has a row in both (a model
   without counts has seen all characters). */
size_t model_adopt(Model *model, const Vocabulary *vocabulary, const char *path, bool linear);

/* ---- runs ---- */

/* The best model so far: copied when an evaluation finds it, saved from time to time. */
typedef struct {
    Model model;
    uint32_t *counts; /* of its rows at that moment */
    bool unsaved;
} Best;

/* What a run's files hold, beside what its trainer holds. */
typedef struct {
    Metadata about;         /* the run's options and text: what it is known by */
    double best_loss;       /* on the validation part; INFINITY: none yet */
    size_t best_step;       /* after which the best model was found */
    size_t since_best;      /* evaluations since then */
    double train_sum;       /* of the losses since the last evaluation, */
    size_t train_positions; /* and of how many positions */
    Best best;
    Snapshots snapshots;
    Log log;
} State;

/* Are all numbers that it has learned finite? */
bool trainer_finite(const Trainer *trainer);
bool model_finite(const Model *model);

/* Takes the trainer's model as the best so far. A large one, of 512 MB or more, takes no second
   place in memory: it is saved at once. */
bool model_is_large(const Model *model);
void state_keep_best(State *state, const Trainer *trainer, const Folder *folder);

/* Saves the run; with best_only, for a run that has diverged, the best model and the log alone. */
void state_save(State *state, const Trainer *trainer, const Folder *folder, bool best_only);

/* Opens a checkpoint and sets the options that decide a run's result to those of its run. Fails
   with one line when another value was given; but more epochs make the run longer. */
TensorFile checkpoint_open(Entry entry, Option *options);

/* Fails with one line when the checkpoint is not of this run, or not of a model of this size:
   before memory is taken for one. */
void checkpoint_check(const TensorFile *checkpoint, const Metadata *about, size_t rows, size_t dim);

/* Puts a started trainer, and a state with its `about` and started snapshots, where the checkpoint
   was. Fails with one line when one of the files is not of the run. */
void state_resume(State *state, Trainer *trainer, const Folder *folder,
                  const TensorFile *checkpoint);

void state_free(State *state);

/* Has the folder the files of a run that ended by itself, or files of which that is not known? */
bool checkpoint_is_finished(const Folder *folder);

#endif
