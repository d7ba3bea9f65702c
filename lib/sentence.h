/* sentence.h: the vector of a whole text, to compare texts by their cosine.

   Every n-gram of the text that has a row e counts once, however often it occurs, with the weight
   w = a / (a + frequency in the training text): rare ones say more (Arora, Liang and Ma 2017). The
   sum of w e is then whitened: with L L^T = sum of count w^2 e e^T over all n-grams of the training
   text, the vector is L^-1 sum, scaled to length 1. So no direction counts more because the rows of
   that text happen to lie along it. A model of order 1 has characters for n-grams. */
#ifndef SENTENCE_H
#define SENTENCE_H

#include "checkpoint.h"
#include "threads.h"

typedef struct {
    Team *team;
    const Model *model;
    Vocabulary vocabulary; /* the model's, without other rows than n-grams */
    float unit;            /* by which rows are multiplied when they are read */
    float *weight;         /* [n-grams] */
    double *factor;        /* [dim, dim] L, below its diagonal and on it */
    uint32_t *last_text;   /* [team, n-grams] the last text that a member counted the row for */
    uint32_t texts;        /* so far */
} Sentences;

/* Reads the whole table once. Fails with one line when a number is not finite. */
Sentences sentences_start(const SavedModel *saved, Team *team);
void sentences_free(Sentences *sentences);

/* A list of texts, as ids. Starts as {0}; text i is ids[offsets[i]] (a line feed: so lines of a
   training text begin) to ids[offsets[i + 1] - 1]. */
typedef struct {
    uint8_t *ids;
    size_t *offsets;
    size_t count, ids_capacity, offsets_capacity;
} Texts;

void texts_add(Texts *texts, const uint8_t *ids, size_t length);
void texts_free(Texts *texts);

/* vectors [count, dim] of the texts from `first` on. A capital that the training text lacks is read
   as the small letter. A text without any n-gram gets zeros. */
void sentence_vectors(Sentences *sentences, const Texts *texts, size_t first, size_t count,
                      float *vectors);

#endif
