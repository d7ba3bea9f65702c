/* adapt.h: a model that goes on learning from the text that it reads. */
#ifndef ADAPT_H
#define ADAPT_H

#include "checkpoint.h"
#include "vocabulary.h"

/* Predicts ADAPT_BATCH characters, then learns from them by train_step of model.h, and so on:
   each character is scored before it is learned from (dynamic evaluation, Krause et al. 2018).
   N-grams that the text has twice and the model has not get rows of zeros. A careful and a bold
   copy of the model learn; they and the model as it was predict together, and whoever has
   predicted better so far has more weight. Returns the mean of -ln p[target] over all places of
   bags, in nats per character. */
enum { ADAPT_BATCH = 32 };
double adapting_loss(const SavedModel *saved, const Bags *bags);

#endif
