/* checkpoint.h: models and whole runs in files, as docs/files.md describes them.

   model.safetensors holds embedding.weight [rows, dim], linear.weight [100, dim], linear.bias [100] and
   what a reader needs to know which row is which: ngrams, phrases, echoes, counts. A checkpoint
   holds the same and the optimizer's sums, the generator's state and the position in the run. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "log.h"
#include "options.h"
#include "safetensors.h"
#include "trainer.h"
#include "vocabulary.h"

/* Are all weights finite numbers, and all that a checkpoint holds beside them? */
bool model_finite(const Model *model);
bool trainer_finite(const Trainer *trainer);

bool all_finite(const float *values, size_t count);

/* Fails with one line when one of these numbers of a model is not finite. */
void require_finite(const float *values, size_t count);

/* Writes a model and the counts [rows] that its rows had when it was as it is; fails when a weight
   is not a finite number, and then writes nothing. Of the vocabulary all is written but their
   counts. */
void model_save(Entry entry, const Vocabulary *vocabulary, const uint32_t *counts,
                const Model *model, const Metadata *metadata);

/* A model from a file. The embedding stays in the mapped file where that is possible: opening is quick. */
typedef struct {
    TensorFile file;
    Vocabulary vocabulary;
    Model model;
    Workspace workspace; /* for bag_logits */
    bool mapped;         /* model.embedding is part of the file's bytes */
} SavedModel;

/* Fails with one line when the file is no model or its parts disagree. */
SavedModel model_open(const char *path);
void model_close(SavedModel *saved);

/* ---- a run and its best model ------------------------------------------------------------------ */

/* Where a run stands, beside its trainer. */
typedef struct {
    size_t steps;           /* of the whole run */
    double best_loss;       /* on the validation part; INFINITY: none yet */
    size_t best_step;       /* after which the best model was found */
    size_t since_best;      /* evaluations since then */
    double train_sum;       /* of the losses since the last evaluation, */
    size_t train_positions; /* and of how many positions */
} Standing;

/* The best model so far. It is copied at each evaluation that finds it, and saved from time to time.
   A model of 512 MB or more takes no second place in memory: it is saved at once. */
typedef struct {
    Model model;
    uint32_t *counts; /* of its rows at that moment */
    bool unsaved;
} Best;

/* about: what the files say of the run's options and text, the same in all of them. */
void best_keep(Best *best, Entry entry, const Vocabulary *vocabulary, const Model *model,
               const Metadata *about, const Standing *standing);
void best_save(Best *best, Entry entry, const Vocabulary *vocabulary, const Metadata *about,
               const Standing *standing);
void best_free(Best *best);

/* Writes everything that a run needs to go on, beside its best model and its log. */
void checkpoint_save(Entry entry, const Trainer *trainer, const Metadata *about,
                     const Standing *standing);

/* Opens a checkpoint and sets the options that decide a run's result to those of its run. Fails with
   one line when an option was given that is not the run's. */
TensorFile checkpoint_open(Entry entry, Option *options);

/* Fails with one line when a checkpoint is not of the run that `about` describes, or not of a model
   of this size: before memory is taken for one. */
void checkpoint_check(const char *path, const TensorFile *file, const Metadata *about, size_t rows,
                      size_t dim);

/* Puts a started trainer where the checkpoint was, with the counts of rows; fails with one line when
   it does not fit. */
void checkpoint_restore(const char *path, const TensorFile *file, Trainer *trainer,
                        Vocabulary *vocabulary, Standing *standing);

/* The same, and fails when the best model is not of the run. */
void checkpoint_resume(const char *path, const TensorFile *file, Entry model, const Metadata *about,
                       Trainer *trainer, Vocabulary *vocabulary, Standing *standing);

/* Bytes of a model's file, without its header. */
size_t model_size(const Vocabulary *vocabulary, size_t dim);

/* Copies the rows of another model that stand for the same as a row here
   (nn.Embedding.from_pretrained), and its linear layer if asked to; returns how many rows. Fails with one line when the dimensions differ, or when no row stands for something that occurs
   both in this text and in the other model's (all 100 characters have rows; a file without counts is taken to have seen all). */
size_t model_adopt(Model *model, const Vocabulary *vocabulary, const char *path, bool linear);

#endif
