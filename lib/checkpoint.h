/* checkpoint.h: models and whole runs in files, as docs/files.md describes them.

   model.safetensors holds embedding.weight [rows, dim], linear.weight [100, dim], linear.bias [100] and
   what a reader needs to know which row is which: ngrams, phrases, echoes, counts. A checkpoint
   holds the same and the optimizer's sums, the generator's state and the position in the run. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "vocabulary.h"
#include "safetensors.h"
#include "trainer.h"

/* Are all weights finite numbers, and all that a checkpoint holds beside them? */
bool model_finite(const Model *model);
bool trainer_finite(const Trainer *trainer);

bool all_finite(const float *values, size_t count);

/* Fails with one line when one of these numbers of a model is not finite. */
void require_finite(const float *values, size_t count);

/* Writes a model and the counts [rows] that its rows had when it was as it is; fails when a weight
   is not a finite number, and then writes nothing. Of the vocabulary all is written but their
   counts. */
void model_save(const char *path, const Vocabulary *vocabulary, const uint32_t *counts,
                const Model *model, const Metadata *metadata);

/* A model from a file. The embedding stays in the mapped file where that is possible: opening is quick. */
typedef struct {
    TensorFile file;
    Vocabulary vocabulary;
    Model model;
    Workspace workspace; /* for bag_logits */
    bool mapped; /* model.embedding is part of the file's bytes */
} SavedModel;

/* Fails with one line when the file is no model or its parts disagree. */
SavedModel model_open(const char *path);
void model_close(SavedModel *saved);

/* A number of a checkpoint, or a whole one; fails with one line when it is not there, or not from
   low to high (0 to most). */
double checkpoint_number(const char *path, const TensorFile *file, const char *key, double low,
                         double high);
size_t checkpoint_count(const char *path, const TensorFile *file, const char *key, size_t most);

/* Writes everything that trainer_seek needs, beside the model. */
void checkpoint_save(const char *path, const Trainer *trainer, const Metadata *metadata);

/* Fails with one line when the checkpoint is not of a model of this size: before memory is taken for one. */
void checkpoint_check(const char *path, const TensorFile *file, size_t rows, size_t dim);

/* Puts a started trainer where the checkpoint was; fails with one line when it does not fit. The counts of
   rows come from the checkpoint, too. */
void checkpoint_restore(const char *path, const TensorFile *file, Trainer *trainer, Vocabulary *vocabulary);

/* Copies the rows of another model that stand for the same as a row here (nn.Embedding.from_pretrained);
   returns how many. Fails with one line when the dimensions differ, or when no row stands for something that occurs
   both in this text and in the other model's (all 100 characters have rows; a file without counts is taken to have seen all). */
size_t model_adopt(Model *model, const Vocabulary *vocabulary, const char *path);

#endif
