/* sentence.h: whole texts compared by the cosine of their vectors.

   Every n-gram of the text that has a row e counts once, however often it occurs, with the weight
   w = a / (a + frequency in the training text): rare ones say more (Arora, Liang and Ma 2017). The
   sum of w e is then whitened: with L L^T = sum of count w^2 e e^T over all n-grams of the training
   text, the vector is L^-1 sum. So no direction counts more because the rows of
   that text happen to lie along it. A model of order 1 has characters for n-grams. A capital that
   the training text lacks is read as the small letter. A text without any n-gram gets zeros. */
#ifndef SENTENCE_H
#define SENTENCE_H

#include "checkpoint.h"
#include "ranking.h"

/* A list of texts, as ids. Starts as {0}; text i is ids[offsets[i]] (a line feed: so lines of a
   training text begin) to ids[offsets[i + 1] - 1]. */
typedef struct {
    uint8_t *ids;
    size_t *offsets;
    size_t count, ids_capacity, offsets_capacity;
} Texts;

void texts_add(Texts *texts, const uint8_t *ids, size_t length);
void texts_free(Texts *texts);

/* The cosine of each text i but the first with text 0; in pairs, of each text i = 1, 3, 5, ... with
   text i - 1. The rows of the result are i; *count becomes how many there are. Free it. Reads the
   whole table once; fails with one line when a number is not finite. */
Scored *compare_texts(const SavedModel *saved, const Texts *texts, bool pairs, size_t *count);

#endif
