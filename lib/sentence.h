/* sentence.h: whole texts compared by the cosine of their vectors.

   Every n-gram of the text that has a row e counts once, however often it occurs, with the weight
   w = a / (a + frequency in the training text): rare ones say more (Arora, Liang and Ma 2017). The
   sum of w e is then whitened: with L L^T = sum of count w^2 e e^T over all n-grams of the training
   text, the vector is L^-1 sum. So no direction counts more because the rows of that text happen to
   lie along it. A model of order 1 has characters for n-grams. A capital that the training text
   lacks is read as the small letter. A text without any n-gram gets zeros. */
#ifndef SENTENCE_H
#define SENTENCE_H

#include "checkpoint.h"
#include "ranking.h"

/* A text to be compared. It is read as a line is, behind a line feed. */
typedef struct {
    uint8_t *ids;
    size_t length;
} Line;

/* The cosine of each line i = 1, 2, 3, ... with line 0; in pairs, of each line i = 1, 3, 5, ...
   with line i - 1. The results stand in this order; their rows are i. Free them. Reads the whole
   table once; fails with one line when a number is not finite. */
Scored *compare_lines(const SavedModel *saved, const Line *lines, size_t count, bool pairs);

#endif
