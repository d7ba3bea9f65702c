/* adapt.h: a model that goes on learning from the text that it reads. */
#ifndef ADAPT_H
#define ADAPT_H

#include "checkpoint.h"
#include "vocabulary.h"

/* Predicts ADAPT_BATCH characters, then learns from them by train_step of model.h, and so on: each
   character is scored before it is learned from (dynamic evaluation, Krause et al. 2018). Only the
   embedding's rows learn, by Adagrad. Returns the mean of -ln p[target] over all places of bags, in
   nats per character. Changes the model in memory, not its file. */
enum { ADAPT_BATCH = 32 };
double adapting_loss(SavedModel *saved, const Bags *bags);

#endif
